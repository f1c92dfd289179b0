"""States that other connectors and earlier releases have saved."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration

from source_twilio.dates import from_text, to_iso8601, to_text
from source_twilio.errors import LOGGER

# Older connectors' cursors: back by the longest that Twilio takes to finalise a record (20).
LEGACY_STEP_BACK = timedelta(days=15)


@dataclass
class AccountStateMigration(StateMigration):
    """One cursor per account, whatever release or connector has left the state (BEHAVIOR 7, 24).

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
        cursor_field = self.declarative_stream.incremental_sync.cursor_field
        accounts: dict[str, datetime] = {}
        everywhere = first_moment(stream_state.get("state", stream_state))
        for entry in stream_state.get("states", []):
            partition, cursor = entry["partition"], first_moment(entry.get("cursor"))
            account = re.search(r"AC\w{32}", str(partition))
            if not account or not cursor:
                everywhere = everywhere or (cursor if not partition else None)
                continue
            # Ours has exactly these keys and cursors of the form that to_text writes.
            ours = set(partition) <= {"account_sid", "parent_slice"}
            if not ours or to_text(cursor) not in entry["cursor"].values():
                cursor -= LEGACY_STEP_BACK
            # Some formats have a partition per message or status: the one furthest behind counts.
            accounts[account[0]] = min(cursor, accounts.get(account[0], cursor))
        if self.declarative_stream.parameters.get("of_product_api") and everywhere:
            # Other connectors read the configured account's rows only (14).
            accounts.setdefault(self.config["account_sid"], everywhere - LEGACY_STEP_BACK)
        migrated = {
            "use_global_cursor": False,
            "states": [
                {
                    "partition": {"account_sid": account, "parent_slice": {}},
                    "cursor": {cursor_field: self._checked(cursor, account)},
                }
                for account, cursor in accounts.items()
            ],
        }
        if not accounts and everywhere:
            start = self._checked(everywhere - LEGACY_STEP_BACK, "")
            migrated |= {"state": {cursor_field: start}, "lookback_window": 0}
        return migrated

    def _checked(self, cursor: datetime, account: str) -> str:
        """Return the cursor as text, not later than now; warn if Twilio shows less by now."""
        now = datetime.now(timezone.utc)
        kept_for = re.fullmatch(r"P(\d+)D", self.declarative_stream.parameters.get("kept_for", ""))
        if kept_for and cursor < now - timedelta(days=int(kept_for[1])):
            LOGGER.warning(
                "%s: the last sync%s reached %s, and Twilio shows %s days only: what lies between "
                "is out of reach (BEHAVIOR 10).",
                self.declarative_stream.name,
                f" of account {account}" if account else "",
                to_text(cursor),
                kept_for[1],
            )
        return to_text(min(cursor, now))


def first_moment(cursor: Any) -> datetime | None:
    """Return the first value of a cursor that is a moment."""
    for value in cursor.values() if isinstance(cursor, Mapping) else ():
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
            text = to_iso8601(value) or ""
            return from_text(text[:19] + "Z")
    return None
