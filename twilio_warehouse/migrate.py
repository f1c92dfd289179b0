"""What changes when this connector takes over from Airbyte's own source-twilio.

`python -m twilio_warehouse.migrate --state old.json [--config secrets/config.json]` says, for each
stream and account of the old state, from which moment this connector reads, and why; then which
streams, keys and cursor fields differ. It asks Twilio nothing. See docs/migration.md.
"""

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from airbyte_cdk.sources.declarative.models.declarative_component_schema import DeclarativeStream

from source_twilio import SourceTwilio
from source_twilio.config import SettingsTransformation
from source_twilio.state import LEGACY_STEP_BACK, AccountStateMigration, first_moment, states
from source_twilio.timestamps import format_timestamp, parse_duration, parse_timestamp
from source_twilio.windowed import REACH_MARGIN

# Streams, keys and cursor fields of Airbyte's 0.16.0 (unit_tests/handover.py writes the file).
OLD_CATALOG = Path(__file__).with_name("airbyte_0_16.json")
# Stands for the main account where there is no --config: the state of alerts does not name it.
MAIN = "AC" + 32 * "0"


class Begin(NamedTuple):
    """From when a stream is read; the account is "" for all that the state does not name."""

    stream: str
    account: str
    old: str
    since: str
    why: str


def begins(old: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Begin]:
    """Yield from when each stream of the old state is read; of an account's lists the earliest."""
    ready: dict[str, Any] = {"account_sid": MAIN, "start_date": "2008-01-01", **config}
    SettingsTransformation().transform(ready)
    now = datetime.now(timezone.utc)
    models = {
        row["name"]: DeclarativeStream.parse_obj(row)
        for row in SourceTwilio(None, ready).resolved_manifest["streams"]
    }
    for name in sorted(set(old) & set(models)):
        model = models[name]
        if not model.incremental_sync:
            continue
        shown = now - parse_duration(parameters(model).get("retention", "P36500D")) + REACH_MARGIN
        first = max(parse_timestamp(ready["start_date"]), shown)
        migrated = AccountStateMigration(model, ready).migrate(old[name])
        cursors: dict[str, datetime] = {}
        for entry in migrated["states"]:
            account = entry["partition"].get("account_sid")
            cursor = first_moment(entry["cursor"])
            if not account or not cursor:
                continue
            # Rows without a date may be read from earlier on (BEHAVIOR 6).
            cursors[account] = max(cursor, cursors.get(account, cursor))
        if everywhere := first_moment(migrated.get("state")):
            cursors[""] = everywhere
        late = parse_duration(parameters(model).get("appears_within", "PT0S"))
        lookback = max(timedelta(minutes=ready.get("lookback_window", 1440)), late)
        for account, cursor in cursors.items():
            before = old_cursor(old[name], account)
            since = max(cursor - lookback, first)
            why = reasons(model, before, cursor)
            if since == first:
                why = limit(first, shown)
            yield Begin(name, account, format_timestamp(before), format_timestamp(since), why)
        if "" not in cursors:
            yield Begin(name, "", "", format_timestamp(first), limit(first, shown))


def parameters(model: DeclarativeStream) -> dict[str, Any]:
    """Return the $parameters of a stream."""
    return model.parameters or {}


def old_cursor(state: Mapping[str, Any], account: str) -> datetime:
    """Return the cursor of an account, or the one of all, as the old connector left it."""
    entries = [
        entry
        for entry in state.get("states", [])
        if account and account in str(entry.get("partition"))
    ]
    single = [entry for entry in state.get("states", []) if entry.get("partition") == {}]
    cursors = [entry.get("cursor") for entry in entries or single]
    found = [*filter(None, map(first_moment, cursors or [state.get("state", state)]))]
    return min(found)


def reasons(model: DeclarativeStream, before: datetime, cursor: datetime) -> str:
    """Say what lies between the old cursor and the first moment that is read."""
    back, listed = before - LEGACY_STEP_BACK, parameters(model).get("lists_since")
    begin = format_timestamp(cursor)
    if listed and begin <= format_timestamp(back) and begin[:10] <= listed:
        return f"lists that were not shown since {listed} (BEHAVIOR 32), lookback_window"
    words = [f"{LEGACY_STEP_BACK.days} days, once (BEHAVIOR 24)"]
    if cursor < back:
        words.append("settling_days (BEHAVIOR 20)")
    return ", ".join([*words, "lookback_window"])


def limit(first: datetime, shown: datetime) -> str:
    """Say what the first moment is."""
    return "what Twilio still shows" if first == shown else "start_date"


def differences() -> Iterator[str]:
    """Yield a line for each stream whose key or cursor field differs from 0.16.0's."""
    ours = {row["name"]: row for row in SourceTwilio(None, {}).resolved_manifest["streams"]}
    for name, old in json.loads(OLD_CATALOG.read_text("utf-8")).items():
        if name not in ours:
            yield f"{name}: not a stream of this connector. Keep the old table."
            continue
        model = DeclarativeStream.parse_obj(ours[name])
        key = parameters(model)["primary_key"]
        key = key if isinstance(key, list) else [key]
        cursor = getattr(model.incremental_sync, "cursor_field", None)
        changes = []
        if set(key) != set(old["primary_key"]):
            changes.append(f"key {words(old['primary_key'])} becomes {words(key)}")
        if cursor != old["cursor_field"]:
            changes.append(f"cursor {old['cursor_field'] or 'none'} becomes {cursor or 'none'}")
        if changes:
            yield f"{name}: {'; '.join(changes)}."


def words(key: list[str]) -> str:
    """Return the columns of a key in a line."""
    return ", ".join(key) or "none"


def report(old: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{'Stream':<16}{'Account':<36}{'Old cursor':<22}{'Read from':<22}Why"
    told = set()
    for begin in begins(old, config):
        told.add(begin.stream)
        account = begin.account or ("all" if begin.old else "all others")
        account = "the main account" if account == MAIN else account
        yield f"{begin.stream:<16}{account:<36}{begin.old:<22}{begin.since:<22}{begin.why}"
    for name in sorted(set(old) - told):
        yield f"{name:<16}the state is of no use here: the stream is read in full or does not exist"
    if "start_date" not in config:
        yield "Without --config: start_date counts as 2008-01-01, all other settings as default."
    yield ""
    yield "Streams that the state does not name begin at start_date."
    yield "Rows that the old connector never read, from before 'Read from', come back only if you"
    yield "clear the stream and read it again from start_date."
    yield ""
    yield "Keys and cursors that differ from 0.16.0: clear a stream whose key differs."
    yield from differences()


def main() -> str:
    """Print the report; return the error, if any."""
    parser = argparse.ArgumentParser("python -m twilio_warehouse.migrate", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the old connector's state")
    parser.add_argument("--config", type=Path, help="the settings of this connector")
    given = parser.parse_args()
    # The migration warns while a sync begins; here the report says it.
    logging.disable(logging.CRITICAL)
    content = []
    for path in filter(None, (given.state, given.config)):
        try:
            content.append(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            return f"{path} cannot be read as JSON: {error}"
    old, config = states(content[0]), content[1] if given.config else {}
    if not old:
        return f"{given.state} holds no state of a stream."
    print("\n".join(report(old, config)))
    return ""


if __name__ == "__main__":
    sys.exit(main() or 0)
