"""What arrived, as a warehouse would keep it, and what tells its rows apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from sandbox.endpoints import ENDPOINTS

Row = dict[str, Any]


Key = tuple[Any, ...]


@dataclass
class Stream:
    """A stream of the catalog."""

    name: str
    catalog: Row
    key: list[str]
    dates: set[str]
    numbers: set[str]

    @property
    def incremental(self) -> bool:
        """Whether the warehouse keeps what earlier syncs brought."""
        return bool(self.catalog["sync_mode"] == "incremental")

    def comparable(self, row: Mapping[str, Any]) -> Row:
        """Return a row of either side with equal types, without nulls and volatile fields."""
        return {
            name: self._value(name, value)
            for name, value in row.items()
            if value is not None and value != "" and name not in VOLATILE
        }

    def _value(self, name: str, value: Any) -> Any:
        if name in self.dates:
            moment = (
                parsedate_to_datetime(value) if "," in value else datetime.fromisoformat(value[:19])
            )
            return moment.replace(tzinfo=None)
        return Decimal(str(value)) if name in self.numbers else value


# Computed for each request, a secret, and what the connector adds to rows that lack it.
VOLATILE = {"as_of", "auth_token", "country_code", "address_sid"}


@dataclass
class Warehouse:
    """Merges what the connector emits, by primary key, and keeps its state."""

    streams: dict[str, Stream]
    tables: dict[str, dict[Key, Row]] = field(default_factory=dict)
    states: dict[str, Row] = field(default_factory=dict)

    def merge(self, messages: Iterator[Row], complete: bool) -> int:
        """Take the output of a sync; of one that was killed only what a state vouches for."""
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
        """Return the state as a platform hands it to `read`."""
        return [
            {
                "type": "STREAM",
                "stream": {"stream_descriptor": {"name": name}, "stream_state": state},
            }
            for name, state in self.states.items()
        ]


# What identifies a row at Twilio, whatever the connector declares; else what the sandbox says. An
# address is not part of the numbers that depend on it.
NUMBER = ("account_sid", "iso_country", "phone_number")
ROW_KEYS = {endpoint.stream: endpoint.row_key for endpoint in ENDPOINTS}


IDENTITY = {
    **{f"available_phone_numbers_{kind}": NUMBER for kind in ("local", "mobile", "toll_free")},
    "available_phone_number_countries": ("account_sid", "country_code"),
    "conference_participants": ("conference_sid", "call_sid"),
    "usage_records": ("account_sid", "category", "start_date"),
}


def identity(stream: Stream, row: Mapping[str, Any]) -> Key:
    """Return what tells a row from all others of its stream."""
    return tuple(
        row.get(name)
        for name in IDENTITY.get(stream.name) or ("account_sid", *ROW_KEYS[stream.name])
    )


def messages(output: bytes) -> Iterator[Row]:
    """Yield the Airbyte messages of a command's output."""
    for line in output.split(b"\n"):
        if line.startswith(b"{"):
            yield json.loads(line)
