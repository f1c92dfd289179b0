"""The completeness test: `make soak`.

Twilio (the sandbox) lives through a random but seeded history: rows appear, change and vanish, the
clock moves on, an account is refused for a while, requests fail, the connector is killed. After
each step the connector syncs, from the state that a platform would have kept, and what it emitted
is merged by primary key as a warehouse would. In the end the warehouse must hold every row that
Twilio shows, as Twilio shows it, and nothing else: missing, stale and invented must be 0.

Messages, calls and recordings change for `--settle-days`, 14 by default; other rows within the
lookback of the connector. Two kinds change later too, as at Twilio: a conference ends at any age,
and a scheduled message is sent or canceled weeks after its creation.

`--bugs` puts known bugs of other connectors back, one at a time, and says which of them it catches.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

from sandbox import Sandbox
from sandbox.server import Faults
from tools.known_bugs import BUGS, Bug

PACKAGE = Path(__file__).parents[1] / "source_twilio"
LOOKBACK = timedelta(days=2)
# How many days ahead messages are scheduled: mostly more than the lookback. Twilio allows 35.
SCHEDULED_DAYS = (1, 3, 5, 10, 20, 35)
START = datetime(2026, 3, 1, tzinfo=timezone.utc)
COUNTS = {
    **dict.fromkeys(("messages", "calls", "recordings", "alerts"), 120),
    **{"usage_records": 60, "conferences": 30},
}
# Moves the child's clock to the sandbox's, and lets it wait for nothing.
CHILD = """
import sys, time
from datetime import datetime, timezone
import time_machine
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.01))
now = datetime.fromtimestamp(float(sys.argv.pop(1)), timezone.utc)
time_machine.travel(now, tick=True).start()
from source_twilio.run import run
run()
"""

Row = dict[str, Any]
Key = tuple[Any, ...]


@dataclass
class Report:
    """What a soak did and found."""

    syncs: int = 0
    records: int = 0
    kills: int = 0
    faults: int = 0
    missing: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    state_bytes: int = 0

    @property
    def wrong(self) -> int:
        """The number of rows that are missing, stale or invented."""
        return len(self.missing) + len(self.stale) + len(self.invented)

    def __str__(self) -> str:
        """Return the figures in one line."""
        return (
            f"{self.syncs} syncs, {self.records:,} records, {self.kills} kills, {self.faults} "
            f"faults: {len(self.missing)} missing, {len(self.stale)} stale, {len(self.invented)} "
            f"invented; largest state {self.state_bytes} bytes per account"
        )


@dataclass
class Stream:
    """A stream of the catalog."""

    name: str
    catalog: Row
    key: list[str]
    dates: set[str]
    numbers: set[str]

    @property
    def incremental(self) -> bool:
        """Whether the warehouse keeps what earlier syncs brought."""
        return bool(self.catalog["sync_mode"] == "incremental")

    def comparable(self, row: Mapping[str, Any]) -> Row:
        """Return a row of either side with equal types, without nulls and volatile fields."""
        return {
            name: self._value(name, value)
            for name, value in row.items()
            if value is not None and value != "" and name not in VOLATILE
        }

    def _value(self, name: str, value: Any) -> Any:
        if name in self.dates:
            moment = (
                parsedate_to_datetime(value) if "," in value else datetime.fromisoformat(value[:19])
            )
            return moment.replace(tzinfo=None)
        return Decimal(str(value)) if name in self.numbers else value


# Computed for each request, a secret, and what the connector adds to rows that lack it.
VOLATILE = {"as_of", "auth_token", "country_code", "address_sid"}


@dataclass
class Warehouse:
    """Merges what the connector emits, by primary key, and keeps its state."""

    streams: dict[str, Stream]
    tables: dict[str, dict[Key, Row]] = field(default_factory=dict)
    states: dict[str, Row] = field(default_factory=dict)

    def merge(self, messages: Iterator[Row], complete: bool) -> int:
        """Take the output of a sync; of one that was killed only what a state vouches for."""
        pending: dict[str, list[Row]] = {}
        count = 0
        for message in messages:
            if message["type"] == "RECORD":
                record = message["record"]
                pending.setdefault(record["stream"], []).append(record["data"])
                count += 1
            elif message["type"] == "STATE":
                name = message["state"]["stream"]["stream_descriptor"]["name"]
                if self.streams[name].incremental:
                    self._commit(name, pending.pop(name, []))
                    self.states[name] = message["state"]["stream"]["stream_state"]
        if complete:
            for name, stream in self.streams.items():
                if not stream.incremental:
                    self.tables[name] = {}
                self._commit(name, pending.pop(name, []))
        return count

    def _commit(self, name: str, rows: list[Row]) -> None:
        key = self.streams[name].key
        self.tables.setdefault(name, {}).update({tuple(row[k] for k in key): row for row in rows})

    def state_file(self) -> list[Row]:
        """Return the state as a platform hands it to `read`."""
        return [
            {
                "type": "STREAM",
                "stream": {"stream_descriptor": {"name": name}, "stream_state": state},
            }
            for name, state in self.states.items()
        ]


class Holder(NamedTuple):
    """Whose credentials the connector has, with which settings, and what these show (BEHAVIOR 26).

    Accounts are given as slices of all that there are, the main one first.
    """

    name: str
    config: Callable[[Sandbox], Row]
    reads: slice = slice(None)
    # Of the stream accounts; None where the list is refused, and the SID is all that is known.
    lists: slice | None = slice(None)
    alerts: slice | None = None
    # Streams that are refused.
    blind: frozenset[str] = frozenset()
    sandbox: Mapping[str, Any] = {}


def key(kind: Any, *streams: str) -> Callable[[Sandbox], Row]:
    """Return a configuration of the main account with an API key."""

    def config(twilio: Sandbox) -> Row:
        made = twilio.key(twilio.accounts[0].sid, kind, streams)
        secret = {"api_key_sid": made.sid, "api_key_secret": made.secret}
        given = {k: v for k, v in twilio.config.items() if k != "auth_token"}
        return {**given, "credentials": {"auth_type": "api_key", **secret}}

    return config


def token(number: int = 0, **settings: Any) -> Callable[[Sandbox], Row]:
    """Return a configuration with the token of an account, the main one being 0."""

    def config(twilio: Sandbox) -> Row:
        account = twilio.accounts[number]
        pair = {"account_sid": account.sid, "auth_token": account.auth_token}
        return {**twilio.config, **pair, **settings}

    return config


def listed(twilio: Sandbox) -> Row:
    """Return a configuration of two subaccounts out of all."""
    chosen = [account.sid for account in twilio.accounts[1:3]]
    return {**twilio.config, "account_selection": "listed", "account_sids": chosen}


OWN, SECOND, LISTED = slice(0, 1), slice(1, 2), slice(1, 3)
GRANTED = ("calls", "messages", "message_media")
STREAMS = frozenset(path.stem for path in (PACKAGE / "schemas").iterdir())
HOLDERS = [
    Holder("Auth Token", token()),
    Holder(
        "Main key that opens subaccounts", key("main"), sandbox={"main_keys_open": "subaccounts"}
    ),
    # What Twilio tells of the subaccounts' tokens it tells every holder of the list.
    Holder("Main key that does not", key("main"), OWN, alerts=slice(None)),
    Holder("Standard key", key("standard"), OWN, None, blind=frozenset({"keys"})),
    Holder(
        *("Restricted key for calls and messages", key("restricted", *GRANTED), OWN, None),
        blind=STREAMS - {"accounts", *GRANTED},
    ),
    Holder("Auth Token of a subaccount", token(1), SECOND, SECOND),
    Holder(
        *("Auth Token in ie1", token(region="ie1")),
        sandbox={"region": "ie1", "links_host": "monitor.twilio.com"},
    ),
    Holder("Auth Token, two accounts listed", listed, LISTED, LISTED),
]


@dataclass
class History:
    """What happens at Twilio between two syncs."""

    twilio: Sandbox
    dice: random.Random
    holder: Holder
    # How long rows still change; 0 is as long as the lookback.
    settle_days: int = 14
    # When a scheduled message is due, by SID.
    due: dict[str, datetime] = field(default_factory=dict)
    ever: dict[str, set[Key]] = field(default_factory=dict)
    refused: str = ""
    refused_steps: int = 0

    def step(self) -> None:
        """Let some time pass, with rows that appear, change and vanish in it."""
        for _ in range(self.dice.randint(3, 12)):
            self.twilio.advance(timedelta(minutes=self.dice.choice([1, 7, 40, 180])))
            self._finish_scheduled()
            self._create(self.dice.choice(["messages", "calls", "recordings", "alerts"]))
            if self.dice.random() < 0.5:
                self._create("conferences")
            for stream in ("messages", "calls", "recordings", "conferences", "usage_records"):
                if self.dice.random() < 0.5:
                    self._change(stream)
        if self.dice.random() < 0.2:
            # The platform pauses for some days.
            self.twilio.advance(timedelta(days=self.dice.randint(1, 4)))
        if self.dice.random() < 0.2:
            self._delete()
        if self.dice.random() < 0.3:
            self._rotate()
        if self.dice.random() < 0.1:
            self.twilio.add("accounts", self.twilio.accounts[0].sid)
        self._refuse()

    @property
    def _readable(self) -> list[str]:
        return [a.sid for a in self.twilio.accounts if a.status != "closed"]

    def _create(self, stream: str) -> None:
        account = self.dice.choice(self._readable)
        fields: Row = {}
        if stream == "messages" and self.dice.random() < 0.5:
            fields = {"status": "scheduled", "date_sent": None, "price": None}
        elif stream == "messages" and self.dice.random() < 0.5:
            fields = {"num_media": "1"}
        elif stream == "calls":
            status = self.dice.choice(["queued", "in-progress", "completed", "busy", "failed"])
            fields = {"status": status}
            if status in ("queued", "failed"):
                fields |= {"start_time": None, "end_time": None}
            elif status == "in-progress":
                fields |= {"end_time": None, "duration": None, "price": None}
        elif stream == "conferences":
            live: Row = {"reason_conference_ended": None, "call_sid_ending_conference": None}
            fields = {"status": self.dice.choice(["init", "in-progress", "in-progress"]), **live}
        elif stream == "alerts":
            late = timedelta(minutes=self.dice.randint(0, 90))
            fields = {"date_generated": self.twilio.now() - late}
        row = self.twilio.add(stream, account, **fields)
        if fields.get("status") == "scheduled":
            days = self.dice.choice(SCHEDULED_DAYS)
            self.due[row["sid"]] = self.twilio.now() + timedelta(days=days)
        if fields.get("num_media") == "1":
            self.twilio.add("message_media", account, parent=row["sid"], parent_sid=row["sid"])

    def _finish_scheduled(self) -> None:
        """Send or cancel the scheduled messages that are due; only what was sent gets a date."""
        now = self.twilio.now()
        for sid in [sid for sid, when in self.due.items() if when <= now]:
            del self.due[sid]
            sent: Row = {"status": "delivered", "date_sent": now, "price": "-0.00790"}
            failed: Row = {"status": "failed", "error_code": 30007}
            ends = (sent, failed, {"status": "canceled"})
            self.twilio.update("messages", sid, **self.dice.choice(ends))

    def _change(self, stream: str) -> None:
        """Change a row that has not settled yet; a conference that goes on, at any age."""
        account = self.dice.choice(self._readable)
        now = self.twilio.now()
        rows = self.twilio.rows(stream, account, {"IncludeSoftDeleted": "true"} | NO_CHILDREN)
        if stream == "usage_records":
            since = (now - LOOKBACK + timedelta(days=1)).strftime("%Y-%m-%d")
            rows = [row for row in rows if row["start_date"] >= since]
        elif stream == "conferences":
            rows = [row for row in rows if row["status"] != "completed"]
        else:
            age = timedelta(days=self.settle_days) or LOOKBACK
            rows = [r for r in rows if now - parsedate_to_datetime(r["date_created"]) < age]
            rows = [row for row in rows if row["sid"] not in self.due]
        if not rows:
            return
        row = self.dice.choice(rows)
        if stream == "usage_records":
            key = f"{row['category']}:{row['start_date']}"
            if len([a for a in self._readable if self._has_usage(a, row)]) == 1:
                self.twilio.update(stream, key, count=str(self.dice.randint(1, 999)))
            return
        self.twilio.update(stream, row["sid"], **self._change_of(stream, row))

    def _has_usage(self, account: str, row: Row) -> bool:
        rows = self.twilio.rows("usage_records", account, NO_CHILDREN)
        return any(
            (r["category"], r["start_date"]) == (row["category"], row["start_date"]) for r in rows
        )

    def _change_of(self, stream: str, row: Row) -> Row:
        now = self.twilio.now()
        price = f"-0.{self.dice.randint(1, 99999):05}"
        if stream == "messages":
            sent = {"date_sent": now} if row["date_sent"] is None else {}
            return {"status": "delivered", "price": price, **sent}
        if stream == "calls":
            started = {"start_time": now} if row["start_time"] is None else {}
            # An end that was known stays; what it is billed for does not.
            ended = {"end_time": now} if row["end_time"] is None else {}
            billed = {"duration": str(self.dice.randint(1, 999)), "price": price}
            return {"status": "completed", **billed, **started, **ended}
        if stream == "conferences":
            if row["status"] == "init":
                return {"status": "in-progress"}
            return {"status": "completed", "reason_conference_ended": "last-participant-left"}
        status = self.dice.choice(["completed", "deleted"])
        return {"status": status, "price": price, "duration": str(self.dice.randint(1, 999))}

    def _delete(self) -> None:
        account = self.dice.choice(self._readable)
        rows = self.twilio.rows("messages", account)
        if rows:
            sid = self.dice.choice(rows)["sid"]
            self.twilio.delete("messages", sid)
            self.due.pop(sid, None)

    def _rotate(self) -> None:
        """Give a subaccount another token, unless the connector is configured with that."""
        account = self.dice.choice(self.twilio.accounts[2:])
        self.twilio.update("accounts", account.sid, auth_token=f"{self.dice.getrandbits(128):032x}")

    def _refuse(self) -> None:
        """Refuse a subaccount, for longer than the lookback, or show it again."""
        if self.refused:
            self.twilio.advance(timedelta(days=1))
            self.refused_steps += 1
            if self.refused_steps > LOOKBACK.days + 1:
                self.twilio.restrict(self.refused, None)
                self.refused = ""
        elif self.dice.random() < 0.4:
            self.refused, self.refused_steps = self._readable[-1], 0
            self.twilio.restrict(self.refused, self.dice.choice([401, 403, 404]))

    def remember(self, streams: Mapping[str, Stream]) -> None:
        """Note which rows exist now: a warehouse may keep those that vanish later."""
        for stream in streams.values():
            keys = self.ever.setdefault(stream.name, set())
            keys.update(identity(stream, row) for row in self.truth(stream))

    def truth(self, stream: Stream) -> list[Row]:
        """Return what Twilio shows of a stream in all accounts that it does not refuse."""
        holder = self.holder
        if stream.name == "accounts":
            rows = self.twilio.rows("accounts", self.twilio.accounts[0].sid)
            order = [account.sid for account in self.twilio.accounts]
            if holder.lists is None:
                return [{"sid": order[0]}]
            return [row for row in rows if row["sid"] in order[holder.lists]]
        chosen = holder.alerts or holder.reads if stream.name == "alerts" else holder.reads
        accounts = [] if stream.name in holder.blind else self.twilio.accounts[chosen]
        query = {"IncludeSoftDeleted": "true"} if stream.name == "recordings" else {}
        query |= NO_CHILDREN if stream.name == "usage_records" else {}
        owned = "account_sid" in stream.catalog["stream"]["json_schema"]["properties"]
        return [
            {**({"account_sid": account} if owned else {}), **row}
            for account in [a.sid for a in accounts if a.status != "closed"]
            for row in self.twilio.rows(stream.name, account, query)
        ]


NO_CHILDREN = {"IncludeSubaccounts": "false"}


# What identifies a row at Twilio, whatever the connector declares; elsewhere it is the SID. An
# address is not part of the numbers that depend on it.
NUMBER = ("account_sid", "iso_country", "phone_number")
IDENTITY = {
    **{f"available_phone_numbers_{kind}": NUMBER for kind in ("local", "mobile", "toll_free")},
    "available_phone_number_countries": ("account_sid", "country_code"),
    "conference_participants": ("conference_sid", "call_sid"),
    "usage_records": ("account_sid", "category", "start_date"),
}


def identity(stream: Stream, row: Mapping[str, Any]) -> Key:
    """Return what tells a row from all others of its stream."""
    return tuple(row.get(name) for name in IDENTITY.get(stream.name, ("sid",)))


class Reading(NamedTuple):
    """How Twilio reads filters where it does not say (BEHAVIOR 1, 6), and what it has rolled out.

    The fields are settings of the sandbox, which explains them.
    """

    upper_bound: str
    null_dates: str
    time_of_day: bool
    conferences_without_status: str
    conference_dates: str


# The dates of conferences are days and never null, so their two readings need no histories of their
# own. The first history has the strictest readings, the last the laxest.
READINGS = [
    Reading(upper_bound, null_dates, time_of_day, without_status, conference_dates)
    for upper_bound in ("exclusive", "inclusive")
    for null_dates, without_status in (("hidden", "in-progress"), ("shown", "all"))
    for time_of_day, conference_dates in ((True, "combined"), (False, "ignored"))
]


@dataclass
class Soak:
    """One history from an empty warehouse to the comparison."""

    seed: int
    syncs: int
    # How this Twilio reads date filters: what is documented of it allows all of these.
    reading: Reading
    holder: Holder = HOLDERS[0]
    bug: Bug | None = None
    kill_share: float = 0.3
    settle_days: int = 14
    report: Report = field(default_factory=Report)

    def run(self) -> Report:
        """Live through the history and compare."""
        dice = random.Random(self.seed)
        with tempfile.TemporaryDirectory() as name, self._sandbox() as twilio:
            self.folder = Path(name)
            self._copy_package()
            self.environment = {
                **os.environ,
                **twilio.environment,
                "PYTHONPATH": str(self.folder),
                "TMPDIR": name,
            }
            lookback = int(LOOKBACK.total_seconds() // 60)
            config = {**self.holder.config(twilio), "lookback_window": lookback}
            (self.folder / "config.json").write_text(json.dumps(config))
            streams = self._discover(twilio)
            warehouse = Warehouse(streams)
            history = History(twilio, dice, self.holder, self.settle_days)
            for number in range(self.syncs):
                last = number == self.syncs - 1
                history.step()
                if last:
                    # The first sync of a day follows messages that were scheduled (BEHAVIOR 6).
                    twilio.advance(timedelta(days=1))
                if last and history.refused:
                    twilio.restrict(history.refused, None)
                history.remember(streams)
                faulty = number == 0 or (not last and dice.random() < 0.5)
                twilio.faults = faults(number) if faulty else None
                before = len(twilio.requests)
                killed_after = (
                    dice.randint(1, 900) if not last and dice.random() < self.kill_share else None
                )
                self._sync(twilio, warehouse, killed_after)
                self.report.faults += sum(
                    r.status not in (200, 401, 403, 404) for r in twilio.requests[before:]
                )
            self._compare(warehouse, history)
        return self.report

    def _sandbox(self) -> Sandbox:
        return Sandbox(
            seed=self.seed,
            counts=COUNTS,
            scale=0.02,
            clock=START,
            page_size_max=20,
            retry_after=0,
            **self.reading._asdict(),
            **self.holder.sandbox,
        )

    def _copy_package(self) -> None:
        shutil.copytree(PACKAGE, self.folder / "source_twilio")
        if self.bug:
            self.bug.put_back(self.folder / "source_twilio")

    def _child(self, twilio: Sandbox, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, str(twilio.now().timestamp()), *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _discover(self, twilio: Sandbox) -> dict[str, Stream]:
        output, _ = self._child(twilio, "discover", "--config", "config.json").communicate()
        [catalog] = [m["catalog"] for m in messages(output) if m["type"] == "CATALOG"]
        streams = {}
        for stream in catalog["streams"]:
            properties = stream["json_schema"]["properties"]
            mode = (
                "incremental" if "incremental" in stream["supported_sync_modes"] else "full_refresh"
            )
            streams[stream["name"]] = Stream(
                stream["name"],
                {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append_dedup"},
                [path[0] for path in stream["source_defined_primary_key"]],
                {n for n, p in properties.items() if p.get("format") == "date-time"},
                {n for n, p in properties.items() if {"number", "integer"} & set(p["type"])},
            )
        configured = {"streams": [stream.catalog for stream in streams.values()]}
        (self.folder / "catalog.json").write_text(json.dumps(configured))
        return streams

    def _sync(self, twilio: Sandbox, warehouse: Warehouse, killed_after: int | None) -> None:
        """Run `read` once; with `killed_after` kill it after so many lines of output."""
        (self.folder / "state.json").write_text(json.dumps(warehouse.state_file()))
        child = self._child(
            twilio,
            *("read", "--config", "config.json", "--catalog", "catalog.json"),
            *("--state", "state.json"),
        )
        assert child.stdout is not None
        lines, killed = [], False
        with child:
            for line in child.stdout:
                lines.append(line)
                if len(lines) == killed_after:
                    child.send_signal(signal.SIGKILL)
                    killed = True
        self.report.syncs += 1
        self.report.kills += killed
        # A line cut short by the kill is not a message.
        whole = b"".join(line for line in lines if line.endswith(b"\n"))
        self.report.records += warehouse.merge(messages(whole), not killed)
        for state in warehouse.states.values():
            # A stream may have several partitions for each account.
            accounts = {part["partition"].get("account_sid") for part in state.get("states", [])}
            size = len(json.dumps(state)) // max(1, len(accounts))
            self.report.state_bytes = max(self.report.state_bytes, size)

    def _compare(self, warehouse: Warehouse, history: History) -> None:
        for stream in warehouse.streams.values():
            table = warehouse.tables.get(stream.name, {})
            found = {identity(stream, row): row for row in table.values()}
            expected = {identity(stream, row): row for row in history.truth(stream)}
            if stream.name == "alerts":
                since = (history.twilio.now() - timedelta(days=29)).strftime("%Y-%m-%d")
                expected = {k: r for k, r in expected.items() if r["date_generated"] >= since}
            for k, row in expected.items():
                if k not in found:
                    self.report.missing.append(f"{stream.name} {k}")
                elif stream.comparable(found[k]) != stream.comparable(row):
                    self.report.stale.append(f"{stream.name} {k}")
            self.report.invented += [
                f"{stream.name} {k}" for k in found if k not in history.ever[stream.name]
            ]
            leaked = [k for k, row in found.items() if "auth_token" in row]
            self.report.invented += [f"{stream.name} {k} auth_token" for k in leaked]


def faults(seed: int) -> Faults:
    """Return every kind of failure that passes, each in one request of twenty."""
    return Faults(
        seed=seed,
        retry_after="mixed",
        **dict.fromkeys(FAULTS, 0.05),  # type: ignore[arg-type]
    )


FAULTS = ("rate_429", "rate_500", "rate_503_html", "reset", "cut", "truncate")


def messages(output: bytes) -> Iterator[Row]:
    """Yield the Airbyte messages of a command's output."""
    for line in output.split(b"\n"):
        if line.startswith(b"{"):
            yield json.loads(line)


def main() -> int:
    """Run a history for each reading of the date filters and kind of credentials, or each bug."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--syncs", type=int, default=25, help="per history")
    parser.add_argument("--kill-share", type=float, default=0.3, help="of the syncs")
    parser.add_argument(
        "--settle-days", type=int, default=14, help="how long rows change; 0 is the lookback"
    )
    parser.add_argument("--bugs", action="store_true", help="put the known bugs back, one by one")
    options = parser.parse_args()
    if options.bugs:
        return sum(missed(bug, options.seed, options.syncs) for bug in BUGS)
    wrong = 0
    for number, (reading, holder) in enumerate(zip(READINGS, HOLDERS, strict=True)):
        seed = options.seed + number
        soak = Soak(seed, options.syncs, reading, holder, settle_days=options.settle_days)
        soak.kill_share = options.kill_share
        report = soak.run()
        print(f"seed {seed}, {holder.name}, {reading}\n  {report}", flush=True)
        for kind in ("missing", "stale", "invented"):
            for line in getattr(report, kind)[:20]:
                print(f"  {kind}: {line}")
        wrong += report.wrong
    return 1 if wrong else 0


def missed(bug: Bug, seed: int, syncs: int) -> bool:
    """Put a bug back; print which streams show it, and return whether none does.

    A rare one gets a second and a third history.
    """
    for number in range(3):
        report = Soak(seed + number, syncs, READINGS[0], bug=bug).run()
        if report.wrong:
            break
    where = Counter(line.split()[0] for line in report.missing + report.stale + report.invented)
    said = ", ".join(f"{name} {count}" for name, count in where.most_common(4))
    print(f"{'caught' if report.wrong else 'MISSED'}  {bug.name}: {said or '-'}", flush=True)
    return not report.wrong


if __name__ == "__main__":
    sys.exit(main())
