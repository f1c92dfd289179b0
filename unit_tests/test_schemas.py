"""The record schemas: one valid file per stream, every field typed and described."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

import source_twilio
from source_twilio import SourceTwilio
from unit_tests.mock_twilio import CONFIG

FOLDER = Path(source_twilio.__file__).parent / "schemas"
STREAMS = [
    "accounts",
    "addresses",
    "alerts",
    "applications",
    "available_phone_number_countries",
    "available_phone_numbers_local",
    "available_phone_numbers_mobile",
    "available_phone_numbers_toll_free",
    "calls",
    "conference_participants",
    "conferences",
    "dependent_phone_numbers",
    "incoming_phone_numbers",
    "keys",
    "message_media",
    "messages",
    "outgoing_caller_ids",
    "queues",
    "recordings",
    "transcriptions",
    "usage_records",
    "usage_triggers",
]
# The most selective column first: some loaders look at that one alone.
AVAILABLE_KEY = ["phone_number", "account_sid", "country_code"]
KEYS = dict.fromkeys(STREAMS, ["sid"]) | {
    "available_phone_number_countries": ["country_code", "account_sid"],
    "available_phone_numbers_local": AVAILABLE_KEY,
    "available_phone_numbers_mobile": AVAILABLE_KEY,
    "available_phone_numbers_toll_free": AVAILABLE_KEY,
    "conference_participants": ["call_sid", "conference_sid"],
    "dependent_phone_numbers": ["sid", "address_sid"],
    "keys": ["sid", "account_sid"],
    "usage_records": ["start_date", "category", "account_sid", "end_date"],
}
SCALARS = ["boolean", "integer", "number", "string"]
TEMPORAL = {
    "date": {"format": "date"},
    "date-time": {"format": "date-time", "airbyte_type": "timestamp_with_timezone"},
}

each_file = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)


def load(path: Path) -> dict[str, Any]:
    """Return the schema in a file."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def fields(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the dotted name and the schema of every field, nested ones included."""
    for name, field in schema.get("properties", {}).items():
        yield prefix + name, field
        yield from fields(field, f"{prefix}{name}.")


def kind(field: dict[str, Any]) -> Any:
    """Return the type of a field without its null."""
    declared = field["type"]
    return declared[1] if declared[:1] == ["null"] and len(declared) == 2 else declared


def test_each_stream_has_a_file() -> None:
    """The folder holds the streams and nothing else."""
    assert sorted(path.name for path in FOLDER.iterdir()) == [f"{name}.json" for name in STREAMS]


@each_file
def test_valid_draft_07(path: Path) -> None:
    """A file is an open object, in the layout that all of them share."""
    schema = load(path)
    Draft7Validator.check_schema(schema)
    frame = {name: value for name, value in schema.items() if name != "properties"}
    assert frame == {
        "$schema": Draft7Validator.META_SCHEMA["$id"],
        "type": "object",
        "additionalProperties": True,
    }


@each_file
def test_each_field_has_a_type(path: Path) -> None:
    """A field is a scalar or an open object, with or without null."""
    wrong = {
        name: field.get("type")
        for name, field in fields(load(path))
        if kind(field) not in SCALARS
        and (kind(field), field.get("additionalProperties")) != ("object", True)
    }
    assert wrong == {}


@each_file
def test_each_field_has_a_description(path: Path) -> None:
    """A description is one line of at most 110 characters that ends with a full stop."""
    wrong = {
        name: text
        for name, field in fields(load(path))
        if (text := field.get("description", ""))[-1:] != "."
        or len(text) > 110
        or text.splitlines() != [text.strip()]
    }
    assert wrong == {}


@each_file
def test_formats(path: Path) -> None:
    """Only dates have a format, and a moment is declared as one with a time zone."""
    found = {
        name: {key: field[key] for key in ("format", "airbyte_type") if key in field}
        for name, field in fields(load(path))
        if "format" in field or "airbyte_type" in field
    }
    assert found == {name: TEMPORAL.get(value["format"]) for name, value in found.items()}


@each_file
def test_each_date_has_a_format(path: Path) -> None:
    """A field with the name of a date or time is declared as one."""
    dates = {
        name: field
        for name, field in fields(load(path))
        if name.startswith("date_") or name.endswith(("_date", "_of"))
    }
    dates |= {n: f for n, f in fields(load(path)) if n in ("start_time", "end_time")}
    assert [name for name, field in dates.items() if "format" not in field] == []


@each_file
def test_key_comes_first_and_is_never_null(path: Path) -> None:
    """The fields of the primary key lead, as plain strings."""
    properties = load(path)["properties"]
    key = KEYS[path.stem]
    assert list(properties)[: len(key)] == key
    assert [properties[name]["type"] for name in key] == ["string"] * len(key)


def test_keys_of_the_manifest() -> None:
    """The primary keys of the streams are those above, in that order."""
    streams = SourceTwilio(config=CONFIG).resolved_manifest["definitions"]["streams"]
    keys = {name: stream["$parameters"]["primary_key"] for name, stream in streams.items()}
    assert {name: [key] if isinstance(key, str) else key for name, key in keys.items()} == KEYS


def test_capabilities_in_both_spellings() -> None:
    """Twilio spells the capabilities of a number as `sms` here and as `SMS` there."""
    found = {
        path.stem: list(field["properties"])
        for path in FOLDER.iterdir()
        if (field := load(path)["properties"].get("capabilities"))
    }
    streams = [name for name in STREAMS if re.search("numbers(_|$)", name)]
    assert found == dict.fromkeys(streams, ["voice", "Voice", "sms", "SMS", "mms", "MMS", "fax"])


def test_error_codes_join() -> None:
    """An error code has the same type in each stream, so that streams join on it."""
    kinds = {
        path.stem: kind(field)
        for path in FOLDER.iterdir()
        if (field := load(path)["properties"].get("error_code"))
    }
    assert kinds == dict.fromkeys(("alerts", "messages", "recordings"), "integer")


@each_file
def test_each_record_names_its_account(path: Path) -> None:
    """Every stream but accounts has the account that a record belongs to."""
    properties = load(path)["properties"]
    assert ("account_sid" in properties) == (path.stem != "accounts")


@each_file
def test_no_secret(path: Path) -> None:
    """The token of an account, a live secret, is in no schema."""
    assert path.read_text(encoding="utf-8").count("auth_token") == 0


@each_file
def test_no_closed_values(path: Path) -> None:
    """Values are not enumerated, since Twilio adds to them."""
    assert [name for name, field in fields(load(path)) if "enum" in field or "const" in field] == []
