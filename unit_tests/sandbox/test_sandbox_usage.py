"""The sandbox's usage is what its rows are billed for."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from sandbox import Sandbox

OWN = {"IncludeSubaccounts": "false"}


def test_categories_add_up(sandbox: Sandbox) -> None:
    """On each day the parts of a category make up the category, and these the total price."""
    for account in sandbox.accounts:
        prices: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
        for row in sandbox.rows("usage_records", account.sid, OWN):
            prices[row["start_date"]][row["category"]] = Decimal(row["price"])
        assert prices
        for day in prices.values():
            total = day.pop("totalprice")
            assert total == sum(price for name, price in day.items() if "-" not in name)
            for name in ("sms", "mms", "calls"):
                parts = [price for part, price in day.items() if part.startswith(f"{name}-")]
                assert sum(parts) == day.get(name, 0)


def test_prices_are_those_of_the_rows(sandbox: Sandbox) -> None:
    """What is billed in all is what the rows say, their storage aside."""
    for account in sandbox.accounts:
        rows = [
            row
            for stream in ("messages", "calls", "recordings")
            for row in sandbox.rows(stream, account.sid, {"IncludeSoftDeleted": "true"})
        ]
        billed = [
            Decimal(row["price"])
            for row in sandbox.rows("usage_records", account.sid, OWN)
            if row["category"] in ("sms", "mms", "calls", "recordings")
        ]
        assert sum(billed) == -sum(Decimal(row["price"] or 0) for row in rows)


def test_as_many_as_asked_for() -> None:
    """A number of rows repeats the year before, or is the newest of them."""
    with Sandbox(scale=0.02, counts={"usage_records": 1500}) as twilio:
        rows = twilio.rows("usage_records", twilio.accounts[0].sid, OWN)
        assert len({(row["category"], row["start_date"]) for row in rows}) == 1500
    with Sandbox(scale=0.02, counts={"usage_records": 7}) as twilio:
        assert len(twilio.rows("usage_records", twilio.accounts[0].sid, OWN)) == 7
