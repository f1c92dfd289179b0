"""What Airbyte's own source-twilio 0.16.0 leaves behind: `python -m unit_tests.handover`.

Runs the published package, in an environment of its own, against the sandbox. Writes handover.json,
the rows that it read and the state that it printed last, as it is: test_migrate.py goes on from
there. And tools/airbyte_0_16.json: its streams with their keys and cursor fields.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from bench.contenders import Task, airbyte_peer, discovered, output_of
from bench.peers import PEERS
from sandbox import Sandbox
from sandbox.data import Holder

FILE = Path(__file__).with_suffix(".json")
CATALOG = Path(__file__).parents[1] / "tools" / "airbyte_0_16.json"
START = "2026-06-01T00:00:00Z"
# 0.16.0 fails if alerts are asked from before what Twilio keeps, so they have been begun later.
ALERTS_START = "2026-11-01T00:00:00Z"
HOLDERS: list[Holder] = [("Main", "active", 0.02), ("One", "active", 0.01)]
INCREMENTAL = (
    "alerts",
    "calls",
    "conferences",
    "message_media",
    "messages",
    "recordings",
    "usage_records",
)


def twilio(clock: datetime) -> Sandbox:
    """Return the Twilio that is handed over, at the moment at which 0.16.0 began to read it."""
    return Sandbox(seed=16, holders=HOLDERS, clock=clock, page_size_max=50)


def identity(stream: str, row: dict[str, Any]) -> str:
    """Return what tells a row apart from the others of its stream."""
    fields = ("account_sid", "category", "start_date") if stream == "usage_records" else ("sid",)
    return " ".join(row[field] for field in fields)


def record() -> dict[str, Any]:
    """Run the published package, write what its streams are, and return what it leaves."""
    began = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    read: dict[str, set[str]] = {name: set() for name in INCREMENTAL}
    states: dict[str, Any] = {}
    with twilio(began) as here, TemporaryDirectory() as folder:
        output: list[bytes] = []
        for streams, start in ((INCREMENTAL[1:], START), (INCREMENTAL[:1], ALERTS_START)):
            task = Task(here, Path(folder), streams, {"start_date": start})
            output += output_of(airbyte_peer().command(task), task).splitlines()
        for message in map(orjson.loads, output):
            if message["type"] == "RECORD":
                stream = message["record"]["stream"]
                read[stream].add(identity(stream, message["record"]["data"]))
            elif message["type"] == "STATE":
                states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        program = PEERS / "airbyte-source-twilio" / "bin" / "source-twilio"
        catalog = discovered(program, task.config(), task)
    for state in states.values():
        state.pop("sourceStats", None)
    entries = {
        stream["name"]: {
            "primary_key": [
                ".".join(path) for path in stream.get("source_defined_primary_key", [])
            ],
            "cursor_field": (stream.get("default_cursor_field") or [None])[0],
        }
        for stream in catalog
    }
    lines = [f" {json.dumps(name)}: {json.dumps(entries[name])}" for name in sorted(entries)]
    CATALOG.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    return {
        "began": began.isoformat(),
        "read": {name: sorted(rows) for name, rows in read.items()},
        "state": [states[name] for name in sorted(states)],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(), indent=1) + "\n", "utf-8")
