"""The record schemas: one valid file per stream, every field typed and described."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sandbox.fields import DATES, RESOURCES, Field
from sandbox.streams import PACKAGE, STREAMS

FOLDER = PACKAGE / "schemas"
# Numbers that travel as strings (BEHAVIOR 4).
NUMBERS = {
    **dict.fromkeys(("balance", "count", "current_value", "price"), "number"),
    **dict.fromkeys(("trigger_value", "usage"), "number"),
    **dict.fromkeys(("duration", "error_code", "num_media", "num_segments"), "integer"),
    "queue_time": "integer",
}
# Fields of Twilio's that are in no record: a live token and a one-time code (BEHAVIOR 2).
LEFT_OUT = {
    ("accounts", "auth_token"),
    ("channel_senders", "verification_code"),
    ("hosted_number_orders", "verification_code"),
}
# Fields of records that Twilio's table lacks: seen in answers only.
SEEN = {
    ("calls", "annotation"),
    ("incoming_phone_numbers", "subresource_uris"),
    ("queues", "subresource_uris"),
}
# Seconds from the start of the audio, as text.
NO_DATES = {("intelligence_sentences", "start_time"), ("intelligence_sentences", "end_time")}
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
        if items := field.get("items"):
            yield f"{prefix}{name}[]", items
            yield from fields(items, f"{prefix}{name}[].")


def kind(field: dict[str, Any]) -> Any:
    """Return the type of a field without its null."""
    declared = field["type"]
    return declared[1] if declared[:1] == ["null"] and len(declared) == 2 else declared


def test_each_stream_has_a_file() -> None:
    """The folder holds the streams and nothing else."""
    assert sorted(path.name for path in FOLDER.iterdir()) == [
        f"{name}.json" for name in sorted(STREAMS)
    ]


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
    """A field is a scalar, an open object or a list of such, with or without null."""
    wrong = {
        name: field.get("type")
        for name, field in fields(load(path))
        if kind(field) not in SCALARS
        and (kind(field) != "array" or "items" not in field)
        and (kind(field), field.get("additionalProperties")) != ("object", True)
    }
    assert wrong == {}


@each_file
def test_each_field_has_a_description(path: Path) -> None:
    """A description is one line of at most 110 characters that ends with a full stop."""
    wrong = {
        name: text
        for name, field in fields(load(path))
        if not name.endswith("[]")
        and (
            (text := field.get("description", ""))[-1:] != "."
            or len(text) > 110
            or text.splitlines() != [text.strip()]
        )
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
    strings = {
        name: field
        for name, field in dates.items()
        if kind(field) == "string" and (path.stem, name) not in NO_DATES
    }
    assert [name for name, field in strings.items() if "format" not in field] == []


def expected_type(name: str, field: Field) -> tuple[str, str | None]:
    """Return type and format of the record of a field that Twilio describes so."""
    if field.format in DATES:
        return "string", field.format.removesuffix("-rfc-2822")
    if field.type == "string" and name in ("as_of", "timestamp"):
        # Twilio's table has no format for it.
        return "string", "date-time"
    if field.type == "string":
        return NUMBERS.get(name, "string"), None
    # What Twilio leaves without a type is an object, by its name or its examples.
    return {"any": "object"}.get(field.type, field.type.partition("<")[0]), None


@pytest.mark.parametrize("name", STREAMS)
def test_fields_are_twilios(name: str) -> None:
    """The fields are those of Twilio's table, with its types, and those that we add."""
    properties, twilios = load(FOLDER / f"{name}.json")["properties"], RESOURCES[name].fields
    added = STREAMS[name].added
    seen = {field for stream, field in SEEN if stream == name}
    left_out = {field for stream, field in LEFT_OUT if stream == name}
    assert set(properties) == {*twilios} - left_out | added | seen
    found = {n: (kind(f), f.get("format")) for n, f in properties.items() if n in twilios}
    assert found == {n: expected_type(n, twilios[n]) for n in found}
    items = {n: kind(f["items"]) for n, f in properties.items() if n in twilios and "items" in f}
    told = {n: twilios[n].type.removeprefix("array<").removesuffix(">") for n in items}
    assert items == {n: items[n] if of == "any" else of for n, of in told.items()}


@pytest.mark.parametrize("name", STREAMS)
def test_parts_are_twilios(name: str) -> None:
    """An object has the properties that Twilio's table names, where it names any."""
    properties = load(FOLDER / f"{name}.json")["properties"]
    left_out = {field for stream, field in LEFT_OUT if stream == name}
    missing = {
        field: [part for part in twilios.properties if part not in {*declared} | left_out]
        for field, twilios in RESOURCES[name].fields.items()
        if (whole := properties.get(field))
        and (declared := whole.get("items", whole).get("properties", {})) is not None
    }
    assert missing == dict.fromkeys(missing, [])


@pytest.mark.parametrize("name", STREAMS)
def test_key_comes_first_and_is_never_null(name: str) -> None:
    """The fields of the primary key lead, and are all that is null to Twilio and never to us.

    The most selective one is the first: some loaders look at that one alone.
    """
    properties, twilios = load(FOLDER / f"{name}.json")["properties"], RESOURCES[name].fields
    key = STREAMS[name].key
    assert list(properties)[: len(key)] == key
    filled = [n for n, field in properties.items() if isinstance(field["type"], str)]
    never_null = {n for n, field in twilios.items() if not field.nullable}
    assert [n for n in filled if n not in never_null] == [n for n in key if n not in never_null]
    assert set(key) <= set(filled)


def test_capabilities_in_both_spellings() -> None:
    """Twilio spells the capabilities of a number as `sms` here and as `SMS` there."""
    found = {
        path.stem: list(field["properties"])
        for path in FOLDER.iterdir()
        if (field := load(path)["properties"].get("capabilities")) and kind(field) == "object"
    }
    assert found == dict.fromkeys(found, ["voice", "Voice", "sms", "SMS", "mms", "MMS", "fax"])
    assert {"incoming_phone_numbers", "dependent_phone_numbers"} <= {*found}


def test_error_codes_join() -> None:
    """An error code has the same type in each stream, so that streams join on it."""
    kinds = {
        path.stem: kind(field)
        for path in FOLDER.iterdir()
        if (field := load(path)["properties"].get("error_code"))
    }
    assert kinds == dict.fromkeys(kinds, "integer")
    assert {"alerts", "messages", "recordings"} <= {*kinds}


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
