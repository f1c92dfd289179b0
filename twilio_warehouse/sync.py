"""One sync: records go into the buffer, and from there into the tables, with the state."""

from __future__ import annotations

import difflib
import logging
import time
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from twilio_warehouse.buffer import Buffer
from twilio_warehouse.connector import Connector
from twilio_warehouse.kept import Kept
from twilio_warehouse.mistakes import Mistake
from twilio_warehouse.progress import Progress
from twilio_warehouse.tables import Table
from twilio_warehouse.target import Target

LOGGER = logging.getLogger("sync")
# Loads lie so many times farther apart than they take.
LOAD_SHARE = 5


class Sync:
    """Reads streams into a target; what a checkpoint covers is loaded before the next begins."""

    def __init__(
        self,
        connector: Connector,
        target: Target,
        streams: list[dict[str, Any]],
        progress: Progress,
        load_every: float = 15,
        refreshed: Collection[str] = (),
    ) -> None:
        """Take the streams of the catalog that are to be read, and the seconds between loads.

        Those that are refreshed are read from the start, and replace their tables when they are
        complete: until then, and after a kill, rows and states are as they were.
        """
        self.connector, self.target, self.progress = connector, target, progress
        self.catalog = streams
        self.tables = {stream["name"]: Table.of(stream) for stream in streams}
        self.kept = Kept.of(target.kept(), connector.config, target.name)
        self.load_every = load_every
        self._renew(refreshed)
        self._buffer = Buffer(target.buffer / "records")
        self._waiting: Counter[str] = Counter()
        self._replaced: set[str] = set()
        # The states of the streams that are refreshed and not loaded.
        self._held: dict[str, Any] = {}
        self._changed = False
        self._due = time.monotonic() + load_every

    def _renew(self, refreshed: Collection[str]) -> None:
        """Find out what is read from the start, and what was loaded before."""
        warnings, names = self.progress.warnings, [*self.tables]
        if gone := sorted(self.target.missing(names)):
            warnings[f"{', '.join(gone)}: no such table any more, read again from the start."] = (
                None
            )
        for name in gone:
            self.kept.states.pop(name, None)
        # A state tells nothing: a stream that was never opened has one too.
        self._before = {n for n, table in self.tables.items() if self.target.has(table)} - {*gone}
        self._refreshed = {name for name in refreshed if self.tables[name].incremental}
        for name in self._refreshed:
            self.tables[name] = replace(self.tables[name], incremental=False)

    def run(self) -> None:
        """Read everything, and load what is whole."""
        passed_on = {*self.tables} - self._refreshed
        known = {name: state for name, state in self.kept.states.items() if name in passed_on}
        with closing(self.connector.read(self.catalog, known)) as messages:
            for message in messages:
                getattr(self, f"_{message['type'].lower()}", self._nothing)(message)
        progress = self.progress
        for name in self._before & {*progress.left_out}:
            why = progress.left_out.pop(name)
            progress.failed[name] = f"loaded before, and refused now: {why}"
        for name in {*self.tables} - {*progress.complete, *progress.failed, *progress.left_out}:
            progress.failed[name] = "the read ended before it was complete"
        self._load()
        self._buffer.close()
        if not self.target.merges:
            progress.warnings[
                f"{self.target.name} does not merge: of the rows with one key, the one with the "
                "highest _dlt_load_id counts."
            ] = None
        if not self.target.locks:
            progress.warnings[
                f"{self.target.name} has no lock that a sync can hold: never let syncs of two "
                "folders run into it at the same time."
            ] = None
        for table in self.tables.values():
            for name, count in table.without_key.items():
                progress.warnings[
                    f"{name}: {count} rows without a key ({', '.join(table.key)}) are left out."
                ] = None
            for column, count in table.unreadable.items():
                progress.warnings[
                    f"{table.name}.{column}: {count} values are not of type {table.types[column]}, "
                    "and left empty."
                ] = None

    def _nothing(self, message: dict[str, Any]) -> None:
        """Pass over other messages."""

    def _record(self, message: dict[str, Any]) -> None:
        record = message["record"]
        table, row = self.tables[record["stream"]], record["data"]
        self.progress.records[table.name] += 1
        if key := table.key_of(row):
            self._buffer.put(table.name, key, orjson.dumps(row))
            self._waiting[table.name] += 1
        if account := row.get("account_sid"):
            self.progress.accounts.add(account)

    def _state(self, message: dict[str, Any]) -> None:
        stream = message["state"]["stream"]
        name = stream["stream_descriptor"]["name"]
        if name in self._refreshed - self._replaced:
            self._held[name] = stream["stream_state"]
        elif self.tables[name].incremental or name in self._refreshed:
            # All records that it covers have arrived before it.
            self.kept.states[name] = stream["stream_state"]
            self._changed = True
            if time.monotonic() >= self._due:
                self._load()

    def _log(self, message: dict[str, Any]) -> None:
        self.progress.heard(message["log"]["level"], message["log"]["message"])

    def _trace(self, message: dict[str, Any]) -> None:
        trace = message["trace"]
        if trace["type"] == "ERROR":
            error = trace["error"]
            name = str((error.get("stream_descriptor") or {}).get("name"))
            LOGGER.warning("%s (%s)", error["message"], error.get("internal_message"))
            if name in self.tables:
                refused = error.get("failure_type") == "config_error"
                kept = self.progress.left_out if refused else self.progress.failed
                kept[name] = error["message"].removeprefix(f"{name}: ")
        elif trace["type"] == "STREAM_STATUS":
            status = trace["stream_status"]
            if status["status"] == "COMPLETE":
                self.progress.complete.add(status["stream_descriptor"]["name"])

    def _load(self) -> None:
        """Load the records that have arrived of lists by date, and the full lists that ended."""
        began = time.monotonic()
        progress, arrived = self.progress, self._buffer.streams()
        names = {
            name
            for name, table in self.tables.items()
            if (table.incremental and (name in arrived or self._is_new(table)))
            or (not table.incremental and name in progress.complete - self._replaced)
        }
        if names or self._changed:
            progress.doing = "loading"
            rows = {name: partial(self._buffer.rows, name) for name in sorted(names)}
            parts = [(self.tables[name], find) for name, find in rows.items()]
            LOGGER.info("Loading %s", ", ".join(rows) or "the state")
            for name in names & {*self._held}:
                self.kept.states[name] = self._held.pop(name)
            self.target.load(parts, self.kept.saved())
            LOGGER.info("Loaded")
            self._buffer.drop(names)
            progress.loaded += sum(self._waiting.pop(name, 0) for name in names)
            self._replaced |= {name for name in names if not self.tables[name].incremental}
            self._changed, progress.doing = False, "reading"
        took = time.monotonic() - began
        wait = max(self.load_every, LOAD_SHARE * took) if self.load_every else 0
        self._due = time.monotonic() + wait

    def _is_new(self, table: Table) -> bool:
        """Return whether a stream without records is to get its table, which it has not yet."""
        return table.name in self.progress.complete and not self.target.has(table)


def chosen(
    streams: list[dict[str, Any]], names: Collection[str], left_out: Collection[str]
) -> list[dict[str, Any]]:
    """Return the streams of these names, all if there are none, without those left out.

    Raises `Mistake` for a name that no stream has, and if none is left.
    """
    known = [stream["name"] for stream in streams]
    for name in [*names, *left_out]:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise Mistake(f"There is no stream {name}: {meant}docs/twilio.md lists them.")
    kept = [s for s in streams if (not names or s["name"] in names) and s["name"] not in left_out]
    if not kept:
        raise Mistake("EXCEPT leaves no stream of STREAMS to read.")
    return kept
