"""The output of a candidate, and the rows that it should hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from dev.soak.streams import ALL_ROWS, identity_fields, state_file
from sandbox import Sandbox
from sandbox.streams import STREAMS

Row = dict[str, Any]
Key = tuple[str, ...]


@dataclass
class Output:
    """The output of a candidate."""

    records: Counter[str] = field(default_factory=Counter)  # by stream
    keys: dict[str, set[Key]] = field(default_factory=dict)  # by stream
    states: dict[str, Row] = field(default_factory=dict)  # Airbyte's, by stream

    def state_file(self) -> list[Row]:
        """Return the state as a platform passes it to the next read."""
        return state_file(self.states)

    @property
    def state_bytes(self) -> int:
        """The total size of the states."""
        return sum(len(orjson.dumps(state)) for state in self.states.values())


def parse_output(lines: Iterator[bytes]) -> Output:
    """Parse the output of an Airbyte source or a Singer tap."""
    output = Output()
    for line in lines:
        # A line may be no message, and the last one may be incomplete.
        if not line.startswith(b"{") or not line.endswith(b"\n"):
            continue
        message = orjson.loads(line)
        record = message.get("record")
        if record is not None:
            stream = message.get("stream") or record["stream"]
            output.records[stream] += 1
            row = record if "stream" in message else record["data"]
            output.keys.setdefault(stream, set()).add(key(stream, row))
        elif message.get("type") == "STATE" and "state" in message:
            state = message["state"]["stream"]
            output.states[state["stream_descriptor"]["name"]] = state["stream_state"]
    return output


def key(stream: str, row: Mapping[str, Any]) -> Key:
    """Return the values that identify a row in its stream."""
    names = identity_fields(stream)
    # The Singer tap turns a date into a timestamp.
    return tuple(str(row.get(name))[: 10 if name == "start_date" else None] for name in names)


def expected_keys(twilio: Sandbox, stream: str) -> set[Key]:
    """Return the keys of all rows of a stream, except those of closed accounts."""
    accounts = [account.sid for account in twilio.accounts if account.status != "closed"]
    if stream == "accounts" or STREAMS[stream].main_only:
        del accounts[1:]
    query = ALL_ROWS.get(stream, {})
    return {
        key(stream, {"account_sid": account, **row})
        for account in accounts
        for row in twilio.rows(stream, account, query)
    }
