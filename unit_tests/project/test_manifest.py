"""The manifest itself: no misspelt key, and the shape that the README promises."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import (
    ManifestReferenceResolver,
)

from source_twilio import components

PACKAGE = Path(components.__file__).parent
MANIFEST: dict[str, Any] = yaml.safe_load((PACKAGE / "manifest.yaml").read_text("utf-8"))
RESOLVED: dict[str, Any] = dict(ManifestReferenceResolver().preprocess_manifest(MANIFEST))
STREAMS: dict[str, Any] = MANIFEST["definitions"]["streams"]


def known_keys() -> dict[str, set[str]]:
    """Return the keys of each component that the CDK defines and that takes no others."""
    text = pkgutil.get_data("airbyte_cdk", "sources/declarative/declarative_component_schema.yaml")
    definitions = yaml.safe_load(text or b"")["definitions"]
    return {
        name: {*definition["properties"], "$parameters"}
        for name, definition in definitions.items()
        if "properties" in definition and not name.startswith("Custom")
    }


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a tree."""
    if isinstance(node, dict):
        yield node
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from nodes(child)


def test_no_unknown_key() -> None:
    """The CDK accepts a misspelt key in silence; this does not."""
    known = known_keys()
    components_used = [
        node for node in nodes({**RESOLVED, "spec": {}}) if isinstance(node.get("type"), str)
    ]
    unknown = [
        (node["type"], key)
        for node in components_used
        for key in node
        if node["type"] in known and key not in known[node["type"]]
    ]
    assert unknown == []


def test_custom_components_exist_and_say_why() -> None:
    """Each class that the manifest names exists and opens with why YAML could not do it."""
    names = {
        node["class_name"].removeprefix("source_declarative_manifest.components.")
        for node in nodes(RESOLVED)
        if "class_name" in node
    }
    missing = [n for n in names if "Why not YAML" not in (getattr(components, n).__doc__ or "")]
    assert missing == []


def test_streams_are_listed_in_order() -> None:
    """Every stream is listed, alphabetically, under the name of its definition and schema."""
    assert [*STREAMS] == sorted(path.stem for path in (PACKAGE / "schemas").iterdir())
    assert [stream["$ref"] for stream in MANIFEST["streams"]] == [
        f"#/definitions/streams/{name}" for name in STREAMS
    ]
    assert [stream["$parameters"]["name"] for stream in STREAMS.values()] == [*STREAMS]


@pytest.mark.parametrize("name", STREAMS)
def test_primary_key_and_cursor_are_in_the_schema(name: str) -> None:
    """No stream has an empty primary key, and what it names exists."""
    parameters = RESOLVED["definitions"]["streams"][name]["$parameters"]
    schema = json.loads((PACKAGE / "schemas" / f"{name}.json").read_text("utf-8"))
    key = parameters["primary_key"]
    named = [key] if isinstance(key, str) else list(key)
    named += [parameters[k] for k in ("cursor_field",) if k in parameters]
    assert named != []
    assert [field for field in named if field not in schema["properties"]] == []
