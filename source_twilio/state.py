"""The state that a sync begins with: of this release, of earlier ones, and of other connectors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration

from source_twilio.dates import days, from_text, read_date, to_text
from source_twilio.memory import known
from source_twilio.pages import is_of_product_api
from source_twilio.settings import BEGAN, is_of_shard
from source_twilio.undated import CLOCK_MARGIN, back_to_open

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
            known(self.config).warn(f"{self.declarative_stream.name}: {why}")
            stream_state, entries = {}, []
        ours = former or any(is_ours(entry["partition"], name) for entry in entries)
        cursors: Cursors = {}
        for entry in entries:
            for key, cursor in self._cursors(entry, name, values):
                # Some formats have a partition per message or status: the oldest counts.
                cursors[key] = min(cursor, cursors.get(key, cursor))
        # One cursor for all accounts, as other connectors save it.
        everywhere = None if ours else self._everywhere(stream_state, entries)
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
        if wrong := len(entries) - len(found):
            known(self.config).warn(
                f"{self.declarative_stream.name}: {wrong} of {len(entries)} entries of its state "
                "cannot be read. They are ignored: what they stood for is read from start_date."
            )
        return found

    def _asked(self) -> dict[str, Any]:
        """Return the entry that says what this sync is asked for (BEHAVIOR 45).

        It is a partition that no account has, so the CDK keeps it as it is.
        """
        began = self.config.get(BEGAN) or to_text(datetime.now(timezone.utc))
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
            if not moment or cursor.get(stream.incremental_sync.cursor_field) == to_text(moment):
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
        shown = to_text(datetime.now(timezone.utc) - days(stream.parameters.get("kept_for", "P0D")))
        shown = shown if "kept_for" in stream.parameters else ""
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
        # Ours has cursors of the form that to_text writes.
        if not is_ours(partition, name) or to_text(cursor) not in entry["cursor"].values():
            cursor -= LEGACY_STEP_BACK
        if partition.get(name) in values:
            yield (account[0], partition[name]), cursor
            return
        since = self.declarative_stream.parameters.get("lists_since")
        if since and to_text(cursor) > since:
            known(self.config).warn(
                f"{self.declarative_stream.name}: earlier releases missed rows since {since} "
                "(BEHAVIOR 32). They are read again from there, once."
            )
            cursor = from_text(read_date(since) or "")
        lists: list[str | None] = [*values] or [None]
        for value in lists:
            yield (account[0], value), cursor

    def _everywhere(
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
        kept_for = stream.parameters.get("kept_for")
        if kept_for and cursor < now - days(kept_for):
            about = f" of account {account}" if account else ""
            gap = (
                f"{stream.name}: the last sync{about} reached {to_text(cursor)}, and Twilio shows "
                f"{days(kept_for).days} days only: what lies between is out of reach (BEHAVIOR 10)."
            )
            if account:
                # Said when the account has been read: a refused one is none of the user's concern.
                known(self.config).gaps[stream.name, account] = gap
            else:
                known(self.config).warn(gap)
        begin = self._deep(min(cursor, now), value, former)
        return {stream.incremental_sync.cursor_field: to_text(begin)}

    def _deep(self, cursor: datetime, value: str | None, former: Asked | None) -> datetime:
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
            back = max(back, days(parameters.get("followed_for", "P0D")))
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


def is_ours(partition: Mapping[str, Any], name: str) -> bool:
    """Return whether a partition is of this connector, of whatever release."""
    return bool(partition) and set(partition) <= {*OWN_KEYS, name}


def first_moment(cursor: Any) -> datetime | None:
    """Return the first value of a cursor that is a moment of this age."""
    for value in cursor.values() if isinstance(cursor, Mapping) else ():
        if (moment := read_date(value)) and moment > "1970":
            return from_text(moment)
    return None


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
        for part in found:
            yield from described(part)
