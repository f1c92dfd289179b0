"""The streams that the connector discovers; the identity and comparison of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

from sandbox.endpoints import STREAMS as ENDPOINTS
from sandbox.streams import STREAMS

Row = dict[str, Any]
Key = tuple[Any, ...]
# Fields that are not compared: Twilio computes the first for each request, two are secrets, and
# the hash of a row is the connector's.
NOT_COMPARED = {"as_of", "auth_token", "row_id", "verification_code"}
# The queries that show all rows of a stream and no other account's, where that needs one (16, 17).
ALL_ROWS = {
    "recordings": {"IncludeSoftDeleted": "true"},
    "usage_records": {"IncludeSubaccounts": "false"},
}


@dataclass
class Stream:
    """A stream of the catalog."""

    name: str
    # The entry of the configured catalog.
    catalog: Row
    # Names of fields.
    key: list[str]
    dates: set[str]
    numbers: set[str]
    # Fields that the connector adds to rows without their parent's SID (BEHAVIOR 18).
    added: set[str]

    @property
    def incremental(self) -> bool:
        """Whether the warehouse keeps the rows of earlier syncs."""
        return bool(self.catalog["sync_mode"] == "incremental")

    def comparable(self, row: Mapping[str, Any]) -> Row:
        """Return a row of Twilio or of the warehouse in a normalized form."""
        return {
            name: self._value(name, value)
            for name, value in row.items()
            if value is not None and value != "" and name not in NOT_COMPARED | self.added
        }

    def _value(self, name: str, value: Any) -> Any:
        if name in self.dates:
            date = (
                parsedate_to_datetime(value) if "," in value else datetime.fromisoformat(value[:19])
            )
            return date.replace(tzinfo=None)
        return Decimal(str(value)) if name in self.numbers else value


def parse_catalog(catalog: Mapping[str, Any]) -> dict[str, Stream]:
    """Return the streams of a catalog by name; each is incremental if it can be."""
    streams = {}
    for stream in catalog["streams"]:
        declared = STREAMS[stream["name"]]
        properties = stream["json_schema"]["properties"]
        mode = "incremental" if "incremental" in stream["supported_sync_modes"] else "full_refresh"
        streams[stream["name"]] = Stream(
            stream["name"],
            {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append_dedup"},
            [path[0] for path in stream["source_defined_primary_key"]],
            {n for n, p in properties.items() if p.get("format") == "date-time"},
            {n for n, p in properties.items() if {"number", "integer"} & set(p["type"])},
            declared.added,
        )
    return streams


def state_file(states: Mapping[str, Row]) -> list[Row]:
    """Return the states of streams as a platform passes them to `read`."""
    return [
        {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": name}, "stream_state": state},
        }
        for name, state in states.items()
    ]


@cache
def identity_fields(stream: str) -> tuple[str, ...]:
    """Return the fields that identify a row of a stream."""
    endpoint = ENDPOINTS.get(stream)
    if endpoint is None or endpoint.row_key == ("sid",):
        return ("sid",)
    parents = [name for name in endpoint.path_fields if name in endpoint.resource.fields]
    return ("account_sid", *parents, *endpoint.row_key)


def identity(stream: str, row: Mapping[str, Any]) -> Key:
    """Return the values that identify a row in its stream."""
    values = [row.get(name) for name in identity_fields(stream)]
    return tuple(str(value) if isinstance(value, dict) else value for value in values)
