"""The data set: rows as Twilio's wire sends them, kept per list, with a year of them to start from.

`rows.json` holds one row per stream as a pattern; everything else overrides fields of it.
"""

from __future__ import annotations

import calendar
import random
import re
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from email.utils import formatdate, parsedate
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

Wire = dict[str, Any]

DAY = 86_400
# Stands for "now" in usage rows, which are serialised once but restated at each read.
AS_OF = "{as_of}"

# What tells the rows of a list apart, where it is not the SID.
KEY = {
    "available_phone_number_countries": ["country_code"],
    "available_phone_numbers_local": ["phone_number"],
    "available_phone_numbers_mobile": ["phone_number"],
    "available_phone_numbers_toll_free": ["phone_number"],
    "conference_participants": ["call_sid"],
    "usage_records": ["category", "start_date"],
}
# Rows of the main account at scale 1; the other accounts hold a share of each long list.
LONG = {"messages": 3_200, "calls": 2_600, "alerts": 2_800, "recordings": 2_200}
LONG |= {"usage_records": 2_150, "conferences": 60}
SHORT = {"addresses": 3, "applications": 4, "incoming_phone_numbers": 5, "keys": 3, "queues": 3}
SHORT |= {"outgoing_caller_ids": 3, "transcriptions": 6, "usage_triggers": 3}
# Name, status, and how much it holds: a share of the long lists, or rows by stream (a list that is
# not named is then as short as lists get).
Holder = tuple[str, str, float | Mapping[str, int]]
ACCOUNTS: Sequence[Holder] = (
    ("Northwind", "active", 1.0),
    ("Northwind Retail", "active", 0.5),
    ("Northwind Field", "active", 0.02),
    ("Northwind Test", "active", 0.02),
    ("Northwind Paused", "suspended", 0.02),
    ("Northwind Closed", "closed", 0.02),
)

BODIES = (
    "Your order is on its way.",
    "Fri, 24 May 2019 17:44:46 +0000",
    "Größe 42 → ausverkauft, désolé",
    "Thanks! 🎉👍🏽 See you at 10:30",
    "",
    "2024-01-31",
    'Line one\nline "two"\t\\ end\u2028',
    "お問い合わせありがとうございます",
)
# status, direction, sent, priced, error code
LIVE_MESSAGES = [
    (status, "outbound-api", False, False, None)
    for status in ("scheduled", "accepted", "queued", "sending")
]
MESSAGES = [
    ("delivered", "outbound-api", True, True, None),
    ("received", "inbound", True, True, None),
    ("failed", "outbound-api", False, False, 30007),
    ("canceled", "outbound-api", False, False, None),
    ("undelivered", "outbound-reply", True, True, 30003),
    ("sent", "outbound-call", True, False, None),
    ("failed", "outbound-api", True, True, 30005),
    *[("delivered", "outbound-api", True, True, None)] * 9,
    *[("received", "inbound", True, True, None)] * 4,
]
# status, start_time known, end_time known
LIVE_CALLS = (("queued", False, False), ("ringing", False, False), ("in-progress", True, False))
CALLS = (
    ("completed", True, True),
    ("busy", True, False),
    ("failed", False, False),
    ("no-answer", True, False),
    ("canceled", False, False),
    ("no-answer", True, True),
    *(("completed", True, True),) * 14,
)
# category, its unit, unit of its count, description
USAGE = (
    ("totalprice", "usd", "", "Total Price"),
    ("sms", "messages", "messages", "SMS"),
    ("sms-outbound", "messages", "messages", "Outbound SMS"),
    ("calls", "minutes", "calls", "Voice Minutes"),
    ("calls-inbound", "minutes", "calls", "Inbound Voice Minutes"),
    ("recordingstorage", "megabytes", "megabytes", "Recording Storage"),
)
USAGE_LINKS = ("AllTime", "Daily", "LastMonth", "Monthly", "ThisMonth", "Today", "Yearly")
COUNTRIES = (
    ("US", "United States", ("Local", "TollFree")),
    ("GB", "United Kingdom", ("Local", "Mobile", "TollFree")),
    ("NO", "Norway", ("Local", "Mobile")),
    ("EE", "Estonia", ("Mobile",)),
)


@lru_cache(maxsize=1024)
def snake(name: str) -> str:
    """Return the field that a name of a parameter or path stands for: `DateSent` -> `date_sent`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.split("/")[-1]).lower()


@lru_cache(maxsize=4096)
def _day(days: int) -> tuple[str, str]:
    return formatdate(days * DAY)[:17], time.strftime("%Y-%m-%d", time.gmtime(days * DAY))


@lru_cache(maxsize=4096)
def _midnight(date: str) -> int:
    return calendar.timegm(parsedate(f"{date} 00:00:00") or ())


def rfc2822(seconds: int) -> str:
    """Return a time as the 2010 API writes it."""
    days, rest = divmod(seconds, DAY)
    return f"{_day(days)[0]}{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02} +0000"


def iso8601(seconds: int) -> str:
    """Return a time as the product APIs write it."""
    days, rest = divmod(seconds, DAY)
    return f"{_day(days)[1]}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def seconds_of(text: str) -> int:
    """Return the POSIX time of a date or time in any of the wire's spellings."""
    if "," in text:
        return (
            _midnight(text[5:16])
            + int(text[17:19]) * 3600
            + int(text[20:22]) * 60
            + int(text[23:25])
        )
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp())


def _pattern(row: Wire) -> tuple[str, str]:
    """Return the prefix of the SIDs and the text that one % turns into a row."""
    prefix = row.get("sid", "")
    if prefix:
        row["sid"] = "%(sid)s"
    if children := row.get("subresource_uris"):
        home = row["uri"].removesuffix(".json")
        row["subresource_uris"] = {snake(name): f"{home}/{name}.json" for name in children}
    return prefix, orjson.dumps(row).decode()


_ROWS = orjson.loads(Path(__file__).with_name("rows.json").read_bytes())
PATTERNS = {stream: _pattern(row) for stream, row in _ROWS.items()}


def _json(wire: Wire) -> bytes:
    # orjson returns 8 KB of memory however short the text is; a copy has its own size.
    return bytes(memoryview(orjson.dumps(wire)))


class Row:
    """One row: what tells it apart, its JSON and its place in the list.

    Kept as bytes: they are what most answers need, and a large set takes a third of the memory.
    """

    __slots__ = ("key", "order", "raw")

    def __init__(self, key: str, wire: Wire, order: int) -> None:
        """Hold a row."""
        self.key = key
        self.order = order
        self.raw = _json(wire)

    @property
    def wire(self) -> Wire:
        """The row as the wire shows it, to keep."""
        wire: Wire = orjson.loads(self.raw)
        return wire

    def update(self, fields: Wire) -> None:
        """Change fields."""
        self.raw = _json(self.wire | fields)


class Match(NamedTuple):
    """Rows that fit a query, newest first, and their order for finding a place among them."""

    rows: list[Row]
    order: list[int]

    def since(self, seconds: int) -> Match:
        """Return the rows that are not older than a time."""
        length = bisect_right(self.order, -(seconds << 32))
        return self if length == len(self.rows) else Match(self.rows[:length], self.order[:length])


class Table:
    """One list of one account; what was worked out about it is kept until it changes."""

    def __init__(self) -> None:
        """Start empty."""
        self.rows: dict[str, Row] = {}
        self.version = 0
        self.matches: dict[Any, Match] = {}
        self._columns: dict[str, list[Any]] = {}
        self._times: dict[tuple[str, bool], list[int | None]] = {}
        self._sorted: list[Row] = []

    def changed(self) -> None:
        """Forget what was worked out."""
        self.version += 1
        self.matches.clear()
        self._columns.clear()
        self._times.clear()
        self._sorted = []

    def newest_first(self) -> list[Row]:
        """Return the rows in the order of the list."""
        if not self._sorted:
            self._sorted = sorted(self.rows.values(), key=lambda row: row.order)
        return self._sorted

    def column(self, field: str) -> list[Any]:
        """Return a field of all rows, in the order of the list."""
        if field not in self._columns:
            # Usage has no date_created.
            self._columns[field] = [row.wire.get(field) for row in self.newest_first()]
        return self._columns[field]

    def times(self, field: str, instead: bool) -> list[int | None]:
        """Return a date field as POSIX times; with `instead`, date_created where it is null."""
        key = field, instead
        if key not in self._times:
            texts = self.column(field)
            if instead:
                pairs = zip(texts, self.column("date_created"), strict=True)
                texts = [text or created for text, created in pairs]
            self._times[key] = [seconds_of(text) if text else None for text in texts]
        return self._times[key]


class Store:
    """All lists of all accounts."""

    def __init__(
        self,
        seed: int,
        now: int,
        scale: float,
        counts: Mapping[str, int],
        accounts: Sequence[Holder] = ACCOUNTS,
    ) -> None:
        """Fill the lists with the year that ends at the midnight before `now`."""
        self.rng = random.Random(seed)
        self.tables: defaultdict[tuple[str, str, str], Table] = defaultdict(Table)
        self._sequence = 0
        self._sums: tuple[tuple[int, ...], Table] = ((), Table())
        self.end = now - now % DAY
        self.start = self.end - 365 * DAY
        self.main = self._sid("AC")
        for number, (name, status, holds) in enumerate(accounts):
            fields = {"friendly_name": name, "status": status, "owner_account_sid": self.main}
            if number == 0:
                fields["sid"] = self.main
            account = self.add("accounts", self.main, self.start + number * DAY, **fields)
            share, own = (0.0, holds) if isinstance(holds, Mapping) else (holds * scale, {})
            _Year(self, account.key, share, own if number else {**own, **counts}).fill()

    @property
    def accounts(self) -> dict[str, Row]:
        """All accounts by SID, the main one first."""
        return self.tables["accounts", self.main, ""].rows

    def add(self, stream: str, account: str, created: int, parent: str = "", **fields: Any) -> Row:
        """Add a row that was created at a time; fields not given follow the stream's pattern."""
        self._sequence += 1
        hexadecimal = f"{self.rng.getrandbits(128):032x}"
        prefix, pattern = PATTERNS[stream]
        sid = fields.get("sid") or prefix + hexadecimal
        date, day = rfc2822(created), _day(created // DAY)[1]
        base, iso = "/2010-04-01/Accounts/" + account, f"{day}T{date[17:25]}Z"
        values = {"account": account, "base": base, "sid": sid, "hex": hexadecimal}
        values |= {"parent": parent, "date": date, "day": day, "iso": iso}
        # A token that is no part of the SID, and yet deterministic.
        values["token"] = hexadecimal[::-1]
        wire: Wire = orjson.loads(pattern % values)
        wire.update(fields)
        if stream == "usage_records":
            _link_usage(wire)
        key = ":".join([wire[name] for name in KEY[stream]]) if stream in KEY else sid
        row = Row(key, wire, -(created << 32) - self._sequence)
        table = self.tables[stream, account, parent]
        table.rows[key] = row
        table.changed()
        if stream == "accounts" and sid != account:
            # A subaccount sees itself in the list, and nobody else.
            self.tables[stream, sid, ""].rows[key] = row
        return row

    def holders(self, stream: str, key: str) -> Iterator[Table]:
        """Yield the lists of a stream that hold a row; each counts as changed."""
        for (name, _, _), table in list(self.tables.items()):
            if name == stream and key in table.rows:
                yield table
                table.changed()

    def usage(self, account: str, subaccounts: bool) -> Table:
        """Return an account's usage, for the main account with that of its subaccounts added."""
        if not subaccounts or account != self.main:
            return self.tables["usage_records", account, ""]
        tables = [self.tables["usage_records", sid, ""] for sid in self.accounts]
        versions = tuple(table.version for table in tables)
        if self._sums[0] != versions:
            sums: dict[str, Row] = {}
            for table in tables:
                for key, row in table.rows.items():
                    wire = row.wire | {"account_sid": account}
                    if key in sums:
                        sums[key].update(_added(sums[key].wire, wire))
                    else:
                        _link_usage(wire)
                        sums[key] = Row(key, wire, row.order)
            result = Table()
            result.rows = sums
            self._sums = versions, result
        return self._sums[1]

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{self.rng.getrandbits(128):032x}"


def _added(one: Wire, other: Wire) -> Wire:
    return {
        name: str(Decimal(one[name]) + Decimal(other[name]))
        for name in ("count", "price", "usage")
        if one[name] is not None and other[name] is not None
    }


def _link_usage(wire: Wire) -> None:
    base = f"/2010-04-01/Accounts/{wire['account_sid']}/Usage/Records"
    category = wire["category"]
    wire["uri"] = (
        f"{base}/Daily.json?Category={category}"
        f"&StartDate={wire['start_date']}&EndDate={wire['end_date']}"
    )
    wire["subresource_uris"] = {
        snake(name): f"{base}/{name}.json?Category={category}" for name in USAGE_LINKS
    }


class _Year:
    """One account's rows of the year."""

    def __init__(self, store: Store, account: str, share: float, counts: Mapping[str, int]) -> None:
        self.store = store
        self.account = account
        self.share = share
        self.counts = counts
        self.random = store.rng.random

    def fill(self) -> None:
        for stream in LONG | SHORT:
            getattr(self, f"_{stream}", self._plain)(stream)
        self._numbers()

    def _count(self, stream: str) -> int:
        usual = SHORT.get(stream) or max(6, round(LONG[stream] * self.share))
        return self.counts.get(stream, usual)

    def _spread(self, stream: str, days: int = 365, live: int = 0) -> Iterator[tuple[int, int]]:
        """Yield number and time of creation; the first `live` belong to the last hour."""
        count = self._count(stream)
        step = days * DAY / max(count, 1)
        for number in range(count):
            ago = 600 * number if number < live else (number + self.random()) * step
            yield number, self.store.end - int(ago) - 1

    def _plain(self, stream: str) -> None:
        for number, created in self._spread(stream):
            named = '"friendly_name"' in PATTERNS[stream][1]
            fields = {"friendly_name": f"{stream} {number}"} if named else {}
            self.store.add(stream, self.account, created, **fields)

    def _phone(self) -> str:
        return f"+1415555{int(self.random() * 10_000):04}"

    def _messages(self, stream: str) -> None:
        live, usual, bodies = len(LIVE_MESSAGES), len(MESSAGES), len(BODIES)
        for number, created in self._spread(stream, live=live):
            status, direction, sent, priced, error = (
                LIVE_MESSAGES[number] if number < live else MESSAGES[number % usual]
            )
            later = created + int(self.random() * 20)
            media = 1 + number % 3 if number % 12 == 6 else 0
            fields: Wire = {
                "status": status,
                "direction": direction,
                "body": BODIES[number % bodies],
                "from": self._phone(),
                "to": self._phone(),
                "date_sent": rfc2822(later) if sent else None,
                "date_updated": rfc2822(later + 3),
            }
            if not priced:
                fields["price"] = None
            if error:
                fields |= {"error_code": error, "error_message": "Not delivered"}
            if media:
                sid = self.store._sid("MM")
                fields |= {"sid": sid, "num_media": str(media), "price": "-0.02000"}
                for _ in range(media):
                    self.store.add("message_media", self.account, created, sid)
            self.store.add(stream, self.account, created, **fields)

    def _calls(self, stream: str) -> None:
        live, usual = len(LIVE_CALLS), len(CALLS)
        for number, created in self._spread(stream, live=live):
            status, started, ended = LIVE_CALLS[number] if number < live else CALLS[number % usual]
            start, duration = created + 2, 1 + int(self.random() * 600)
            done = status == "completed"
            sender, receiver = self._phone(), self._phone()
            fields: Wire = {
                "status": status,
                "direction": "inbound" if number % 3 else "outbound-dial",
                "from": sender,
                "from_formatted": f"({sender[2:5]}) {sender[5:8]}-{sender[8:]}",
                "to": receiver,
                "to_formatted": f"({receiver[2:5]}) {receiver[5:8]}-{receiver[8:]}",
                "start_time": rfc2822(start) if started else None,
                "end_time": rfc2822(start + duration * done) if ended else None,
                "date_updated": rfc2822(start + duration * done),
                "duration": str(duration) if done else "0" if number >= live else None,
            }
            if not done:
                fields["price"] = None
            elif number % 7 == 0:
                fields |= {"annotation": "billing", "answered_by": "human"}
            self.store.add(stream, self.account, created, **fields)

    def _conferences(self, stream: str) -> None:
        for number, created in self._spread(stream, live=4):
            fields: Wire = {"date_updated": rfc2822(created + 1800)}
            if number < 4:
                fields = {
                    "status": "in-progress" if number else "init",
                    "reason_conference_ended": None,
                    "call_sid_ending_conference": None,
                }
            sid = self.store.add(stream, self.account, created, **fields).key
            for participant in range(number % 4):
                label = f"agent-{participant}" if participant else None
                when = created + participant
                self.store.add("conference_participants", self.account, when, sid, label=label)

    def _recordings(self, stream: str) -> None:
        for number, created in self._spread(stream, live=1):
            fields: Wire = {"duration": str(1 + int(self.random() * 600))}
            # Twilio drops the metadata 40 days after the deletion.
            if number % 6 == 2 and self.store.end - created < 39 * DAY:
                fields |= {"status": "deleted", "date_updated": rfc2822(self.store.end - 60)}
            elif number == 0:
                fields |= {"status": "processing", "duration": "-1", "price": None}
            self.store.add(stream, self.account, created, **fields)

    def _alerts(self, stream: str) -> None:
        # A quarter lies before the 30 days that may be queried.
        for number, created in self._spread(stream, days=40):
            fields: Wire = {"log_level": ("error", "warning", "notice")[number % 3]}
            if number % 10 == 4:
                fields["date_generated"] = iso8601(created - 900)
            self.store.add(stream, self.account, created, **fields)

    def _usage_records(self, stream: str) -> None:
        count = self._count(stream)
        days = max(365, -(-count // len(USAGE)))
        for cell in sorted(self.store.rng.sample(range(days * len(USAGE)), count)):
            day, row = divmod(cell, len(USAGE))
            category, unit, count_unit, description = USAGE[row]
            number = 1 + int(self.random() * 900)
            price = str(Decimal(number) * Decimal("0.00750"))
            usage = {"usd": price, "minutes": f"{number * 1.5:.1f}", "megabytes": f"{number}.0417"}
            self.store.add(
                stream,
                self.account,
                self.store.end - (day + 1) * DAY,
                category=category,
                description=description,
                usage=usage.get(unit, str(number)),
                usage_unit=unit,
                count=None if unit == "usd" else usage.get(count_unit, str(number)),
                count_unit=count_unit,
                price=price,
            )

    def _addresses(self, stream: str) -> None:
        number_sid = self.store._sid("PN")
        for number, created in self._spread(stream):
            address = self.store.add(stream, self.account, created).key
            # One number hangs on two addresses, and the last address has none.
            for sid in ([number_sid, self.store._sid("PN")], [number_sid], [])[min(number, 2)]:
                self.store.add("dependent_phone_numbers", self.account, created, address, sid=sid)

    def _numbers(self) -> None:
        base = f"/2010-04-01/Accounts/{self.account}/AvailablePhoneNumbers"
        for code, name, kinds in COUNTRIES:
            self.store.add(
                "available_phone_number_countries",
                self.account,
                0,
                country_code=code,
                country=name,
                beta=code == "EE",
                uri=f"{base}/{code}.json",
                subresource_uris={snake(kind): f"{base}/{code}/{kind}.json" for kind in kinds},
            )
            for kind in kinds:
                for _ in range(3):
                    phone = self._phone()
                    self.store.add(
                        f"available_phone_numbers_{snake(kind)}",
                        self.account,
                        0,
                        code,
                        phone_number=phone,
                        friendly_name=phone,
                    )
