"""The candidates of the benchmark, and the command of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from dev.bench.competitors import install, trust
from dev.bench.output import Row
from sandbox import Sandbox

AIRBYTE, TAP = "airbyte-source-twilio==0.16.0", "tap-twilio==0.2.2"


class Task(NamedTuple):
    """The input of a candidate."""

    twilio: Sandbox
    folder: Path  # for the files of the candidate
    streams: Sequence[str]
    settings: Mapping[str, Any] = {}  # in addition to account, token and start date
    state: Sequence[Row] = ()

    def file(self, name: str, content: Any) -> str:
        """Write JSON into the folder and return its path."""
        path = self.folder / name
        path.write_text(json.dumps(content), "utf-8")
        return str(path)

    def config(self) -> str:
        """Write the config, and return its path."""
        return self.file("config.json", {**self.twilio.config, **self.settings})


class Candidate(NamedTuple):
    """A program that reads Twilio. `command` writes its files and returns its command line."""

    name: str
    command: Callable[[Task], list[str]]


def ours(workers: int = 0) -> Candidate:
    """Return the connector of this checkout, as installed in the interpreter's environment."""

    def command(task: Task) -> list[str]:
        if workers:
            task = task._replace(settings={**task.settings, "num_workers": workers})
        return airbyte_read(Path(sys.executable).with_name("source-twilio"), task)

    return Candidate(f"ours, {workers} workers" if workers else "ours", command)


def plain_loop() -> Candidate:
    """Return the plain loop, a lower bound of the cost."""

    def command(task: Task) -> list[str]:
        return [sys.executable, "-m", "dev.bench.plain_loop", task.config(), *task.streams]

    return Candidate("plain loop", command)


def airbyte_competitor() -> Candidate:
    """Return Airbyte's own connector."""

    def command(task: Task) -> list[str]:
        folder = install(AIRBYTE)
        trust(folder, task.twilio)
        return airbyte_read(folder / "bin" / "source-twilio", task)

    return Candidate(AIRBYTE, command)


def tap_competitor() -> Candidate:
    """Return Singer's tap."""

    def command(task: Task) -> list[str]:
        tap = str(install(TAP) / "bin" / "tap-twilio")
        task = task._replace(settings={"user_agent": "bench", **task.settings})
        config = task.config()
        catalog = orjson.loads(output_of([tap, "--config", config, "--discover"], task))
        for stream in catalog["streams"]:
            if stream["stream"] in task.streams:
                [root] = [entry for entry in stream["metadata"] if not entry["breadcrumb"]]
                root["metadata"]["selected"] = True
        return [tap, "--config", config, "--catalog", task.file("catalog.json", catalog)]

    return Candidate(TAP, command)


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
            for stream in discover(program, config, task)
            if stream["name"] in task.streams
        ]
    }
    state = ["--state", task.file("state.json", task.state)] if task.state else []
    catalog_file = task.file("catalog.json", catalog)
    return [str(program), "read", "--config", config, "--catalog", catalog_file, *state]


CATALOGS: dict[Path, list[Row]] = {}


def discover(program: Path, config: str, task: Task) -> list[Row]:
    """Return the streams of an Airbyte source; each source runs once."""
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
