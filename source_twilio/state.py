"""States: the one that a sync begins with, whoever left it, and the one that it leaves."""

import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from math import ceil
from types import SimpleNamespace
from typing import Any, NamedTuple

from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentPerPartitionCursor,
)
from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration
from airbyte_cdk.sources.types import Record, StreamSlice

from source_twilio.config import CLOCK_MARGIN, STARTED_AT, is_of_shard
from source_twilio.session import Session, is_of_product_api, session_for
from source_twilio.timestamps import (
    format_timestamp,
    parse_duration,
    parse_timestamp,
    read_date,
)

DAY = timedelta(days=1)
# A message can be scheduled 35 days ahead. What is not final after a day more will never be (6).
MOST_OPEN_DAYS = 36
# A small state is emitted every few seconds, one of thousands of cursors every ten minutes.
LEAST_STATE_SECONDS, MOST_STATE_SECONDS, CURSORS_PER_SECOND = 2, 600, 20
# Older connectors' cursors: back by the longest that Twilio takes to finalise a record (20).
LEGACY_STEP_BACK = timedelta(days=15)
# What the partitions of this connector's own states hold, and the value of a list (`rows`, ...).
OWN_KEYS = {"account_sid", "parent_slice"}

Cursors = dict[tuple[str, str | None], datetime]


class Asked(NamedTuple):
    """What a sync was asked for, and when it began."""

    region: str
    start_date: str
    began: datetime


@dataclass
class AccountStateMigration(StateMigration):
    """One cursor per account and list, whatever release or connector has left the state (7, 24).

    Why not YAML: LegacyToPerPartitionStateMigration knows one of the formats and leaves keys that
    match no partition. And the CDK starts a partition without state at the newest cursor of all the
    others (`state`): an account that no sync has reached yet would lose its history.
    """

    declarative_stream: Any
    config: Mapping[str, Any]

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Return whether the stream is to be read with a state; its first sync has one too (45)."""
        return "start_date" in self.config and bool(self.declarative_stream.incremental_sync)

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the state in this connector's format."""
        name, values = self._lists()
        entries = self._entries(stream_state)
        former = next(filter(None, map(asked_for, entries)), None)
        if why := self._unusable(stream_state, entries, former):
            session_for(self.config).warn(f"{self.declarative_stream.name}: {why}")
            stream_state, entries = {}, []
        ours = former or any(is_native(entry["partition"], name) for entry in entries)
        cursors: Cursors = {}
        for entry in entries:
            for key, cursor in self._cursors(entry, name, values):
                # Some formats have a partition per message or status: the oldest counts.
                cursors[key] = min(cursor, cursors.get(key, cursor))
        # One cursor for all accounts, as other connectors save it.
        everywhere = None if ours else self._global_cursor(stream_state, entries)
        if everywhere and is_of_product_api(self.declarative_stream.parameters["resource"]):
            # Other connectors read the configured account's rows only (14).
            cursors.setdefault((self.config["account_sid"], None), everywhere)
        migrated = {
            "use_global_cursor": False,
            "states": [
                self._asked(),
                *(
                    {
                        "partition": {
                            **({name: value} if value else {}),
                            "account_sid": account,
                            "parent_slice": {},
                        },
                        "cursor": self._begin(cursor, account, value, former),
                    }
                    for (account, value), cursor in cursors.items()
                ),
            ],
        }
        if not cursors and everywhere:
            migrated |= {"state": self._begin(everywhere, "", None, None), "lookback_window": 0}
        return migrated

    def _entries(self, stream_state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the entries of a state, less those that cannot be read, with a warning."""
        states = stream_state.get("states", [])
        entries = states if isinstance(states, list) else [states]
        found = [entry for entry in entries if is_entry(entry)]
        if unreadable := len(entries) - len(found):
            session_for(self.config).warn(
                f"{self.declarative_stream.name}: {unreadable} of {len(entries)} entries of its "
                "state cannot be read. They are ignored: what they stood for is read from "
                "start_date."
            )
        return found

    def _asked(self) -> dict[str, Any]:
        """Return the entry that says what this sync is asked for (BEHAVIOR 45).

        It is a partition that no account has, so the CDK keeps it as it is.
        """
        began = self.config.get(STARTED_AT) or format_timestamp(datetime.now(timezone.utc))
        return {
            "partition": {
                "region": self._region(),
                "start_date": self.config["start_date"],
                "parent_slice": {},
            },
            "cursor": {self.declarative_stream.incremental_sync.cursor_field: began},
        }

    def _region(self) -> str:
        """Return the region of the settings."""
        return self.config.get("region") or "us1"

    def _unusable(
        self,
        stream_state: Mapping[str, Any],
        entries: list[Mapping[str, Any]],
        former: Asked | None,
    ) -> str:
        """Return why all is read again, or nothing; `former` is what the last sync was asked."""
        stream, region, start = self.declarative_stream, self._region(), self.config["start_date"]
        if not entries and stream_state.get("use_global_cursor"):
            cursor: Any = stream_state.get("state")
            moment = first_moment(cursor)
            # Other connectors name the field or spell the moment otherwise (24).
            if not moment or cursor.get(stream.incremental_sync.cursor_field) == format_timestamp(
                moment
            ):
                return (
                    "its state has one cursor for all accounts, which does not say what was left "
                    "out. Each account is read again from start_date, once (BEHAVIOR 44)."
                )
        if not former or entries[1:] == []:
            return ""
        if former.region != region:
            return (
                f"its state is of region {former.region}, and region is {region}. All is read from "
                f"start_date, once. Clear the stream if its table is not to keep the rows of "
                f"{former.region} (BEHAVIOR 45)."
            )
        shown = format_timestamp(
            datetime.now(timezone.utc) - parse_duration(stream.parameters.get("retention", "P0D"))
        )
        shown = shown if "retention" in stream.parameters else ""
        follows = "start_date" in str(stream.incremental_sync.start_datetime)
        if follows and max(start, shown) < max(former.start_date, shown):
            return (
                f"start_date was {former.start_date}, and is {start}. All is read again from "
                "there, once (BEHAVIOR 45)."
            )
        return ""

    def _lists(self) -> tuple[str, list[str]]:
        """Return the field that tells the lists of an account apart, and its values, if any."""
        router = getattr(self.declarative_stream.retriever, "partition_router", None) or {}
        for slicer in router.get("stream_slicers", []):
            if slicer.get("type") == "ListPartitionRouter":
                return slicer["cursor_field"], slicer["values"]
        return "", []

    def _cursors(
        self, entry: Mapping[str, Any], name: str, values: list[str]
    ) -> Iterator[tuple[tuple[str, str | None], datetime]]:
        """Yield account and list that an entry speaks of, and the cursor that it gives them."""
        partition, cursor = entry["partition"], first_moment(entry.get("cursor"))
        account = re.search(r"AC\w{32}", str(partition))
        # A shard that begins with the state of all accounts forgets those of the others.
        if not account or not cursor or not is_of_shard(account[0], self.config):
            return
        # Ours has cursors of the form that format_timestamp writes.
        if (
            not is_native(partition, name)
            or format_timestamp(cursor) not in entry["cursor"].values()
        ):
            cursor -= LEGACY_STEP_BACK
        if partition.get(name) in values:
            yield (account[0], partition[name]), cursor
            return
        since = self.declarative_stream.parameters.get("lists_since")
        if since and format_timestamp(cursor) > since:
            session_for(self.config).warn(
                f"{self.declarative_stream.name}: earlier releases missed rows since {since} "
                "(BEHAVIOR 32). They are read again from there, once."
            )
            cursor = parse_timestamp(read_date(since) or "")
        lists: list[str | None] = [*values] or [None]
        for value in lists:
            yield (account[0], value), cursor

    def _global_cursor(
        self, stream_state: Mapping[str, Any], entries: list[Mapping[str, Any]]
    ) -> datetime | None:
        """Return the cursor of other connectors that speaks for all accounts."""
        single = [entry["cursor"] for entry in entries if not entry["partition"]]
        for cursor in (stream_state.get("state", stream_state), *single):
            if moment := first_moment(cursor):
                return moment - LEGACY_STEP_BACK
        return None

    def _begin(
        self, cursor: datetime, account: str, value: str | None, former: Asked | None
    ) -> dict[str, str]:
        """Return the cursor that the sync begins with: not after now, and once a day earlier."""
        stream, now = self.declarative_stream, datetime.now(timezone.utc)
        retention = stream.parameters.get("retention")
        if retention and cursor < now - parse_duration(retention):
            about = f" of account {account}" if account else ""
            gap = (
                f"{stream.name}: the last sync{about} reached {format_timestamp(cursor)}, and "
                f"Twilio shows {parse_duration(retention).days} days only: what lies between is no "
                "longer available from Twilio (BEHAVIOR 10)."
            )
            if account:
                # Said when the account has been read: a refused one is none of the user's concern.
                session_for(self.config).gaps[stream.name, account] = gap
            else:
                session_for(self.config).warn(gap)
        begin = self._apply_settling(min(cursor, now), value, former)
        return {stream.incremental_sync.cursor_field: format_timestamp(begin)}

    def _apply_settling(
        self, cursor: datetime, value: str | None, former: Asked | None
    ) -> datetime:
        """Return the cursor, once a day so early that what may have changed is read (BEHAVIOR 20).

        The days are counted from the midnight before the last sync began: what the first sync of
        that day read may have changed since. A cursor that is further behind stays. So one that a
        sync has not moved, or has moved to the end of a window, does not go back twice.
        """
        parameters, config = self.declarative_stream.parameters, self.config
        if value == "undated" and parameters.get("final_statuses"):
            return back_to_open(cursor)
        back = timedelta(days=config.get("settling_days", 14) if parameters.get("settles") else 0)
        if value == "undated" or not self._lists()[1]:
            back = max(back, parse_duration(parameters.get("reread_window", "P0D")))
        back -= timedelta(minutes=config.get("lookback_window", 1440))
        # Other connectors, and releases before, do not say when their last sync began.
        last = former.began if former else cursor + CLOCK_MARGIN
        if last.date() >= datetime.now(timezone.utc).date() or back <= timedelta():
            return cursor
        midnight = last.replace(hour=0, minute=0, second=0, microsecond=0)
        return min(cursor, midnight - back)


def is_entry(entry: Any) -> bool:
    """Return whether a part of a state has a partition and a cursor that can be read."""
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("partition"), Mapping)
        and bool(first_moment(entry.get("cursor")))
    )


def asked_for(entry: Mapping[str, Any]) -> Asked | None:
    """Return what an entry says of the sync that left it, if it is the one that does."""
    partition, began = entry["partition"], first_moment(entry["cursor"])
    region, start_date = partition.get("region"), partition.get("start_date")
    if began and isinstance(region, str) and isinstance(start_date, str):
        return Asked(region, start_date, began)
    return None


def is_native(partition: Mapping[str, Any], name: str) -> bool:
    """Return whether a partition is of this connector, of whatever release."""
    return bool(partition) and set(partition) <= {*OWN_KEYS, name}


def first_moment(cursor: Any) -> datetime | None:
    """Return the first value of a cursor that is a moment of this age."""
    for value in cursor.values() if isinstance(cursor, Mapping) else ():
        if (moment := read_date(value)) and moment > "1970":
            return parse_timestamp(moment)
    return None


# --------------------------------------------------------------------------- states in files


def states(found: Any) -> dict[str, Any]:
    """Return the streams' states in a file, whoever wrote it.

    That is: the messages of the protocol, the connection state as Airbyte's interface shows it, or
    an object with a state per stream, as releases before 0.12 were given.
    """
    tagged = dict(described(found))
    if tagged or not isinstance(found, Mapping):
        return tagged
    return {name: state for name, state in found.items() if isinstance(state, Mapping)}


def described(found: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and state of all objects that have both, however deep they lie."""
    if isinstance(found, Mapping):
        descriptor = found.get("stream_descriptor") or found.get("streamDescriptor")
        if isinstance(descriptor, Mapping) and descriptor.get("name"):
            yield descriptor["name"], found.get("stream_state") or found.get("streamState") or {}
            return
        found = list(found.values())
    if isinstance(found, list):
        for item in found:
            yield from described(item)


# ------------------------------------------------------------------- the cursors of a running sync


class StreamCursor:
    """The CDK's cursors of a stream: one for each list of each account, whatever the number (44).

    They follow the ends of complete windows and not the newest row (BEHAVIOR 5). Nothing happens
    for a stream that is read in full.
    """

    def __init__(self, cursor: Any, stream: str, session: Session) -> None:
        self._cursor = cursor if isinstance(cursor, ConcurrentPerPartitionCursor) else None
        self._stream, self._session = stream, session
        self._forgot = False
        if self._cursor:
            # Above 10,000 the CDK would go on with one for all, and above 25,000 drop the oldest.
            cursor.SWITCH_TO_GLOBAL_LIMIT = cursor.DEFAULT_MAX_PARTITIONS_NUMBER = sys.maxsize
            # The CDK shows it each row.
            self._observe, cursor.observe = cursor.observe, lambda _: None

    def move(self, stream_slice: StreamSlice, end: str = "") -> None:
        """Move the cursor to the end of a slice that has arrived, or to another moment."""
        if self._cursor and "end_time" in stream_slice:
            end = end or read_up_to(stream_slice["end_time"], self._session)
            row = {self._cursor.cursor_field.cursor_field_key: end}
            self._observe(Record(row, self._stream, stream_slice))

    def close(self, window: StreamSlice) -> None:
        """Have the next state say that this window of a slice has arrived.

        The CDK saves what is complete for whole slices only. A slice is all that a sync reads of a
        list, so a first sync that is killed would begin again.
        """
        self.move(window)
        if not self._cursor:
            return
        partition: Any = SimpleNamespace(to_slice=lambda: window)
        with self._cursor._lock:
            key = self._cursor._to_partition_key(window.partition)
            self._cursor._cursor_per_partition[key].close_partition(partition)
        self.emit_state()

    def emit_state(self) -> None:
        """Emit the state if it is due.

        The CDK emits it each ten minutes at most, and when a partition is complete. A kill costs
        what came since, and a platform ends a sync of which it hears nothing for long.
        """
        cursor = self._cursor
        if not cursor:
            return
        with cursor._lock:
            partitions = len(cursor._cursor_per_partition)
            every = min(MOST_STATE_SECONDS, LEAST_STATE_SECONDS + partitions / CURSORS_PER_SECOND)
            if time.time() - max(cursor._last_emission_time, self._session.started_at) >= every:
                cursor._last_emission_time = time.time()
                cursor._emit_state_message(throttle=False)

    def forget_accounts(self) -> None:
        """Drop, once, the cursors of accounts that are not shown any more (BEHAVIOR 46)."""
        cursor, shown = self._cursor, self._session.shown
        if not cursor or not shown or self._forgot:
            return
        self._forgot = True
        with cursor._lock:
            for key in [*cursor._cursor_per_partition]:
                account = cursor._to_dict(key).get("account_sid")
                if account and account not in shown:
                    del cursor._cursor_per_partition[key]


def read_up_to(end: str, session: Session) -> str:
    """Return up to where all has been read: to the end, as far as Twilio's clock has come (5)."""
    answered = first_moment({"Date": session.first_date})
    if not answered:
        return end
    known = format_timestamp(answered - CLOCK_MARGIN)
    ahead = parse_timestamp(end) - parse_timestamp(known)
    if ahead > CLOCK_MARGIN / 2:
        session.warn(
            f"The clock of this machine is {ahead.total_seconds() // 60:.0f} minutes ahead of "
            "Twilio's: cursors follow Twilio's (BEHAVIOR 5)."
        )
    return min(end, known)


# ---------------------------------------------------------------- the cursor of rows without a date
# Its seconds are one more than the days from the midnight before it back to the oldest row that is
# not final (BEHAVIOR 6). So the first sync of a UTC day goes back to that row, and only accounts
# that have such rows pay for it. A cursor without seconds is of an earlier release.


def with_open_days(end: str, start: str, oldest: str | None) -> str:
    """Return the cursor of a complete read from `start` to `end`, as `2026-01-15T11:00:01Z`.

    `oldest` is when the oldest row that is not final was made, "" if that is not known, None if
    there is no such row. Older ones are those that the cursor said with which the read began.
    """
    cursor = parse_timestamp(end)
    days = parse_timestamp(start).second - 1
    days = days if 0 <= days <= MOST_OPEN_DAYS else 0
    if oldest is not None:
        age = midnight_before(cursor) - parse_timestamp(oldest) if oldest else MOST_OPEN_DAYS * DAY
        if age <= MOST_OPEN_DAYS * DAY:
            days = max(days, 1, ceil(age / DAY))
    return format_timestamp(cursor.replace(second=1 + days))


def back_to_open(cursor: datetime) -> datetime:
    """Return the cursor that a sync begins with: the first of a day goes back to the open rows."""
    midnight = midnight_before(cursor)
    days = cursor.second - 1 if 0 < cursor.second <= 1 + MOST_OPEN_DAYS else MOST_OPEN_DAYS
    if midnight.date() >= datetime.now(timezone.utc).date():
        return cursor.replace(second=1 + days)
    # It is a day further back at least than those rows, so no later sync has to go back for them.
    return min(cursor, midnight - days * DAY).replace(second=1) if days else cursor


def midnight_before(cursor: datetime) -> datetime:
    """Return the midnight before the beginning of the sync whose complete read left a cursor."""
    return (cursor + CLOCK_MARGIN).replace(hour=0, minute=0, second=0, microsecond=0)
