"""The scenario of commands that read nothing: the cost of a start."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from dev.bench.candidates import Task, airbyte_read, discover
from dev.bench.measuring import Options, launch, log, start_sandbox, temporary_folder
from dev.bench.tables import table
from sandbox.data import ACCOUNTS

FIGURES = ("seconds", "cpu_seconds", "memory_mb")
ONE_STREAM = {
    "version": "7.39.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["accounts"]},
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "accounts",
            "primary_key": "sid",
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object"}},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url": "https://api.twilio.com/2010-04-01/Accounts.json",
                    "authenticator": {
                        "type": "BasicHttpAuthenticator",
                        "username": "{{ config['account_sid'] }}",
                        "password": "{{ config['auth_token'] }}",
                    },
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["accounts"]},
                },
            },
        }
    ],
    "spec": {
        "type": "Spec",
        "connection_specification": {"type": "object", "properties": {}},
    },
}


def startup(options: Options, stack: ExitStack) -> str:
    """Commands on an empty account, compared with one stream in the CDK's own runner."""
    # With compiled modules, as pip installs them.
    stack.enter_context(patch.dict(os.environ, PYTHONPYCACHEPREFIX=str(temporary_folder(stack))))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    twilio = start_sandbox(stack, ACCOUNTS[:1], scale=0)
    task = Task(twilio, temporary_folder(stack), [])
    program, runner = (
        str(Path(sys.executable).with_name(name))
        for name in ("source-twilio", "source-declarative-manifest")
    )
    manifest = ["--manifest-path", task.file("manifest.yaml", ONE_STREAM)]
    config = ["--config", task.config()]
    commands = {
        "ours: spec": [program, "spec"],
        "one stream: spec": [runner, "spec", *manifest],
        "ours: check": [program, "check", *config],
        "one stream: check": [runner, "check", *config, *manifest],
        "ours: discover": [program, "discover", *config],
        "one stream: discover": [runner, "discover", *config, *manifest],
    }
    names = [stream["name"] for stream in discover(Path(program), config[1], task)]
    for label, streams in (("one stream", ["accounts"]), (f"all {len(names)} streams", names)):
        reads = Task(twilio, temporary_folder(stack), streams)
        commands[f"ours: read of {label}"] = airbyte_read(Path(program), reads)
        if len(streams) == 1:
            other = airbyte_read(Path(program), reads)
            commands[f"one stream: read of {label}"] = [runner, *other[1:], *manifest]
    for command in commands.values():
        launch(command, task)[1].unlink()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, command in commands.items():
            figures, output = launch(command, task)
            output.unlink()
            log(f"  {name}: {figures['seconds']:.2f} s, {figures['cpu_seconds']:.2f} s CPU")
            found[name].append(figures)
    rows = []
    for name, runs in found.items():
        baseline = found.get(name.replace("ours", "one stream"), [])
        row: list[Any] = [name + (f" (exit {runs[-1]['code']})" if runs[-1]["code"] else "")]
        row += [float(median(one[figure] for one in runs)) for figure in FIGURES]
        if name.startswith("ours") and baseline:
            pairs = zip(runs, baseline, strict=True)
            row.append(float(median(a["cpu_seconds"] / b["cpu_seconds"] for a, b in pairs)))
        else:
            row.append(None)
        rows.append(row)
    return table(("command", "wall s", "CPU s", "peak MB", "CPU × one stream"), rows)
