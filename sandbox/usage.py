"""Usage records of an account's rows, by day and category; their sums agree with the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from sandbox.tables import Table
from sandbox.wire import DAY, Wire, day_of, seconds_of

# The streams that are billed here.
BILLED_STREAMS = ("messages", "calls", "recordings")
# Unit of the usage, unit of its count, description.
CATEGORIES = {
    "totalprice": ("usd", "", "Total Price"),
    "sms": ("messages", "messages", "SMS"),
    "sms-inbound": ("messages", "messages", "Inbound SMS"),
    "sms-outbound": ("messages", "messages", "Outbound SMS"),
    "mms": ("messages", "messages", "MMS"),
    "mms-inbound": ("messages", "messages", "Inbound MMS"),
    "mms-outbound": ("messages", "messages", "Outbound MMS"),
    "calls": ("minutes", "calls", "Voice Minutes"),
    "calls-inbound": ("minutes", "calls", "Inbound Voice Minutes"),
    "calls-outbound": ("minutes", "calls", "Outbound Voice Minutes"),
    "recordings": ("minutes", "recordings", "Recordings"),
    "recordingstorage": ("megabytes", "megabytes", "Recording Storage"),
    "phonenumbers": ("numbers", "numbers", "Phone Numbers"),
}
MB_PER_MINUTE, PER_MB = Decimal("0.48"), Decimal("0.00001")
# On the first of each month.
PER_NUMBER = Decimal("1.15")


class Item(NamedTuple):
    """An item of the bill for one row."""

    second: int
    category: str
    events: int
    usage: Decimal
    price: Decimal


def billed_items(messages: Table, calls: Table, recordings: Table) -> Iterator[Item]:
    """Yield the items of rows that have a price, or will have one."""
    for wire in billed_rows(messages):
        way = "inbound" if wire["direction"] == "inbound" else "outbound"
        kind, units = ("mms", 1) if wire["num_media"] != "0" else ("sms", int(wire["num_segments"]))
        when = wire["date_sent"] or wire["date_created"]
        yield item(wire, when, f"{kind}-{way}", units, units)
    for wire in billed_rows(calls):
        way = "inbound" if wire["direction"] == "inbound" else "outbound"
        yield item(wire, wire["start_time"], f"calls-{way}", 1, -(-int(wire["duration"]) // 60))
    for wire in billed_rows(recordings):
        minutes = -(-int(wire["duration"]) // 60)
        yield item(wire, wire["date_created"], "recordings", 1, minutes)
        megabytes = MB_PER_MINUTE * minutes
        second, price = seconds_of(wire["date_created"]), megabytes * PER_MB
        yield Item(second, "recordingstorage", 1, megabytes, price)


def billed_rows(table: Table) -> Iterator[Wire]:
    """Yield the rows that are billed."""
    for row in table.rows.values():
        wire = row.wire
        if wire["price"] or wire["status"] == "sent":
            yield wire


def item(wire: Wire, when: str, category: str, count: int, usage: int) -> Item:
    """Return the item of a row."""
    return Item(seconds_of(when), category, count, Decimal(usage), -Decimal(wire["price"] or 0))


def number_rents(start: int, end: int, numbers: int) -> Iterator[Item]:
    """Yield the monthly items of an account's numbers."""
    for midnight in range(start, end, DAY):
        if numbers and day_of(midnight // DAY)[1].endswith("-01"):
            price = numbers * PER_NUMBER
            yield Item(midnight, "phonenumbers", numbers, Decimal(numbers), price)


def usage_rows(
    start: int, end: int, numbers: int, messages: Table, calls: Table, recordings: Table
) -> Iterator[tuple[int, Wire]]:
    """Yield the fields of usage records and the midnight of their day, for days before `end`.

    The account has owned `numbers` since `start`.
    """
    nothing = (0, Decimal(), Decimal())
    days: defaultdict[int, dict[str, tuple[int, Decimal, Decimal]]] = defaultdict(dict)
    for one in chain(billed_items(messages, calls, recordings), number_rents(start, end, numbers)):
        of_day = days[one.second // DAY]
        for category in dict.fromkeys((one.category, one.category.partition("-")[0], "totalprice")):
            count, usage, price = of_day.get(category, nothing)
            of_day[category] = count + one.events, usage + one.usage, price + one.price
    for day, found in sorted(days.items(), reverse=True):
        for category, (unit, count_unit, description) in CATEGORIES.items():
            if category not in found or day * DAY >= end:
                continue
            count, usage, price = found[category]
            fields: Wire = {"category": category, "description": description}
            fields |= {"usage": str(price if unit == "usd" else usage), "usage_unit": unit}
            counted = {"usd": None, "megabytes": str(usage)}.get(unit, str(count))
            fields |= {"count": counted, "count_unit": count_unit, "price": str(price)}
            yield day * DAY, fields
