"""The data set: rows as Twilio's wire sends them, kept per list, with a year of them to start from.

`rows.json` holds a row as a pattern for some lists, and `year.py` what overrides fields of it. The
other lists have generated rows, which are made when a list is first asked for.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from sandbox.endpoints import STREAMS
from sandbox.generated import ROWS, WITH_CHILDREN, GeneratedRow
from sandbox.streams import STREAMS as DECLARED
from sandbox.tables import Row, Table
from sandbox.wire import DAY, Wire, day_of, rfc2822, snake
from sandbox.wire import seconds_of as seconds_of

# Stands for "now" in usage rows, which are serialised once but restated at each read.
AS_OF = "{as_of}"

# Name, status, and how much it holds: a share of the long lists, or rows by stream (a list that is
# not named is then as short as lists get).
AccountSpec = tuple[str, str, float | Mapping[str, int]]
ACCOUNTS: Sequence[AccountSpec] = (
    ("Northwind", "active", 1.0),
    ("Northwind Retail", "active", 0.5),
    ("Northwind Field", "active", 0.02),
    ("Northwind Test", "active", 0.02),
    ("Northwind Paused", "suspended", 0.02),
    ("Northwind Closed", "closed", 0.02),
)
USAGE_LINKS = ("AllTime", "Daily", "LastMonth", "Monthly", "ThisMonth", "Today", "Yearly")


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


class Store:
    """All lists of all accounts."""

    def __init__(self, seed: int, now: int) -> None:
        """Start empty; the data set begins a year before the midnight before `now`."""
        self.seed = seed
        self.rng = random.Random(seed)
        self.tables: defaultdict[tuple[str, str, str], Table] = defaultdict(Table)
        # The same by stream and account, then by parent: there are a hundred lists an account.
        self._lists: defaultdict[tuple[str, str], dict[str, Table]] = defaultdict(dict)
        # By account of the data set: the rows of its lists, by stream.
        self.counts: dict[str, Mapping[str, int]] = {}
        self._generated: set[tuple[str, str]] = set()
        self._sequence = 0
        self._sums: tuple[tuple[int, ...], Table] = ((), Table())
        self.end = now - now % DAY
        self.start = self.end - 365 * DAY
        self.main = self.sid("AC")

    @property
    def accounts(self) -> dict[str, Row]:
        """All accounts by SID, the main one first."""
        return self.tables["accounts", self.main, ""].rows

    def add(self, stream: str, account: str, created: int, parent: str = "", **fields: Any) -> Row:
        """Add a row created at a time; other fields follow the stream's pattern."""
        if stream not in PATTERNS:
            self._generate(stream, account)
            return self._make(stream, account, created, parent, self.rng, fields)
        hexadecimal = f"{self.rng.getrandbits(128):032x}"
        prefix, pattern = PATTERNS[stream]
        sid = fields.get("sid") or prefix + hexadecimal
        date, day = rfc2822(created), day_of(created // DAY)[1]
        base, iso = "/2010-04-01/Accounts/" + account, f"{day}T{date[17:25]}Z"
        values = {"account": account, "base": base, "sid": sid, "hex": hexadecimal}
        values |= {"parent": parent, "date": date, "day": day, "iso": iso}
        # A token that is not in the SID, and deterministic.
        values["token"] = hexadecimal[::-1]
        wire: Wire = orjson.loads(pattern % values)
        wire.update(fields)
        if stream == "usage_records":
            _link_usage(wire)
        row = self._put(stream, account, created, parent, wire)
        if stream == "accounts" and sid != account:
            # A subaccount lists itself only.
            self.tables[stream, sid, ""].rows[row.key] = row
        return row

    def table(self, stream: str, account: str, parent: str = "") -> Table:
        """Return a list; without a row it is empty."""
        self._generate(stream, account)
        return self.tables.get((stream, account, parent)) or Table()

    def tables_with(self, stream: str, key: str) -> Iterator[Table]:
        """Yield the lists of a stream that have a row, and invalidate their caches."""
        for account in self.counts:
            self._generate(stream, account)
        for (name, _, _), table in list(self.tables.items()):
            if name == stream and key in table.rows:
                yield table
                table.invalidate()

    def _put(self, stream: str, account: str, created: int, parent: str, wire: Wire) -> Row:
        """Add a row to its list."""
        self._sequence += 1
        key = key_of(stream, wire)
        row = Row(key, wire, -(created << 32) - self._sequence)
        table = self._lists[stream, account][parent] = self.tables[stream, account, parent]
        table.rows[key] = row
        table.invalidate()
        return row

    def _generate(self, stream: str, account: str) -> None:
        """Generate the rows of a list without a pattern, once for each account."""
        key = stream, account
        if stream in PATTERNS or account not in self.counts or key in self._generated:
            return
        self._generated.add(key)
        rng = random.Random(f"{self.seed} {stream} {account}")
        default = ROWS if STREAMS[stream].row_key else 1
        count = self.counts[account].get(stream, default)
        step = self._days(stream) * DAY / max(count, 1)
        for parent in self._parents(STREAMS[stream].parent, account):
            for number in range(count):
                created = self.end - int((number + rng.random()) * step) - 601
                self._make(stream, account, created, parent, rng, {})

    def _make(
        self, stream: str, account: str, created: int, parent: str, rng: random.Random, given: Wire
    ) -> Row:
        """Add a generated row, with a key that no other row of the list has."""
        endpoint, rows = STREAMS[stream], self.tables[stream, account, parent].rows
        above: Wire = {}
        item: Wire = {}
        if parent:
            item = self._item(endpoint.parent, account, parent)
            above = {name: item.get(name) for name in endpoint.path_fields[:-1]}
            above[endpoint.path_fields[-1]] = parent
        if stream == "conversation_configuration":
            above["default_chat_service_sid"] = (
                self.table("services", account).newest_first()[0].key
            )
        for _ in range(20):
            generated = GeneratedRow(endpoint, account, created, rng)
            wire = generated.wire(above) | generated.required_fields(item, not rows) | given
            if given or key_of(stream, wire) not in rows:
                break
        return self._put(stream, account, created, parent, wire)

    def _parents(self, stream: str, account: str) -> list[str]:
        """Return the keys of the first items of a list; the others have no child lists."""
        if not stream:
            return [""]
        self._generate(stream, account)
        tables = self._lists[stream, account].values()
        return [row.key for table in tables for row in table.newest_first()[:WITH_CHILDREN]]

    def _item(self, stream: str, account: str, key: str) -> Wire:
        """Return an item of a list."""
        for table in self._lists[stream, account].values():
            if key in table.rows:
                return table.rows[key].wire
        raise KeyError(f"{stream}: {key}")

    def _days(self, stream: str) -> int:
        """Return the number of days over which the rows of a list are spread: its retention."""
        kept = DECLARED[stream].parameters.get("retention", "") if stream in DECLARED else ""
        return min(365, int(kept[1:-1])) if kept.endswith("D") else 365

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

    def sid(self, prefix: str) -> str:
        """Return a new SID."""
        return f"{prefix}{self.rng.getrandbits(128):032x}"


def key_of(stream: str, wire: Wire) -> str:
    """Return the key of a row in its list."""
    return ":".join(str(wire[name]) for name in STREAMS[stream].row_key) or stream


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
