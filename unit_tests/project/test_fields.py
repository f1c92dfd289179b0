"""Twilio's table is drawn from Twilio's OpenAPI files by one command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dev.docs import fields

SID = {"type": "string", "pattern": "^MG[0-9a-fA-F]{32}$", "nullable": True}
SCHEMAS = {
    "meta": {"properties": {"key": {}, "nextToken": {"type": "string"}}},
    "status": {"type": "string", "enum": ["on", "off"]},
    "row": {
        "properties": {
            "sid": SID,
            "any_sid": {**SID, "pattern": "^[a-zA-Z]{2}[0-9a-fA-F]{32}$"},
            "status": {"$ref": "#/components/schemas/status", "nullable": True},
            "date": {"type": "string", "format": "date-time"},
            "parts": {
                "type": "array",
                "items": {"type": "object", "properties": {"b": {}, "a": {}}},
            },
            "untyped": {"nullable": True},
            "unknown": {},
        }
    },
}
SIZE = {"name": "PageSize", "in": "query", "schema": {"type": "integer", "maximum": 50}}
BY_TOKEN = [{**SIZE, "name": "pageSize"}, {"name": "pageToken", "in": "query", "schema": {}}]
STATUS = {"name": "Status", "in": "query", "schema": {"$ref": "#/components/schemas/status"}}
PLACE = {"name": "Sid", "in": "path", "schema": {"type": "string"}}


def get(properties: dict[str, Any], *parameters: Any, example: Any = None) -> dict[str, Any]:
    """Return a path whose answer has these properties."""
    examples = {"one": {"value": example}} if example is not None else {}
    content = {"schema": {"properties": properties}, "examples": examples}
    answer = {"content": {"application/json": content}}
    return {"get": {"parameters": [*parameters], "responses": {"200": answer}}}


ROWS = {"type": "array", "items": {"$ref": "#/components/schemas/row"}}
EXAMPLE = {"rows": [{"untyped": None}, {"untyped": {"any": "thing"}}], "meta": {}}
SPEC = {
    "servers": [{"url": "https://product.twilio.com"}],
    "paths": {
        "/v1/Rows": get({"rows": ROWS, "meta": {}}, SIZE, STATUS, PLACE, example=EXAMPLE),
        "/2010/Rows.json": {
            "servers": [{"url": "https://api.twilio.com"}],
            **get({"rows": ROWS, "next_page_uri": {}}, example={"rows": []}),
        },
        "/v3/Rows": get({"rows": ROWS, "meta": {"$ref": "#/components/schemas/meta"}}, *BY_TOKEN),
        "/v1/Object": get({"balance": {"type": "string"}}, example={}),
        "/v1/Made": {"post": {}},
    },
    "components": {"schemas": SCHEMAS},
}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table with one list, and Twilio's file beside it."""
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    path = tmp_path / "fields.json"
    path.write_text('{"b": {"url": "kept"}}')
    monkeypatch.setattr(fields, "TABLE", path)
    return path


def run(table: Path, monkeypatch: pytest.MonkeyPatch, *streams: str) -> int:
    """Run the command."""
    monkeypatch.setattr(sys, "argv", ["fields", str(table.with_name("spec.json")), *streams])
    return fields.main()


def test_a_list_is_added(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Server, path, list key, paging, parameters and fields; other lines stay, all in order."""
    assert run(table, monkeypatch, "c=/v1/Rows", "a=/2010/Rows.json", "d=/v1/Object") == 0
    lines = table.read_text("utf-8").splitlines()
    assert [line[:4] for line in lines[1:-1]] == ['"a":', '"b":', '"c":', '"d":']
    found = json.loads(table.read_text("utf-8"))
    assert found["b"] == {"url": "kept"}
    assert found["c"] == {
        "url": "https://product.twilio.com/v1/Rows",
        "list_key": "rows",
        "paging": "meta",
        "page_size": 50,
        "params": {"Status": "string on|off"},
        "fields": {
            "sid": "string?:sid MG",
            "any_sid": "string?:sid",
            "status": "string? on|off",
            "date": "string:date-time",
            "parts": "array<object> a,b",
            "untyped": "object?",
            "unknown": "any",
        },
    }
    assert found["a"]["url"] == "https://api.twilio.com/2010/Rows.json"
    assert (found["a"]["paging"], found["a"]["page_size"]) == ("uri", None)
    assert found["d"] == {
        "url": "https://product.twilio.com/v1/Object",
        "list_key": None,
        "paging": None,
        "page_size": None,
        "params": {},
        "fields": {"balance": "string"},
    }


def test_pages_with_tokens(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newer APIs name size and token in their own way, and have no link."""
    assert run(table, monkeypatch, "a=/v3/Rows") == 0
    found = json.loads(table.read_text("utf-8"))["a"]
    assert (found["paging"], found["page_size"], found["params"]) == ("nextToken", 50, {})


@pytest.mark.parametrize(("stream", "path"), [("a=/v1/Row", "/v1/Row"), ("a=/v1/Made", "/v1/Made")])
def test_a_list_that_is_not_there(
    stream: str,
    path: str,
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A path that Twilio's file has no list at is named, and the table stays."""
    assert run(table, monkeypatch, stream) == 1
    assert f"has no GET {path}." in capsys.readouterr().err
    assert json.loads(table.read_text("utf-8")) == {"b": {"url": "kept"}}
