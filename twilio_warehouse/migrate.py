"""What changes when this connector replaces Airbyte's own source-twilio: docs/migration.md.

For each stream and account of the old state: the date from which this connector reads, and why.
Then the streams, keys and cursor fields that differ. It sends no request.
"""

import json
import logging
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
from twilio_warehouse.errors import UserError

# Streams, keys and cursor fields of Airbyte's 0.16.0 (unit_tests/support/handover.py writes it).
OLD_CATALOG = Path(__file__).with_name("airbyte_0_16.json")
# Stands for the main account without --config: the state of alerts does not name it.
MAIN_ACCOUNT = "AC" + 32 * "0"


class Start(NamedTuple):
    """Where a stream starts; the account is "" for all that the state does not name."""

    stream: str
    account: str
    old_cursor: str
    read_from: str
    reason: str


def starts(old: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Start]:
    """Yield where each stream of the old state starts; of an account's lists the earliest."""
    settings: dict[str, Any] = {"account_sid": MAIN_ACCOUNT, "start_date": "2008-01-01", **config}
    SettingsTransformation().transform(settings)
    now = datetime.now(timezone.utc)
    models = {
        row["name"]: DeclarativeStream.parse_obj(row)
        for row in SourceTwilio(None, settings).resolved_manifest["streams"]
    }
    for name in sorted(set(old) & set(models)):
        model = models[name]
        if not model.incremental_sync:
            continue
        available = (
            now - parse_duration(parameters(model).get("retention", "P36500D")) + REACH_MARGIN
        )
        first = max(parse_timestamp(settings["start_date"]), available)
        migrated = AccountStateMigration(model, settings).migrate(old[name])
        cursors: dict[str, datetime] = {}
        for entry in migrated["states"]:
            account = entry["partition"].get("account_sid")
            cursor = first_moment(entry["cursor"])
            if not account or not cursor:
                continue
            # Rows without a date may be read from earlier on (BEHAVIOR 6).
            cursors[account] = max(cursor, cursors.get(account, cursor))
        if global_cursor := first_moment(migrated.get("state")):
            cursors[""] = global_cursor
        late = parse_duration(parameters(model).get("appears_within", "PT0S"))
        lookback = max(timedelta(minutes=settings.get("lookback_window", 1440)), late)
        for account, cursor in cursors.items():
            before = find_cursor(old[name], account)
            read_from = max(cursor - lookback, first)
            reason = describe_reasons(model, before, cursor)
            if read_from == first:
                reason = describe_limit(first, available)
            yield Start(
                name, account, format_timestamp(before), format_timestamp(read_from), reason
            )
        if "" not in cursors:
            yield Start(name, "", "", format_timestamp(first), describe_limit(first, available))


def parameters(model: DeclarativeStream) -> dict[str, Any]:
    """Return the $parameters of a stream."""
    return model.parameters or {}


def find_cursor(state: Mapping[str, Any], account: str) -> datetime:
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


def describe_reasons(model: DeclarativeStream, before: datetime, cursor: datetime) -> str:
    """Return why reading starts before the old cursor."""
    back, listed = before - LEGACY_STEP_BACK, parameters(model).get("lists_since")
    begin = format_timestamp(cursor)
    if listed and begin <= format_timestamp(back) and begin[:10] <= listed:
        return f"lists that were not shown since {listed} (BEHAVIOR 32), lookback_window"
    parts = [f"{LEGACY_STEP_BACK.days} days, once (BEHAVIOR 24)"]
    if cursor < back:
        parts.append("settling_days (BEHAVIOR 20)")
    return ", ".join([*parts, "lookback_window"])


def describe_limit(first: datetime, available: datetime) -> str:
    """Return what limits the first date."""
    return "what Twilio still shows" if first == available else "start_date"


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
            changes.append(f"key {columns(old['primary_key'])} becomes {columns(key)}")
        if cursor != old["cursor_field"]:
            changes.append(f"cursor {old['cursor_field'] or 'none'} becomes {cursor or 'none'}")
        if changes:
            yield f"{name}: {'; '.join(changes)}."


def columns(key: list[str]) -> str:
    """Return the columns of a key as text."""
    return ", ".join(key) or "none"


def report(old: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{'Stream':<16}{'Account':<36}{'Old cursor':<22}{'Read from':<22}Why"
    used = set()
    for stream, account, cursor, read_from, reason in starts(old, config):
        used.add(stream)
        account = account or ("all" if cursor else "all others")
        account = "the main account" if account == MAIN_ACCOUNT else account
        yield f"{stream:<16}{account:<36}{cursor:<22}{read_from:<22}{reason}"
    for name in sorted(set(old) - used):
        yield f"{name:<16}its state is not used: the stream is read in full or does not exist"
    if "start_date" not in config:
        yield "Without --config, start_date is 2008-01-01 and every other setting its default."
    yield ""
    yield "Streams that the state does not name start at start_date."
    yield "Rows that the old connector never read, from before 'Read from', come back only if you"
    yield "clear the stream and read it again from start_date."
    yield ""
    yield "Keys and cursors that differ from 0.16.0: clear a stream whose key differs."
    yield from differences()


def print_report(state_path: Path, config_path: Path | None) -> None:
    """Print the report about a state. Raises `UserError`."""
    # The migration warns while a sync begins; here the report says it.
    logging.disable(logging.CRITICAL)
    old = states(read_json(state_path))
    if not old:
        raise UserError(f"{state_path} holds no state of a stream.", 1)
    print("\n".join(report(old, read_json(config_path) if config_path else {})))


def read_json(path: Path) -> Any:
    """Return what a JSON file holds. Raises `UserError`."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON: {error}", 1) from None
