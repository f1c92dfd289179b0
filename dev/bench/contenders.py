"""Who takes part in the benchmark, and how each is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from dev.bench.peers import installed, trust
from dev.bench.printed import Row
from sandbox import Sandbox

AIRBYTE, TAP = "airbyte-source-twilio==0.16.0", "tap-twilio==0.2.2"


class Task(NamedTuple):
    """What a contender is to read."""

    twilio: Sandbox
    folder: Path  # where the contender's files go
    streams: Sequence[str]
    settings: Mapping[str, Any] = {}  # besides account, token and start date
    state: Sequence[Row] = ()

    def file(self, name: str, content: Any) -> str:
        """Write JSON into the folder and return its path."""
        path = self.folder / name
        path.write_text(json.dumps(content), "utf-8")
        return str(path)

    def config(self) -> str:
        """Write the configuration."""
        return self.file("config.json", {**self.twilio.config, **self.settings})


class Contender(NamedTuple):
    """A program that reads Twilio. `command` writes its files and returns its command line."""

    name: str
    command: Callable[[Task], list[str]]


def ours(workers: int = 0) -> Contender:
    """Return the connector of this checkout, as installed in the interpreter's environment."""

    def command(task: Task) -> list[str]:
        if workers:
            task = task._replace(settings={**task.settings, "num_workers": workers})
        return airbyte_read(Path(sys.executable).with_name("source-twilio"), task)

    return Contender(f"ours, {workers} workers" if workers else "ours", command)


def plain_loop() -> Contender:
    """Return the plain loop, which is the least that reading can cost."""

    def command(task: Task) -> list[str]:
        return [sys.executable, "-m", "dev.bench.plain_loop", task.config(), *task.streams]

    return Contender("plain loop", command)


def airbyte_peer() -> Contender:
    """Return Airbyte's own connector."""

    def command(task: Task) -> list[str]:
        folder = installed(AIRBYTE)
        trust(folder, task.twilio)
        return airbyte_read(folder / "bin" / "source-twilio", task)

    return Contender(AIRBYTE, command)


def tap_peer() -> Contender:
    """Return Singer's tap."""

    def command(task: Task) -> list[str]:
        tap = str(installed(TAP) / "bin" / "tap-twilio")
        task = task._replace(settings={"user_agent": "bench", **task.settings})
        config = task.config()
        catalog = orjson.loads(output_of([tap, "--config", config, "--discover"], task))
        for stream in catalog["streams"]:
            if stream["stream"] in task.streams:
                [whole] = [entry for entry in stream["metadata"] if not entry["breadcrumb"]]
                whole["metadata"]["selected"] = True
        return [tap, "--config", config, "--catalog", task.file("catalog.json", catalog)]

    return Contender(TAP, command)


def airbyte_read(program: Path, task: Task) -> list[str]:
    """Return the command that reads the streams, incrementally where they can."""
    config = task.config()
    catalog = {
        "streams": [
            {
                "stream": stream,
                "sync_mode": (
                    "incremental"
                    if "incremental" in stream["supported_sync_modes"]
                    else "full_refresh"
                ),
                "destination_sync_mode": "append",
            }
            for stream in discovered(program, config, task)
            if stream["name"] in task.streams
        ]
    }
    state = ["--state", task.file("state.json", task.state)] if task.state else []
    catalog_file = task.file("catalog.json", catalog)
    return [str(program), "read", "--config", config, "--catalog", catalog_file, *state]


CATALOGS: dict[Path, list[Row]] = {}


def discovered(program: Path, config: str, task: Task) -> list[Row]:
    """Return the streams of an Airbyte source. Each source is asked once."""
    if program not in CATALOGS:
        for line in output_of([str(program), "discover", "--config", config], task).splitlines():
            if line.startswith(b"{") and (message := orjson.loads(line))["type"] == "CATALOG":
                CATALOGS[program] = message["catalog"]["streams"]
    return CATALOGS[program]


def output_of(command: list[str], task: Task) -> bytes:
    """Return what a command prints."""
    environment = {**os.environ, **task.twilio.environment}
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    ).stdout
