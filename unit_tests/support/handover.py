"""What Airbyte's own source-twilio 0.16.0 leaves behind: `python -m unit_tests.support.handover`.

Runs the published package, in an environment of its own, against the sandbox. Writes handover.json,
the rows that it read and the state that it printed last, as it is: test_migrate.py goes on from
there. And twilio_warehouse/airbyte_0_16.json: its streams with their keys and cursor fields.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from dev.bench.candidates import Task, airbyte_competitor, discover, output_of
from dev.bench.competitors import COMPETITORS
from sandbox import Sandbox
from sandbox.data import AccountSpec

FILE = Path(__file__).with_suffix(".json")
CATALOG = Path(__file__).parents[2] / "twilio_warehouse" / "airbyte_0_16.json"
START = "2026-06-01T00:00:00Z"
# 0.16.0 fails if alerts are asked from before what Twilio keeps, so they have been begun later.
ALERTS_START = "2026-11-01T00:00:00Z"
HOLDERS: list[AccountSpec] = [("Main", "active", 0), ("One", "active", 0)]
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
    """Return the Twilio that is handed over, at the moment at which 0.16.0 began to read it.

    Its rows are made here, so that the sandbox may change without a new recording.
    """
    here = Sandbox(seed=16, scale=0, account_specs=HOLDERS, clock=clock, page_size_max=50)
    for account in here.accounts:
        for stream in INCREMENTAL:
            here.rows(stream, account.sid)
    for (stream, _, _), table in here._store.tables.items():
        if stream in INCREMENTAL:
            table.rows.clear()
            table.invalidate()
    dice = random.Random(16)
    for account, count in zip(here.accounts, (48, 24), strict=True):
        for stream, make in MADE.items():
            for number in range(count):
                days = dice.uniform(0, 22 if stream == "alerts" else 175)
                created = clock - timedelta(seconds=int(days * 86400) + 600)
                fields = make(number, created)
                if stream != "usage_records":
                    fields["date_created"] = created
                    fields["sid"] = f"{PREFIXES[stream]}{dice.getrandbits(128):032x}"
                here.add(stream, account.sid, **fields)
                if fields.get("num_media") == "1":
                    sid = f"ME{dice.getrandbits(128):032x}"
                    here.add(
                        "message_media", account.sid, fields["sid"], sid=sid, date_created=created
                    )
    return here


def message(number: int, created: datetime) -> dict[str, Any]:
    """Return a message: one in eight is never sent, one in six has media."""
    sent = created + timedelta(seconds=number)
    media = {"num_media": str(int(number % 6 == 0)), "date_updated": sent}
    if number % 8 == 0:
        return {"date_sent": None, "status": "failed", **media}
    return {"date_sent": sent, "status": "delivered", **media}


def call(number: int, created: datetime) -> dict[str, Any]:
    """Return a call: one in eight is never dialled, the others take up to four hours."""
    end = created + timedelta(minutes=5 * number)
    if number % 8 == 0:
        return {"start_time": None, "end_time": None, "status": "canceled"}
    return {"start_time": created, "end_time": end, "date_updated": end, "status": "completed"}


def conference(number: int, created: datetime) -> dict[str, Any]:
    """Return a conference: one in eight has not ended."""
    status = "completed" if number % 8 else "in-progress"
    return {"status": status, "date_updated": created + timedelta(hours=1)}


def usage(number: int, created: datetime) -> dict[str, Any]:
    """Return what is billed for a day, a day for each row."""
    day = str((datetime(2026, 11, 24, tzinfo=timezone.utc) - timedelta(days=number)).date())
    return {"start_date": day, "end_date": day, "category": "sms"}


PREFIXES = {
    "alerts": "NO",
    "calls": "CA",
    "conferences": "CF",
    "messages": "SM",
    "recordings": "RE",
}
MADE: dict[str, Callable[[int, datetime], dict[str, Any]]] = {
    "alerts": lambda number, created: {"date_generated": created, "date_updated": created},
    "calls": call,
    "conferences": conference,
    "messages": message,
    "recordings": lambda number, created: {"date_updated": created},
    "usage_records": usage,
}


def left() -> dict[str, Any]:
    """Return what was recorded, with the SIDs that the accounts have now."""
    text = FILE.read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    with twilio(datetime.fromisoformat(found["began"])) as here:
        for before, now in zip(found["accounts"], here.accounts, strict=True):
            text = text.replace(before, now.sid)
    return dict(json.loads(text))


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
        accounts = [account.sid for account in here.accounts]
        output: list[bytes] = []
        for streams, start in ((INCREMENTAL[1:], START), (INCREMENTAL[:1], ALERTS_START)):
            task = Task(here, Path(folder), streams, {"start_date": start})
            output += output_of(airbyte_competitor().command(task), task).splitlines()
        for message in map(orjson.loads, output):
            if message["type"] == "RECORD":
                stream = message["record"]["stream"]
                read[stream].add(identity(stream, message["record"]["data"]))
            elif message["type"] == "STATE":
                states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        program = COMPETITORS / "airbyte-source-twilio" / "bin" / "source-twilio"
        catalog = discover(program, task.config(), task)
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
        "accounts": accounts,
        "began": began.isoformat(),
        "read": {name: sorted(rows) for name, rows in read.items()},
        "state": [states[name] for name in sorted(states)],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(), indent=1) + "\n", "utf-8")
