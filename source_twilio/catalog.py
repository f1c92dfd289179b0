"""The catalog, from the manifest and the schemas: to build the streams takes the CDK seconds."""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from airbyte_cdk.models import AirbyteCatalog, AirbyteStream, SyncMode
from airbyte_cdk.utils.yaml_loader import safe_load_yaml

HERE = Path(__file__).parent


def manifest(names: Collection[str] | None = None) -> dict[str, Any]:
    """Return the manifest with the named streams and those that they need, or with all.

    The CDK takes about 12 ms of CPU at each start for a stream that nobody reads.
    """
    whole: dict[str, Any] = safe_load_yaml((HERE / "manifest.yaml").read_bytes())
    if names is None:
        return whole
    streams = whole["definitions"].pop("streams")
    needed, found = {}, [*names, *streams_in(whole["definitions"])]
    while found:
        name = found.pop()
        if name in streams and name not in needed:
            needed[name] = streams[name]
            found += streams_in(streams[name])
    whole["definitions"]["streams"] = {name: streams[name] for name in streams if name in needed}
    # `accounts` in any case: the CDK refuses a manifest without a stream.
    kept = {*names, "accounts"}
    whole["streams"] = [row for row in whole["streams"] if kept.intersection(streams_in(row))]
    return whole


def streams_in(part: Any) -> list[str]:
    """Return the names of the streams that a part of the manifest refers to."""
    return re.findall(r"#/definitions/streams/(\w+)", str(part))


def whole_catalog() -> AirbyteCatalog:
    """Return what the CDK's own `discover` returns of this manifest."""
    definitions = manifest()["definitions"]
    # Streams are listed as they are defined.
    return AirbyteCatalog(
        streams=[
            described(name, with_references(stream, definitions), definitions)
            for name, stream in definitions["streams"].items()
        ]
    )


def described(
    name: str, stream: Mapping[str, Any], definitions: Mapping[str, Any]
) -> AirbyteStream:
    """Return a stream as the catalog has it."""
    schema = json.loads((HERE / "schemas" / f"{name}.json").read_text("utf-8"))
    parameters = stream["$parameters"]
    key = parameters["primary_key"]
    described = AirbyteStream(
        name=name,
        json_schema=schema,
        supported_sync_modes=[SyncMode.full_refresh],
        source_defined_primary_key=[[field] for field in ([key] if isinstance(key, str) else key)],
        is_resumable=False,
        is_file_based=False,
    )
    if "incremental_sync" in stream:
        cursor = with_references(stream["incremental_sync"], definitions)
        described.supported_sync_modes.append(SyncMode.incremental)
        described.default_cursor_field = [cursor.get("cursor_field") or parameters["cursor_field"]]
        described.source_defined_cursor = described.is_resumable = True
    return described


def with_references(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of the manifest with the fields that its `$ref` gives it."""
    found = dict(part)
    while reference := found.pop("$ref", None):
        base: Any = {"definitions": definitions}
        for name in reference.removeprefix("#/").split("/"):
            base = base[name]
        found = {**base, **found}
    return found
