"""One sync: records are buffered on disk, then loaded into tables together with the state."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from twilio_warehouse.buffer import RecordBuffer
from twilio_warehouse.columns import HASH_KEY, Columns
from twilio_warehouse.config import ignored_settings, secrets_of, similar_name
from twilio_warehouse.connector import Connector
from twilio_warehouse.deletions import Deletions
from twilio_warehouse.destination import Destination, Load
from twilio_warehouse.errors import MAKE_OPTION, UserError, causes, explain_error, first_line
from twilio_warehouse.history import SYNCS, History
from twilio_warehouse.log import log_to_file, redact
from twilio_warehouse.output import print_json
from twilio_warehouse.progress import Progress
from twilio_warehouse.tables import Table

LOGGER = logging.getLogger("sync")
# A load takes at most this share of a sync: the next one waits so many times as long as it took.
WAIT_PER_LOAD_TIME = 5


def sync_account(
    connector: Connector,
    destination: Destination,
    progress: Progress,
    *,
    streams: Collection[str] = (),
    excluded: Collection[str] = (),
    refresh: Collection[str] = (),
    excluded_columns: Collection[str] = (),
    hashed_columns: Collection[str] = (),
    load_every: float = 15,
    as_json: bool = False,
) -> int:
    """Sync an account, print the summary, and return the exit status. Raises `UserError`."""
    config, hash_key = connector.config, os.environ.get(HASH_KEY, "")
    started = False
    try:
        with destination:
            log_to_file(destination.log, [*secrets_of(config), hash_key])
            destination.open()
            # Tables of another account are refused before the first request.
            SavedState.load(destination.saved_state(), config, destination.name)
            progress.begin("asking Twilio for the accounts")
            catalog = connector.discover()
            selected = select_streams(catalog, streams, excluded)
            columns = Columns.of(catalog, excluded_columns, hashed_columns, hash_key)
            names = [stream["name"] for stream in selected]
            again = [name for name in refresh if name != "all"]
            if again:
                select_streams(catalog, again, [])
            if "all" in refresh:
                again = names
            if unselected := {*again} - {*names}:
                raise UserError(
                    f"--refresh names {', '.join(sorted(unselected))}, which is not selected."
                )
            progress.streams = len(selected)
            sync = Sync(connector, destination, selected, progress, load_every, again, columns)
            started = True
            progress.say(f"Reading {len(selected)} streams into {destination.name} ...")
            sync.run()
    except UserError:
        raise
    except BaseException as error:
        user_error = end_of(error, destination)
        if user_error.status != 130:
            user_error.status = 1 if started else 2
        raise user_error from None
    progress.stop()
    if as_json:
        print_json(sync.summary())
    else:
        print(*progress.summary(), sep="\n")
        print(f"The tables are in {destination.name}; the log is {destination.log}.")
    if progress.failed:
        return 1
    # The credentials may open none of the streams.
    return 0 if progress.complete else 2


def end_of(error: BaseException, destination: Destination) -> UserError:
    """Return the message for an error that ended a sync; its traceback goes to the log."""
    name, log = destination.name, destination.log
    # dlt wraps it.
    if any(isinstance(one, KeyboardInterrupt) for one in causes(error)):
        message = f"Stopped. What was loaded stays in {name}; run it again to go on from there."
        return UserError(f"{message}\nThe log is {log}.", 130)
    LOGGER.error("The sync failed.", exc_info=error)
    explained = explain_error(error, name) or UserError(
        f"The sync failed: {first_line([*causes(error)][-1])}", 1
    )
    return UserError(f"{explained}\nThe log is {log}.", explained.status)


def select_streams(
    catalog: list[dict[str, Any]], names: Collection[str], excluded: Collection[str]
) -> list[dict[str, Any]]:
    """Return the streams of these names, all if there are none, without the excluded ones.

    Raises `UserError` for an unknown name, and if no stream is left.
    """
    known = [stream["name"] for stream in catalog]
    for name in [*names, *excluded]:
        if name not in known:
            similar = similar_name(name, known)
            hint = f"did you mean {similar}? " if similar else ""
            raise UserError(f"There is no stream {name}: {hint}docs/twilio.md lists them.")
    selected = [
        s for s in catalog if (not names or s["name"] in names) and s["name"] not in excluded
    ]
    if not selected:
        raise UserError("--except leaves none of --streams.")
    return selected


@dataclass
class SavedState:
    """What is kept with the tables: their account and region; states and columns by stream."""

    account_sid: str
    region: str
    states: dict[str, Any] = field(default_factory=dict)
    # What was left out or hashed of the rows of a table, as `Columns.saved` has it.
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    # The row in `_syncs` of the last sync that has loaded something.
    sync: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, saved: Mapping[str, Any], config: Mapping[str, Any], name: str) -> SavedState:
        """Return the state of the tables in `name`. Raises `UserError` if they are of another."""
        account, region = str(config["account_sid"]), str(config.get("region") or "us1")
        if (other := saved.get("account_sid", account)) != account:
            raise UserError(
                f"{name} holds the tables of account {other}, and the config is of {account}: "
                f"name another file with --to {MAKE_OPTION}."
            )
        # Earlier releases have not saved it.
        if (other := saved.get("region", region)) != region:
            raise UserError(
                f"{name} holds the tables of region {other}, and the config is of {region}: "
                f"name another file with --to {MAKE_OPTION}."
            )
        return cls(
            account,
            region,
            {**saved.get("states", {})},
            {**saved.get("columns", {})},
            {**saved.get("sync", {})},
        )

    def dump(self) -> dict[str, Any]:
        """Return it as dlt keeps it."""
        return {**vars(self), "states": {**self.states}, "columns": {**self.columns}}


class Sync:
    """Reads streams into a destination; a state is saved with the records that it covers."""

    def __init__(
        self,
        connector: Connector,
        destination: Destination,
        streams: list[dict[str, Any]],
        progress: Progress,
        load_every: float = 15,
        refresh: Collection[str] = (),
        columns: Columns | None = None,
    ) -> None:
        """Take streams of the catalog, the seconds between loads, and the streams to refresh.

        The latter are read from the start, and replace their tables when they are complete: until
        then, and after a kill, rows and states are as they were. Columns may be left out or hashed.
        Raises `UserError` if their hashes would not agree with those in the tables.
        """
        self.connector, self.destination, self.progress = connector, destination, progress
        self.catalog = streams
        self.columns = columns or Columns()
        self.tables = {s["name"]: self.columns.table(Table.from_stream(s)) for s in streams}
        saved = destination.saved_state()
        self.saved = SavedState.load(saved, connector.config, destination.name)
        self.load_every = load_every
        for name in ignored_settings(connector.config):
            self._warn(f"{name} is a setting of another connector, and not used.")
        self._history = History(self.saved.sync, progress)
        self.saved.sync = {}
        self._prepare(refresh)
        self._buffer = RecordBuffer(destination.buffer / "records")
        self._buffered: Counter[str] = Counter()
        known = [
            self.tables[name]
            for name in self._kept
            if self.columns.has_plain(self.tables[name], "account_sid")
        ]
        self._deletions = Deletions(self._buffer.connection, known)
        # The streams that have ended, complete or not: all of their rows have arrived.
        self._ended: set[str] = set()
        self._replaced: set[str] = set()
        # The states of the streams that are refreshed and not loaded.
        self._pending_states: dict[str, Any] = {}
        self._state_changed = False
        self._next_load = time.monotonic() + load_every

    def _prepare(self, refresh: Collection[str]) -> None:
        """Find out what is read from the start, and what was loaded before."""
        gone = self.destination.dropped_tables([*self.tables, SYNCS.name])
        dropped = sorted(gone - {SYNCS.name})
        if dropped:
            self._warn(f"{', '.join(dropped)}: no such table any more, read again from the start.")
        for name in dropped:
            self.saved.states.pop(name, None)
        # A state proves nothing: a stream that was never readable has one too.
        existing = {n for n, table in self.tables.items() if self.destination.has_table(table)}
        self._loaded_before = existing - {*dropped}
        self._refreshed = {name for name in refresh if self.tables[name].incremental}
        for name in self._refreshed:
            self.tables[name] = replace(self.tables[name], incremental=False)
        # Of these tables, rows of former syncs stay.
        self._kept = {n for n in self._loaded_before if self.tables[n].incremental}
        for name in sorted(self._kept):
            self._compare_columns(name)

    def _compare_columns(self, name: str) -> None:
        """Find out whether the rows of a table were left out and hashed as they are now."""
        former, now = self.saved.columns.get(name, {}), self.columns.saved(name)
        for column in former.keys() & now.keys():
            if former[column] and now[column] and former[column] != now[column]:
                raise UserError(
                    f"{HASH_KEY} is not the key of the hashes in {name}.{column}: set that key, or "
                    f"read the stream again with --refresh {name}."
                )
        if former != now:
            changed = sorted(n for n in {*former, *now} if former.get(n) != now.get(n))
            self._warn(
                f"{name}: rows that were loaded before keep {', '.join(changed)} as it was: "
                f"--refresh {name} reads them again."
            )

    def run(self) -> None:
        """Read everything, and load what is complete."""
        handlers = {
            "RECORD": self._on_record,
            "STATE": self._on_state,
            "LOG": self._on_log,
            "DEBUG": lambda message: self._deletions.observe_range(message["data"]),
            "TRACE": self._on_trace,
        }
        names = {*self.tables} - self._refreshed
        states = {name: state for name, state in self.saved.states.items() if name in names}
        self.progress.begin("starting the connector")
        read = self.connector.read(self.catalog, states, self.destination.buffer)
        with closing(read) as messages:
            for number, message in enumerate(messages):
                if not number:
                    self.progress.begin("reading")
                if handler := handlers.get(message["type"]):
                    handler(message)
        progress = self.progress
        for name in self._loaded_before & {*progress.left_out}:
            reason = progress.left_out.pop(name)
            progress.failed[name] = f"loaded before, and refused now: {reason}"
        for name in {*self.tables} - {*progress.complete, *progress.failed, *progress.left_out}:
            progress.failed[name] = "the read ended before it was complete"
        self._load()
        progress.deleted = self._deletions.mark(self.destination, self._ended)
        self._buffer.close()
        if progress.failed or progress.complete:
            # In a load of its own: a sync that is killed in its last load must not be complete.
            self._end("incomplete" if progress.failed else "complete")
        self._warn_at_end()

    def summary(self) -> dict[str, Any]:
        """Return what a sync has done, for programs: its row, and what the tables do not hold."""
        return {
            **(self.saved.sync or self._history.row("incomplete")),
            "records_by_stream": dict(self.progress.records.most_common()),
            "notes": [redact(note) for note in self.progress.warnings],
            "destination": self.destination.name,
            "log": str(self.destination.log),
        }

    def _end(self, status: str) -> None:
        """Load the end of the sync."""
        self.saved.sync = self._history.row(status)
        self.destination.load([self._load_of_history()], self.saved.dump())

    def _load_of_history(self) -> tuple[Table, Callable[[], list[bytes]]]:
        records = self._history.records(self.saved.sync)
        return SYNCS, lambda: records

    def _warn_at_end(self) -> None:
        name = self.destination.name
        if not self.destination.merges:
            self._warn(
                f"{name} does not merge: of the rows with one key, the one with the highest "
                "_dlt_load_id counts."
            )
        if not self.destination.locks:
            self._warn(
                f"{name} has no lock that a sync can hold: never let syncs of two folders run into "
                "it at the same time."
            )
        for table in self.tables.values():
            for stream, count in table.without_key.items():
                self._warn(
                    f"{stream}: {count} rows without a key ({', '.join(table.key)}) are left out."
                )
            for column, count in table.unreadable.items():
                self._warn(
                    f"{table.name}.{column}: {count} values are not of type {table.types[column]}, "
                    "and left empty."
                )

    def _warn(self, message: str) -> None:
        self.progress.warnings[message] = None

    def _on_record(self, message: dict[str, Any]) -> None:
        record = message["record"]
        table, row = self.tables[record["stream"]], record["data"]
        self.progress.records[table.name] += 1
        if account := row.get("account_sid"):
            self.progress.accounts.add(account)
        self.columns.apply(table.name, row)
        if key := table.key_of(row):
            self._buffer.put(table.name, key, orjson.dumps(row))
            self._buffered[table.name] += 1
            self._deletions.observe_row(table.name, row, key)

    def _on_state(self, message: dict[str, Any]) -> None:
        stream = message["state"]["stream"]
        name = stream["stream_descriptor"]["name"]
        if name in self._refreshed - self._replaced:
            self._pending_states[name] = stream["stream_state"]
        elif self.tables[name].incremental or name in self._refreshed:
            # All records that it covers have arrived before it.
            self.saved.states[name] = stream["stream_state"]
            self._state_changed = True
            if time.monotonic() >= self._next_load:
                self._load()

    def _on_log(self, message: dict[str, Any]) -> None:
        self.progress.observe_log(message["log"]["level"], message["log"]["message"])

    def _on_trace(self, message: dict[str, Any]) -> None:
        trace = message["trace"]
        if trace["type"] == "ERROR":
            error = trace["error"]
            name = str((error.get("stream_descriptor") or {}).get("name"))
            LOGGER.warning("%s (%s)", error["message"], error.get("internal_message"))
            if name in self.tables:
                is_refused = error.get("failure_type") == "config_error"
                reasons = self.progress.left_out if is_refused else self.progress.failed
                reasons[name] = error["message"].removeprefix(f"{name}: ")
        elif trace["type"] == "STREAM_STATUS":
            status = trace["stream_status"]
            name = status["stream_descriptor"]["name"]
            if status["status"] in ("COMPLETE", "INCOMPLETE"):
                self._ended.add(name)
            if status["status"] == "COMPLETE":
                self.progress.complete.add(name)

    def _load(self) -> None:
        """Load the buffered records of incremental streams, and the full refreshes that ended."""
        started_at = time.monotonic()
        progress, buffered = self.progress, self._buffer.streams()
        names = {
            name
            for name, table in self.tables.items()
            if (table.incremental and (name in buffered or self._lacks_table(table)))
            or (not table.incremental and name in progress.complete - self._replaced)
        }
        if names or self._state_changed:
            progress.phase = "loading"
            LOGGER.info("Loading %s", ", ".join(sorted(names)) or "the state")
            for name in names & {*self._pending_states}:
                self.saved.states[name] = self._pending_states.pop(name)
            for key in self._deletions.redacted(self.destination):
                self._buffer.set_field("messages", key, "is_redacted", True)
            self.saved.columns |= {name: self.columns.saved(name) for name in names - self._kept}
            loads: list[Load] = [
                (self.tables[name], partial(self._buffer.records, name)) for name in sorted(names)
            ]
            if not self.saved.sync:
                self.saved.sync = self._history.row()
                loads.append(self._load_of_history())
            self.destination.load(loads, self.saved.dump())
            LOGGER.info("Loaded")
            self._buffer.delete(names)
            progress.loaded += sum(self._buffered.pop(name, 0) for name in names)
            self._replaced |= {name for name in names if not self.tables[name].incremental}
            self._state_changed, progress.phase = False, "reading"
        wait = WAIT_PER_LOAD_TIME * (time.monotonic() - started_at)
        self._next_load = time.monotonic()
        if self.load_every:
            self._next_load += max(self.load_every, wait)

    def _lacks_table(self, table: Table) -> bool:
        """Return whether a stream without records still needs its table."""
        return table.name in self.progress.complete and not self.destination.has_table(table)
