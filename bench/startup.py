"""The scenario of commands that read nothing: what a start costs."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench.contenders import Task
from bench.measuring import Options, folder_of, launch, say, twilio_of
from bench.tables import table
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
    """`spec` and `check`, beside those of a manifest of one stream in the CDK's runner."""
    twilio = twilio_of(stack, ACCOUNTS[:1], scale=0)
    task = Task(twilio, folder_of(stack), [])
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
    }
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, command in commands.items():
            figures, output = launch(command, task)
            output.unlink()
            say(f"  {name}: {figures['seconds']:.2f} s, {figures['cpu_seconds']:.2f} s CPU")
            found[name].append(figures)
    rows = []
    for name, runs in found.items():
        other = found[name.replace("ours", "one stream")]
        row: list[Any] = [name + (f" (exit {runs[-1]['code']})" if runs[-1]["code"] else "")]
        row += [float(median(one[figure] for one in runs)) for figure in FIGURES]
        if name.startswith("ours"):
            pairs = zip(runs, other, strict=True)
            row.append(float(median(a["cpu_seconds"] / b["cpu_seconds"] for a, b in pairs)))
        else:
            row.append(None)
        rows.append(row)
    return table(("command", "wall s", "CPU s", "peak MB", "CPU × one stream"), rows)
