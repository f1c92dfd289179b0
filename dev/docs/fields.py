"""Adds lists to Twilio's table: `python -m dev.docs.fields FILE STREAM=PATH ...`.

FILE is one of Twilio's OpenAPI files (github.com/twilio/twilio-oai, spec/json), such as
`twilio_api_v2010.json`; PATH is the path of a list there. The table keeps all other streams.
`sandbox/fields.py` explains the form of the table and reads it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Part = Mapping[str, Any]
# Not by importing the sandbox, which may want an entry that is not there yet.
TABLE = Path(__file__).parents[2] / "sandbox" / "fields.json"
SID = re.compile(r"\^(\(?\w\w(?:\|\w\w)*\)?|\[a-zA-Z\]\{2\})\[0-9a-fA-F\]\{32\}\$")
SIZES = ("PageSize", "pageSize", "Size")
PAGING = ("Page", "PageToken", "pageToken", "Token", *SIZES)
TOKENS = ("nextToken", "next_token")


def resolved(spec: Part, part: Part) -> Part:
    """Return a part of the file without `$ref`; what stands beside it stays."""
    while "$ref" in part:
        found: Any = spec
        for name in part["$ref"].split("/")[1:]:
            found = found[name]
        part = {**found, **{name: value for name, value in part.items() if name != "$ref"}}
    return part


def compact(spec: Part, part: Part, examples: Iterable[Any] = ()) -> str:
    """Return a field or parameter as the table writes it."""
    part = resolved(spec, part)
    items = resolved(spec, part.get("items", {}))
    # The OpenAPI files leave some objects without a type.
    untyped = "object" if any(isinstance(value, dict) for value in examples) else "any"
    kind = part.get("type", untyped)
    if kind == "array":
        kind = f"array<{items.get('type', 'any')}>"
    text = f"{kind}{'?' if part.get('nullable') else ''}"
    text += f":{part['format']}" if part.get("format") else ""
    if sid := SID.fullmatch(part.get("pattern", "")):
        return f"{text}:sid {sid[1].strip('()')}".replace(" [a-zA-Z]{2}", "")
    if "enum" in part:
        return f"{text} {'|'.join(map(str, part['enum']))}"
    if names := part.get("properties") or items.get("properties"):
        return f"{text} {','.join(sorted(names))}"
    return text


def row(spec: Part, path: str) -> dict[str, Any]:
    """Return the entry of the table of a list; a body without pages is itself the record."""
    get = spec["paths"][path]["get"]
    content = get["responses"]["200"]["content"]["application/json"]
    fields = resolved(spec, content["schema"])["properties"]
    bodies = [example["value"] for example in content.get("examples", {}).values()]
    paging = "uri" if "next_page_uri" in fields else None
    if "meta" in fields:
        meta = resolved(spec, fields["meta"]).get("properties", {})
        paging = next((name for name in TOKENS if name in meta), "meta")
    list_key = None
    if paging:
        [list_key] = [name for name, part in fields.items() if part.get("type") == "array"]
        bodies = [item for body in bodies for item in body[list_key]]
        fields = resolved(spec, fields[list_key]["items"])["properties"]
    params = {
        one["name"]: one["schema"] for one in get.get("parameters", []) if one["in"] == "query"
    }
    [server] = spec["paths"][path].get("servers") or spec["servers"]
    return {
        "url": server["url"] + path,
        "list_key": list_key,
        "paging": paging,
        "page_size": next((params[n].get("maximum") for n in SIZES if n in params), None),
        "params": {n: compact(spec, part) for n, part in params.items() if n not in PAGING},
        "fields": {
            name: compact(spec, part, [body.get(name) for body in bodies])
            for name, part in fields.items()
        },
    }


def main() -> int:
    """Write the table: one line for each stream, in the order of the alphabet."""
    parser = argparse.ArgumentParser("python -m dev.docs.fields", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("streams", nargs="+", metavar="STREAM=PATH")
    given = parser.parse_args()
    spec, table = json.loads(given.file.read_text("utf-8")), json.loads(TABLE.read_text("utf-8"))
    for text in given.streams:
        name, _, path = text.partition("=")
        if "get" not in spec["paths"].get(path, {}):
            print(f"{given.file} has no GET {path or text}.", file=sys.stderr)
            return 1
        table[name] = row(spec, path)
    lines = [f"{json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table)]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
