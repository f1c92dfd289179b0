"""Values that nobody expected cost no more than themselves, in DuckDB and in PostgreSQL."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from source_twilio.records import parse
from twilio_warehouse.destination import Destination
from twilio_warehouse.progress import Progress
from twilio_warehouse.sync import Sync
from twilio_warehouse.tables import type_of

ACCOUNT = "AC" + "a" * 32
NULL = "\0"
MOMENT = datetime(2026, 1, 15, tzinfo=timezone.utc)
PROPERTIES: dict[str, Any] = {
    "sid": {"type": ["null", "string"]},
    "day": {"type": ["null", "string"], "format": "date"},
    "date_created": {"type": ["null", "string"], "format": "date-time"},
    "price": {"type": ["null", "number"]},
    "number": {"type": ["null", "integer"]},
    "muted": {"type": ["null", "boolean"]},
    "body": {"type": ["null", "string"]},
    "details": {"type": ["null", "object"]},
}
STREAM = {
    "name": "things",
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_primary_key": [["sid"], ["day"]],
    "json_schema": {"properties": PROPERTIES},
}
GOOD = {"sid": "SM1", "day": "2026-01-15"}


class Given:
    """In place of the connector: what it would emit of bodies."""

    config = {"account_sid": ACCOUNT}

    def __init__(self, rows: list[bytes]) -> None:
        """Take the rows."""
        self.rows = rows

    def read(self, *_: Any) -> Iterator[dict[str, Any]]:
        """Yield messages."""
        for row in self.rows:
            yield {"type": "RECORD", "record": {"stream": "things", "data": parse(row)}}
        status = {"stream_descriptor": {"name": "things"}, "status": "COMPLETE"}
        yield {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": status}}


@pytest.fixture(params=["duckdb", "postgres"])
def destination(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A destination without tables."""
    monkeypatch.chdir(tmp_path)
    if request.param == "postgres":
        import psycopg2

        url = request.getfixturevalue("postgres")
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("drop schema if exists twilio, twilio_staging cascade")
        connection.close()
    return str(request.param)


def loaded(destination: str, rows: list[bytes]) -> tuple[list[dict[str, Any]], list[str]]:
    """Sync rows; return what the table holds without what is empty, and the notes."""
    with Destination(destination, Path("twilio.duckdb")) as database:
        database.open()
        progress = Progress(1)
        Sync(Given(rows), database, [STREAM], progress).run()  # type: ignore[arg-type]
    query = "select * from {}things order by sid"
    cursor: Any
    if destination == "duckdb":
        connection = duckdb.connect("twilio.duckdb", read_only=True)
        cursor = connection.execute(query.format(""))
    else:
        import psycopg2

        connection = psycopg2.connect(os.environ["DESTINATION__POSTGRES__CREDENTIALS"])
        cursor = connection.cursor()
        cursor.execute(query.format("twilio."))
    names = [column[0] for column in cursor.description]
    found = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    connection.close()
    kept = [
        {n: v for n, v in row.items() if v is not None and not n.startswith("_dlt")}
        for row in found
    ]
    return kept, [*progress.warnings]


KEYS = "things: 1 rows without a key (sid, day) are left out."


def empty(column: str, kind: str) -> str:
    """Return the note about a value that is left empty."""
    return f"things.{column}: 1 values are not of type {kind}, and left empty."


# Fields beside those of a good row or in place of them, what is loaded of them where that is not
# the row (None: no row), and the notes.
VALUES: dict[str, tuple[str, dict[str, Any] | None, list[str]]] = {
    "a null key": ('"sid": null', None, [KEYS]),
    "a key of another type": ('"day": "2026-01-15T00:00:00Z"', None, [KEYS]),
    "a key that is no day": ('"day": ["2026-01-15"]', None, [KEYS]),
    "NaN as text": ('"price": "NaN"', {}, [empty("price", "decimal")]),
    "NaN": ('"price": NaN', {}, [empty("price", "decimal")]),
    "infinity": ('"price": "-Infinity"', {}, [empty("price", "decimal")]),
    "a number beyond the column": ('"price": 1e30', {}, [empty("price", "decimal")]),
    "a long number": ('"price": "99999999999999999999"', {"price": Decimal("9" * 20)}, []),
    "an integer beyond 64 bits": ('"number": 1e19', {}, [empty("number", "bigint")]),
    "text for an integer": ('"number": "1e19"', {}, [empty("number", "bigint")]),
    "the largest integer": ('"number": 9223372036854775807', {"number": 2**63 - 1}, []),
    "text for a boolean": ('"muted": "maybe"', {}, [empty("muted", "bool")]),
    "0 for a boolean": ('"muted": 0', {"muted": False}, []),
    "2 for a boolean": ('"muted": 2', {}, [empty("muted", "bool")]),
    "no moment": ('"date_created": "soon"', {}, [empty("date_created", "timestamp")]),
    "a list for text": ('"body": ["a"]', {"body": '["a"]'}, []),
    "capitals": ('"SID": "other"', {"sid_c1b1383e": "other"}, []),
    "camel case": (
        '"dateCreated": "other", "date_created": "2026-01-15T00:00:00Z"',
        {"date_created_60075644": "other", "date_created": MOMENT},
        [],
    ),
    "camel case alone": ('"dateCreated": "other"', {"date_created_60075644": "other"}, []),
    "an empty name": ('"": "other"', {"unnamed_00000000": "other"}, []),
    "a name of dlt's": ('"_dlt_id": "other"', {"dlt_id_fa0bbac9": "other"}, []),
    "a new field": ('"new": "other"', {"new": "other"}, []),
    "text for JSON": ('"details": "text"', {"details": "text"}, []),
    "text that is JSON": ('"details": "[1]"', {"details": "[1]"}, []),
    "a number for JSON": ('"details": 5', {"details": 5}, []),
    "false for JSON": ('"details": false', {"details": False}, []),
    "U+0000 in a list": ('"details": ["a\\u0000b"]', {"details": [f"a{NULL}b"]}, []),
    "U+0000 in a name": ('"details": {"a\\u0000b": 1}', {"details": {f"a{NULL}b": 1}}, []),
    "U+0000 in text": ('"body": "a\\u0000b"', {"body": f"a{NULL}b"}, []),
    "U+0000 in a new list": ('"new": ["a\\u0000b"]', {"new": [f"a{NULL}b"]}, []),
    "a backslash and u0000": ('"details": ["\\\\u0000"]', {"details": ["\\u0000"]}, []),
}


@pytest.mark.parametrize("case", VALUES)
def test_values(case: str, destination: str) -> None:
    """Each costs no more than itself, and a note says so; the other rows are loaded."""
    fields, loads, notes = VALUES[case]
    # Of two fields with one name JSON's readers take the last.
    odd = f"{json.dumps(GOOD)[:-1]}, {fields}}}"
    rows, said = loaded(destination, [odd.encode(), json.dumps({**GOOD, "sid": "SM0"}).encode()])
    kinds = {name: type_of(field) for name, field in PROPERTIES.items()}
    if destination == "duckdb":
        # As text; what no schema declares is JSON there.
        rows = [
            {n: json.loads(v) if kinds.get(n, "json") == "json" else v for n, v in row.items()}
            for row in rows
        ]
    day = {"day": date(2026, 1, 15)}
    first, *more = rows
    assert first == {"sid": "SM0", **day}
    expected = [] if loads is None else [{"sid": "SM1", **day, **loads}]
    # PostgreSQL has no U+0000, in text either.
    held = NULL if destination == "duckdb" else ""
    assert more == json_with(expected, held)
    assert said == notes


def json_with(value: Any, held: str) -> Any:
    """Return a value with something in place of U+0000."""
    if isinstance(value, dict):
        return {json_with(name, held): json_with(item, held) for name, item in value.items()}
    if isinstance(value, list):
        return [json_with(item, held) for item in value]
    return value.replace(NULL, held) if isinstance(value, str) else value


def test_absent_key(destination: str) -> None:
    """Also a key that is not there leaves no more than its row out."""
    rows = [b'{"day": "2026-01-15"}', json.dumps(GOOD).encode()]
    assert loaded(destination, rows) == ([{"sid": "SM1", "day": date(2026, 1, 15)}], [KEYS])
