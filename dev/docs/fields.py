"""Twilio's fields in a compact table: `python -m dev.docs.fields FILE [STREAM[=ENTRY] ...]`.

FILE is a JSON object of lists by name, as drawn from Twilio's OpenAPI files: the path and the
server of each list, its fields and its parameters with their types. The table keeps the streams
that it has and takes the ones that are named, ENTRY being the name of the list in FILE where it is
not the stream's. `sandbox/fields.py` explains the form of the table and reads it.

A list whose items have a page of their own (a `detail`) becomes two entries: the detail under the
name of the stream, and the list under that name and `_list`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]
# Not by importing the sandbox, which may want an entry that is not there yet.
TABLE = Path(__file__).parents[2] / "sandbox" / "fields.json"
SID = re.compile(r"\^(\(?\w\w(?:\|\w\w)*\)?|\[a-zA-Z\]\{2\})\[0-9a-fA-F\]\{32\}\$")
PAGING = ("Page", "PageSize", "PageToken")


def kind(spec: Entry) -> str:
    """Return the type of a field or parameter in one word."""
    name = spec["type"]
    if not name:
        # The OpenAPI files leave some objects without a type.
        name = "object" if "object" in spec.get("example_types", []) else "any"
    if name == "array":
        name = f"array<{spec.get('items') or 'any'}>"
    return f"{name}{'?' if spec.get('nullable') else ''}"


def compact(spec: Entry) -> str:
    """Return a field or parameter as the table writes it."""
    text = kind(spec) + (f":{spec['format']}" if spec.get("format") else "")
    if sid := SID.fullmatch(spec.get("pattern", "")):
        return f"{text}:sid {sid[1].strip('()')}".replace(" [a-zA-Z]{2}", "")
    if "enum" in spec:
        return f"{text} {'|'.join(map(str, spec['enum']))}"
    if names := spec.get("properties") or spec.get("item_properties"):
        return f"{text} {','.join(names)}"
    return text


def rows(name: str, entry_name: str, entry: Entry) -> dict[str, Any]:
    """Return the entry of a list."""
    listed = {
        "entry": entry_name,
        "url": entry["server"] + entry["openapi"]["path"],
        "list_key": entry["list_key"],
        "paging": entry["paging"],
        "page_size": entry["page_size_max"],
        "params": {k: compact(v) for k, v in entry["params"].items() if k not in PAGING},
        "fields": {k: compact(v) for k, v in entry["fields"].items()},
    }
    if "detail" not in entry:
        return {name: listed}
    detail = {
        "entry": entry_name,
        "url": entry["server"] + entry["detail"]["path"],
        "list_key": None,
        "paging": None,
        "page_size": None,
        "params": {},
        "fields": {k: compact(v) for k, v in entry["detail"]["fields"].items()},
    }
    return {name: detail, f"{name}_list": listed}


def table(source: Entry, wanted: Mapping[str, str]) -> str:
    """Return the table: one line for each stream, in alphabetical order."""
    found: dict[str, Any] = {}
    for name, entry in wanted.items():
        found |= rows(name, entry, source[entry])
    lines = [f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser("python -m dev.docs.fields", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("streams", nargs="*", metavar="STREAM[=ENTRY]")
    given = parser.parse_args()
    known = json.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}
    wanted = {
        name: row["entry"]
        for name, row in known.items()
        if not (name.endswith("_list") and name.removesuffix("_list") in known)
    }
    for text in given.streams:
        name, _, entry = text.partition("=")
        wanted[name] = entry or name
    source = json.loads(given.file.read_text("utf-8"))
    if missing := sorted(set(wanted.values()) - set(source)):
        print(f"{given.file} has no {', '.join(missing)}.", file=sys.stderr)
        return 1
    TABLE.write_text(table(source, wanted), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
