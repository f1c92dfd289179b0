"""The warehouse: the records of all syncs, merged by primary key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dev.soak.streams import Key, Row, Stream, state_file


@dataclass
class Warehouse:
    """The tables and the last states, by stream."""

    streams: dict[str, Stream]
    tables: dict[str, dict[Key, Row]] = field(default_factory=dict)
    states: dict[str, Row] = field(default_factory=dict)

    def merge(self, messages: Iterable[Row], complete: bool) -> int:
        """Merge the messages of a sync; return the number of records.

        Of a killed sync, the records before a state of their stream are merged.
        """
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
        """Return the state as a platform passes it to `read`."""
        return state_file(self.states)

    @property
    def state_bytes(self) -> int:
        """The size of the largest state, per account."""
        sizes = [0]
        for state in self.states.values():
            # A stream may have several partitions for each account.
            accounts = {entry["partition"].get("account_sid") for entry in state.get("states", [])}
            sizes.append(len(json.dumps(state)) // max(1, len(accounts)))
        return max(sizes)


def messages(output: bytes) -> Iterator[Row]:
    """Yield the Airbyte messages of a command's output."""
    for line in output.split(b"\n"):
        if line.startswith(b"{"):
            yield json.loads(line)
