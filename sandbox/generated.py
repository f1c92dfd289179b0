"""Generates rows from `fields.json`, for lists without a pattern in `rows.json`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from typing import Any

from sandbox.endpoints import STREAMS, Endpoint
from sandbox.fields import DATES, Field
from sandbox.streams import STREAMS as DECLARED
from sandbox.wire import DAY, Wire, day_of, iso8601, rfc2822

# The rows of a list, and the items of a list that have child lists.
ROWS, WITH_CHILDREN = 3, 5
NULLS = 0.15
# The Conversations service that each account has.
DEFAULT_SERVICE = "Default Conversations Service"
COUNTRIES = ("US", "GB", "NO", "EE", "DE", "FR", "JP", "BR")


@cache
def declared(stream: str) -> dict[str, Any]:
    """Return the properties of the schema of a stream, which may not exist yet."""
    try:
        found: dict[str, Any] = DECLARED[stream].schema["properties"]
    except (KeyError, FileNotFoundError):
        return {}
    return found


@cache
def never_null(stream: str) -> frozenset[str]:
    """Return the fields that a row always has: its keys, parents, dates and cursor."""
    endpoint = STREAMS[stream]
    names = {"sid", "account_sid", "date_created", "date_updated"}
    names |= {*endpoint.row_key, *endpoint.path_fields}
    if endpoint.cursor_field and not DECLARED[stream].undated:
        names.add(endpoint.cursor_field)
    below = [one for one in DECLARED.values() if one.ancestors]
    names |= {p.key for one in below for p in one.ancestors if p.stream.name == stream}
    return frozenset(names)


class GeneratedRow:
    """Generates one row."""

    def __init__(self, endpoint: Endpoint, account: str, created: int, rng: random.Random) -> None:
        """Take the list, account and creation time, in POSIX seconds."""
        self.endpoint = endpoint
        self.account = account
        self.created = created
        self.rng = rng
        self.number = rng.randrange(10_000)

    def wire(self, above: Mapping[str, Any]) -> Wire:
        """Return the row; `above` has the fields of its parents."""
        fields, schema = self.endpoint.resource.fields, declared(self.endpoint.stream)
        kept, found = never_null(self.endpoint.stream), Wire()
        for name, field in fields.items():
            null = field.nullable and name not in kept and self.rng.random() < NULLS
            found[name] = None if null else self.value(name, field, schema.get(name, {}))
        if "account_sid" in fields:
            found["account_sid"] = self.account
        if "accountId" in fields:
            found["accountId"] = self.account
        return found | {name: value for name, value in above.items() if name in fields}

    def required_fields(self, above: Mapping[str, Any], first: bool) -> Wire:
        """Return the fields that a row must have; `above` is its parent."""
        name = self.endpoint.stream
        if name == "services" and first:
            return Wire(friendly_name=DEFAULT_SERVICE)
        if name == "channel_senders":
            return Wire(sender_id=f"{self.rng.choice(('whatsapp', 'rcs'))}:{self.number}")
        if name == "call_events":
            response = {"response_code": 200, "date_created": rfc2822(self.created)}
            return Wire(response=response)
        if name == "intelligence_transcripts" and self.number % 4:
            return Wire(status="completed")
        if name == "video_room_participants" and above["status"] != "in-progress":
            return Wire(status="disconnected")
        return Wire()

    def value(self, name: str, field: Field, schema: Mapping[str, Any]) -> Any:
        """Return a value of Twilio's type, or else of the schema's."""
        if field.values:
            return field.values[self.number % len(field.values)]
        if field.type.startswith("array"):
            return self.array(name, field, schema)
        if field.type in ("object", "any"):
            return self.object(name, field, schema)
        if field.type == "boolean":
            return self.number % 2 == 0
        if field.type in ("integer", "number"):
            return self.number if field.type == "integer" else self.number / 100
        return self.text(name, field, schema)

    def text(self, name: str, field: Field, schema: Mapping[str, Any]) -> str:
        """Return a string; numbers and dates are strings on the wire, too."""
        if name in ("id", "ttid"):
            return f"{self.endpoint.stream}_{self.rng.getrandbits(128):032x}"
        is_creation = name in ("date_created", "createdAt")
        moment = self.created + (0 if is_creation else self.number % 600)
        kind = field.format if field.format in DATES else schema.get("format", field.format)
        types = schema.get("type", [])
        if kind == "sid":
            letters = field.detail.partition("|")[0] or "XX"
            return f"{letters}{self.rng.getrandbits(128):032x}"
        if kind in DATES:
            spelled = {"date-time": iso8601, "date-time-rfc-2822": rfc2822}
            return spelled[kind](moment) if kind in spelled else day_of(moment // DAY)[1]
        if "integer" in types or "number" in types:
            return str(self.number) if "integer" in types else f"{self.number / 10_000:.5f}"
        return {
            "uri": f"https://example.com/{name}/{self.number}",
            "http-method": "POST",
            "phone-number": f"+1415555{self.number:04}",
            "iso-country-code": COUNTRIES[self.number % len(COUNTRIES)],
            "currency": "usd",
        }.get(kind, f"{name} {self.number}")

    def array(self, name: str, field: Field, schema: Mapping[str, Any]) -> list[Any]:
        """Return a list of two items, of the schema's type or else of Twilio's."""
        kind = field.type.removeprefix("array<").removesuffix(">")
        item = field._replace(type=kind, format="")
        declared_item = schema.get("items") or {"type": kind}
        return [self.declared_value(name, declared_item, item) for _ in range(2)]

    def object(self, name: str, field: Field, schema: Mapping[str, Any]) -> Wire:
        """Return an object with the schema's properties, or else Twilio's."""
        if field.format == "uri-map":
            return {"details": f"https://example.com/{name}/{self.number}"}
        text = Field("string", False, "", "")
        parts = schema.get("properties") or {part: {} for part in field.properties or ["name"]}
        return {part: self.declared_value(part, of, text) for part, of in parts.items()}

    def declared_value(self, name: str, schema: Mapping[str, Any], field: Field) -> Any:
        """Return a value of the schema's type; the field has the format."""
        types = schema.get("type", [])
        if "object" in types:
            return self.object(name, field._replace(type="object"), schema)
        if "array" in types:
            return self.array(name, field._replace(type="array<string>"), schema)
        if "boolean" in types:
            return self.number % 2 == 0
        if "integer" in types or "number" in types:
            return self.number
        return self.text(name, field, schema)
