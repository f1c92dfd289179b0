"""The state that a sync begins with: of this release, of earlier ones, and of other connectors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration

from source_twilio.dates import days, from_text, read_date, to_text
from source_twilio.memory import known
from source_twilio.pages import is_of_product_api

# Older connectors' cursors: back by the longest that Twilio takes to finalise a record (20).
LEGACY_STEP_BACK = timedelta(days=15)
# How long before now the newest window ends (`end_datetime` in the manifest; BEHAVIOR 5).
CLOCK_MARGIN = timedelta(hours=1)
# What the partitions of this connector's own states hold, and the value of a list (`rows`, ...).
OWN_KEYS = {"account_sid", "parent_slice"}

Cursors = dict[tuple[str, str | None], datetime]


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
        """Return whether there is a state at all."""
        return bool(stream_state)

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the state in this connector's format."""
        name, values = self._lists()
        entries = [entry for entry in stream_state.get("states", []) if entry.get("partition")]
        ours = any(is_ours(entry["partition"], name) for entry in entries)
        cursors: Cursors = {}
        for entry in entries:
            for key, cursor in self._cursors(entry, name, values):
                # Some formats have a partition per message or status: the oldest counts.
                cursors[key] = min(cursor, cursors.get(key, cursor))
        # One cursor for all accounts, as other connectors save it.
        everywhere = None if ours else self._everywhere(stream_state)
        if everywhere and is_of_product_api(self.declarative_stream.parameters["resource"]):
            # Other connectors read the configured account's rows only (14).
            cursors.setdefault((self.config["account_sid"], None), everywhere)
        migrated = {
            "use_global_cursor": False,
            "states": [
                {
                    "partition": {
                        **({name: value} if value else {}),
                        "account_sid": account,
                        "parent_slice": {},
                    },
                    "cursor": self._begin(cursor, account, value),
                }
                for (account, value), cursor in cursors.items()
            ],
        }
        if not cursors and everywhere:
            migrated |= {"state": self._begin(everywhere, "", None), "lookback_window": 0}
        return migrated

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
        if not account or not cursor:
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

    def _everywhere(self, stream_state: Mapping[str, Any]) -> datetime | None:
        """Return the cursor of other connectors that speaks for all accounts."""
        single = [e for e in stream_state.get("states", []) if e.get("partition") == {}]
        for cursor in (stream_state.get("state", stream_state), *(e.get("cursor") for e in single)):
            if moment := first_moment(cursor):
                return moment - LEGACY_STEP_BACK
        return None

    def _begin(self, cursor: datetime, account: str, value: str | None) -> dict[str, str]:
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
        return {
            stream.incremental_sync.cursor_field: to_text(
                min(self._deep(cursor, value), now.replace(second=0))
            )
        }

    def _deep(self, cursor: datetime, value: str | None) -> datetime:
        """Return the cursor, once a day so early that what may have changed is read (BEHAVIOR 20).

        The first sync of a UTC day is the one whose cursor a complete read left before that day. It
        left full minutes (`end_datetime` in the manifest). Other seconds are those of a sync that
        was cut, or of the second that is taken here: such a sync goes on. The days are counted from
        the midnight before the cursor: what the first sync of that day read may have changed since.
        """
        parameters, config = self.declarative_stream.parameters, self.config
        back = timedelta(days=config.get("settling_days", 14) if parameters.get("settles") else 0)
        if value == "undated" or not self._lists()[1]:
            back = max(back, days(parameters.get("followed_for", "P0D")))
        # Where a 404 keeps the cursor at the end of an older window, seconds tell nothing (16).
        cut = cursor.second and not getattr(self.declarative_stream.retriever, "empty_statuses", ())
        back -= timedelta(minutes=config.get("lookback_window", 1440))
        last, today = cursor + CLOCK_MARGIN, datetime.now(timezone.utc).date()
        if cut or last.date() >= today or back <= timedelta():
            return cursor
        midnight = last.replace(hour=0, minute=0, second=0, microsecond=0)
        return min(cursor, midnight - back - timedelta(seconds=1))


def is_ours(partition: Mapping[str, Any], name: str) -> bool:
    """Return whether a partition is of this connector, of whatever release."""
    return set(partition) <= {*OWN_KEYS, name}


def first_moment(cursor: Any) -> datetime | None:
    """Return the first value of a cursor that is a moment."""
    for value in cursor.values() if isinstance(cursor, Mapping) else ():
        if moment := read_date(value):
            return from_text(moment)
    return None
