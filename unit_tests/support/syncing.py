"""Runs `twilio-warehouse sync` as users do, and reads the tables."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import orjson
from airbyte_cdk.models.airbyte_protocol_serializers import AirbyteStreamSerializer
from dlt.common.normalizers.naming.snake_case import NamingConvention

from sandbox import Sandbox
from source_twilio import SourceTwilio
from unit_tests.support.mock_twilio import CONFIG

ROOT = Path(__file__).parents[2]
# Twilio computes it anew for each request.
ANEW = {"as_of"}

Tables = dict[str, dict[tuple[Any, ...], dict[str, Any]]]


def start(
    folder: Path, *arguments: str, cwd: Path | str = ROOT, **environment: str
) -> subprocess.Popen[str]:
    """Start a sync of `config.json` of a folder into `t.duckdb` there."""
    command = [sys.executable, "-m", "twilio_warehouse", "sync", str(folder / "config.json")]
    return subprocess.Popen(
        [*command, "--to", f"duckdb:///{folder}/t.duckdb", *arguments],
        cwd=cwd,
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sync(
    folder: Path, *arguments: str, cwd: Path | str = ROOT, **environment: str
) -> tuple[int, str, str]:
    """Run a sync; return its exit status and what it wrote."""
    with start(folder, *arguments, cwd=cwd, **environment) as child:
        output, errors = child.communicate(timeout=600)
    return child.returncode, output, without_progress(errors)


def without_progress(errors: str) -> str:
    """Return stderr without the lines that come every 30 seconds, if the machine is busy."""
    return re.sub(r"(?m)^\d+:\d\d .*\n", "", errors)


def killed(
    folder: Path,
    when: Callable[[str], bool],
    *arguments: str,
    log: Path | None = None,
    **environment: str,
) -> bool:
    """Kill a sync once its log is as asked; return whether it was killed."""
    log = log or log_of(folder)
    log.unlink(missing_ok=True)
    with start(folder, *arguments, **environment) as child:
        while child.poll() is None:
            if when(log.read_text("utf-8") if log.exists() else ""):
                child.send_signal(signal.SIGKILL)
                break
            time.sleep(0.01)
        child.communicate(timeout=600)
    return child.returncode == -signal.SIGKILL


def logged(text: str, times: int, seconds: float = 0) -> Callable[[str], bool]:
    """Return a condition: some time after a text has been so often in the log."""

    def met(log: str) -> bool:
        if log.count(text) < times:
            return False
        time.sleep(seconds)
        return True

    return met


def in_load(number: int, seconds: float) -> Callable[[str], bool]:
    """Return a condition: some time after a load has begun."""
    return logged("sync: Loading", number, seconds)


def between(loads: int) -> Callable[[str], bool]:
    """Return a condition: so many loads have ended."""
    return logged("sync: Loaded", loads)


def log_of(folder: Path) -> Path:
    """Return the log of the syncs of a folder."""
    return folder / "t.duckdb.sync" / "sync.log"


def configured(folder: Path, config: Mapping[str, Any]) -> None:
    """Write the config of a folder."""
    (folder / "config.json").write_text(json.dumps(config))


@cache
def catalog() -> dict[str, Any]:
    """Return the streams by name."""
    streams = SourceTwilio(config=CONFIG).discover(logging.getLogger("airbyte"), CONFIG).streams
    dumped = [json.loads(orjson.dumps(AirbyteStreamSerializer.dump(stream))) for stream in streams]
    return {stream["name"]: stream for stream in dumped}


def read(folder: Path, streams: Mapping[str, Any]) -> Tables:
    """Return what the connector reads without a state, the last of each key."""
    configured_streams = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
        for stream in streams.values()
    ]
    (folder / "catalog.json").write_text(json.dumps({"streams": configured_streams}))
    command = [sys.executable, "-m", "source_twilio.run", "read"]
    command += ["--config", str(folder / "config.json")]
    found = subprocess.run(
        [*command, "--catalog", str(folder / "catalog.json")],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    tables: Tables = {name: {} for name in streams}
    for line in found.stdout.split(b"\n"):
        if line.startswith(b'{"type":"RECORD"'):
            record = json.loads(line)["record"]
            row = {k: v for k, v in record["data"].items() if v is not None and k not in ANEW}
            tables[record["stream"]][key(streams[record["stream"]], row)] = row
    return tables


def key(stream: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the key of a row."""
    return tuple(row.get(path[0]) for path in stream["source_defined_primary_key"])


def as_read(value: Any, kind: str) -> Any:
    """Return a value of a table as the connector gave it."""
    if kind.startswith(("TIMESTAMP", "timestamp")):
        return value.isoformat().replace("+00:00", "Z")
    if kind.upper() == "DATE":
        return value.isoformat()
    if kind.upper().startswith(("DECIMAL", "NUMERIC")):
        return float(value)
    return json.loads(value) if kind.upper() == "JSON" and isinstance(value, str) else value


def kept(
    rows: list[tuple[Any, ...]], columns: list[tuple[str, str]], stream: Mapping[str, Any]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows of a table by key, as the connector gave them."""
    declared = stream["json_schema"]["properties"]
    fields = {NamingConvention().normalize_identifier(field): field for field in declared}
    found = {}
    for values in rows:
        row = {
            fields.get(name, name): as_read(value, kind)
            for (name, kind), value in zip(columns, values, strict=True)
            if value is not None and name not in ANEW
        }
        found[key(stream, row)] = row
    assert len(found) == len(rows), "a key has two rows"
    return found


def tables(folder: Path, streams: Mapping[str, Any]) -> Tables:
    """Return what DuckDB holds."""
    with duckdb.connect(str(folder / "t.duckdb"), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        found = {}
        for name, stream in streams.items():
            columns = [(r[0], r[1]) for r in connection.execute(f"describe {name}").fetchall()]
            rows = connection.execute(f"select * from {name}").fetchall()
            found[name] = kept(rows, columns, stream)
    return found


def go_on(twilio: Sandbox) -> None:
    """Let Twilio add, change and delete rows."""
    account = twilio.accounts[0].sid
    twilio.add("messages", account, body="new")
    twilio.update("messages", twilio.rows("messages", account)[0]["sid"], body="changed")
    twilio.delete("queues", twilio.rows("queues", account)[0]["sid"])
