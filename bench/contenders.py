"""Who takes part in `make bench`: how each is started, and how what it printed is read.

The two peers come from PyPI, each into an environment of its own below build/peers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sandbox import Sandbox
from soak.warehouse import IDENTITY, ROW_KEYS

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build" / "peers"
AIRBYTE, TAP = "airbyte-source-twilio==0.16.0", "tap-twilio==0.2.2"

Row = dict[str, Any]
Key = tuple[str, ...]


class Task(NamedTuple):
    """What a contender is to read."""

    twilio: Sandbox
    folder: Path  # for its files
    streams: Sequence[str]
    settings: Mapping[str, Any] = {}  # beside the account, the token and the start date
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
    """A program that reads Twilio; `command` writes what it needs and returns how to start it."""

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
    """Return the floor."""

    def command(task: Task) -> list[str]:
        return [sys.executable, "-m", "bench.plain_loop", task.config(), *task.streams]

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
    """Return the streams that an Airbyte source has; it is asked once."""
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


# ---------------------------------------------------------------------------------------- peers


def installed(requirement: str) -> Path:
    """Return the environment of a peer, which is made when it is missing."""
    folder = PEERS / requirement.partition("==")[0]
    mark = folder / "installed"
    if not mark.exists():
        print(f"Installing {requirement} ...", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        # tap-twilio imports pkg_resources, which setuptools gave up.
        subprocess.run([*pip, "setuptools<81", requirement], check=True)
        mark.touch()
    return folder


def trust(folder: Path, twilio: Sandbox) -> None:
    """Have an environment trust the sandbox: Airbyte's peer knows certifi's authorities only."""
    [bundle] = folder.glob("lib/python*/site-packages/certifi/cacert.pem")
    original = bundle.with_name("cacert.original")
    if not original.exists():
        original.write_bytes(bundle.read_bytes())
    authority = Path(twilio.environment["REQUESTS_CA_BUNDLE"]).read_bytes()
    bundle.write_bytes(original.read_bytes() + b"\n" + authority)


# ------------------------------------------------------------------------------------- what came


@dataclass
class Output:
    """What a contender printed."""

    records: Counter[str] = field(default_factory=Counter)  # by stream
    keys: dict[str, set[Key]] = field(default_factory=dict)  # by stream
    states: dict[str, Row] = field(default_factory=dict)  # Airbyte's, by stream

    def state_file(self) -> list[Row]:
        """Return the state as a platform hands it to the next read."""
        return [
            {
                "type": "STREAM",
                "stream": {"stream_descriptor": {"name": name}, "stream_state": state},
            }
            for name, state in self.states.items()
        ]

    @property
    def state_bytes(self) -> int:
        """The size of the states together."""
        return sum(len(orjson.dumps(state)) for state in self.states.values())


def parsed(lines: Iterator[bytes]) -> Output:
    """Return what the lines of an Airbyte source, or of a Singer tap, say."""
    output = Output()
    for line in lines:
        # A connector may print what is no message, and end in the middle of a line.
        if not line.startswith(b"{") or not line.endswith(b"\n"):
            continue
        message = orjson.loads(line)
        record = message.get("record")
        if record is not None:
            stream = message.get("stream") or record["stream"]
            output.records[stream] += 1
            row = record if "stream" in message else record["data"]
            output.keys.setdefault(stream, set()).add(key(stream, row))
        elif message.get("type") == "STATE" and "state" in message:
            state = message["state"]["stream"]
            output.states[state["stream_descriptor"]["name"]] = state["stream_state"]
    return output


def key(stream: str, row: Mapping[str, Any]) -> Key:
    """Return what tells a row from all others of its stream."""
    names = IDENTITY.get(stream) or ROW_KEYS[stream]
    # Singer makes a moment of the day.
    return tuple(str(row.get(name))[: 10 if name == "start_date" else None] for name in names)


def shown(twilio: Sandbox, stream: str) -> set[Key]:
    """Return the keys of the rows that Twilio shows, in all accounts that it does not refuse."""
    accounts = [account.sid for account in twilio.accounts if account.status != "closed"]
    if stream == "accounts":
        del accounts[1:]
    query = {"usage_records": {"IncludeSubaccounts": "false"}}.get(stream, {})
    query = {"recordings": {"IncludeSoftDeleted": "true"}}.get(stream, query)
    return {
        key(stream, {"account_sid": account, **row})
        for account in accounts
        for row in twilio.rows(stream, account, query)
    }
