"""The streams that the connector discovers, and what identifies and compares their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

Row = dict[str, Any]
Key = tuple[Any, ...]
# Fields that are not compared. Twilio computes `as_of` for each request, `auth_token` is a secret,
# and the connector adds the other two.
VOLATILE = {"as_of", "auth_token", "country_code", "address_sid"}


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

    @property
    def incremental(self) -> bool:
        """Whether the warehouse keeps the rows of earlier syncs."""
        return bool(self.catalog["sync_mode"] == "incremental")

    def comparable(self, row: Mapping[str, Any]) -> Row:
        """Return a row of Twilio or of the warehouse in a form in which the two are equal."""
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


def discovered(catalog: Mapping[str, Any]) -> dict[str, Stream]:
    """Return the streams of a catalog by name; each is incremental if it can be."""
    streams = {}
    for stream in catalog["streams"]:
        properties = stream["json_schema"]["properties"]
        mode = "incremental" if "incremental" in stream["supported_sync_modes"] else "full_refresh"
        streams[stream["name"]] = Stream(
            stream["name"],
            {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append_dedup"},
            [path[0] for path in stream["source_defined_primary_key"]],
            {n for n, p in properties.items() if p.get("format") == "date-time"},
            {n for n, p in properties.items() if {"number", "integer"} & set(p["type"])},
        )
    return streams


# What identifies a row at Twilio, whatever the connector declares. The rows of other streams have a
# SID. So does a dependent number, and the address is not part of its identity.
NUMBER = ("account_sid", "iso_country", "phone_number")
IDENTITY = {
    **{f"available_phone_numbers_{kind}": NUMBER for kind in ("local", "mobile", "toll_free")},
    "available_phone_number_countries": ("account_sid", "country_code"),
    "conference_participants": ("conference_sid", "call_sid"),
    "usage_records": ("account_sid", "category", "start_date"),
}


def identity(stream: Stream, row: Mapping[str, Any]) -> Key:
    """Return what tells a row from all others of its stream."""
    return tuple(row.get(name) for name in IDENTITY.get(stream.name, ("sid",)))
