"""Tests which credentials read which streams: a part of `make docs`.

Each kind of credentials of the completeness test reads every stream of a small sandbox. A cell has
the accounts with rows: "all", the configured account's "own", the "listed" ones, or the number of
them; "-" is a stream that failed because the credentials cannot access it. What
was said of it follows. `make docs` writes the table into docs/twilio.md, with a line for the
streams whose cells are the same; a test compares each cell.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from dev.docs.generate import PAGE, replaced
from dev.soak.connector import CHILD
from dev.soak.credential_cases import DOCUMENTED_CASES, CredentialCase
from dev.soak.streams import ALL_ROWS
from dev.soak.warehouse import messages
from sandbox import Sandbox
from sandbox.streams import STREAMS

EVERY_OTHER = "every other stream"


class Outcome(NamedTuple):
    """The result of one kind of credentials: a cell for each stream, and streams by message."""

    cells: dict[str, str]
    sentences: dict[str, list[str]]


def read(case: CredentialCase) -> Outcome:
    """Read every stream with one kind of credentials."""
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox(seed=1, scale=0.02, **case.sandbox_settings) as twilio,
    ):
        folder, config = Path(name), case.config(twilio)
        # Closed accounts are refused to everybody.
        config["include_inactive_accounts"] = False
        streams = [
            {
                "stream": {"name": s, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            }
            for s in sorted(STREAMS)
        ]
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "catalog.json").write_text(json.dumps({"streams": streams}))
        command = [sys.executable, "-c", CHILD, str(twilio.now().timestamp()), "read"]
        command += ["--config", f"{name}/config.json", "--catalog", f"{name}/catalog.json"]
        environment = {**os.environ, **twilio.environment, "TMPDIR": name}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        accounts = [a.sid for a in twilio.accounts if a.status == "active"]
        shown = {
            stream: {a for a in accounts if twilio.rows(stream, a, ALL_ROWS.get(stream, {}))}
            for stream in STREAMS
        }
        shown["accounts"] = set(accounts)
        chosen = {account.sid for account in twilio.accounts[case.reads]}
        return outcome(done.stdout, shown, chosen, config["account_sid"])


def outcome(output: bytes, shown: dict[str, set[str]], chosen: set[str], own: str) -> Outcome:
    """Sort the messages of a read."""
    accounts_of: dict[str, set[str]] = defaultdict(set)
    warnings: dict[str, set[str]] = defaultdict(set)
    refused = set()
    for message in messages(output):
        if message["type"] == "RECORD":
            row = message["record"]["data"]
            accounts_of[message["record"]["stream"]].add(row.get("account_sid") or row["sid"])
        elif message["type"] == "LOG" and message["log"]["level"] == "WARN":
            stream, _, sentence = message["log"]["message"].partition(": ")
            warnings[re.sub(r"AC\w{32}", "AC...", sentence)].add(stream)
        elif message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
            error = message["trace"]["error"]
            if error.get("stream_descriptor") and error["failure_type"] == "config_error":
                stream, _, sentence = error["message"].partition(": ")
                refused.add(error["stream_descriptor"]["name"])
                warnings[sentence].add(stream)
    cells = {}
    for stream, whole in shown.items():
        found = accounts_of[stream]
        names = [("all", whole), ("own", {own}), ("listed", whole & chosen)]
        cells[stream] = next((name for name, of in names if found == of), str(len(found)))
    cells |= dict.fromkeys(refused, "-")
    return Outcome(cells, {sentence: sorted(streams) for sentence, streams in warnings.items()})


def table(outcomes: list[Outcome], cases: list[CredentialCase] = DOCUMENTED_CASES) -> list[str]:
    """Return the table in Markdown: a line for each pattern of cells, with its streams."""
    patterns: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for stream in sorted(STREAMS):
        patterns[tuple(found.cells[stream] for found in outcomes)].append(stream)
    usual, *others = sorted(patterns, key=lambda cells: (-len(patterns[cells]), patterns[cells]))
    rows = [(EVERY_OTHER, *usual), *((", ".join(patterns[cells]), *cells) for cells in others)]
    head = ["Streams", *(case.name for case in cases)]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def cells(page: str) -> dict[str, list[str]]:
    """Return the cells of each stream, as a page with the table has them."""
    [text] = re.findall(r"<!-- begin: credentials -->\s*(.*?)\s*<!-- end", page, re.DOTALL)
    head, _, *rows = [line.strip("| ").split(" | ") for line in text.splitlines()]
    found = {head[0]: head[1:]}
    for streams, *row in rows:
        names = streams.split(", ")
        if [name for name in names if name in found] or len(row) != len(head) - 1:
            raise ValueError(f"a line of the table is wrong: {streams}")
        found |= dict.fromkeys(names, row)
    usual = found.pop(EVERY_OTHER)
    return {**dict.fromkeys(sorted(STREAMS), usual), **found}


def main() -> int:
    """Write the table, and print the messages."""
    outcomes = [read(case) for case in DOCUMENTED_CASES]
    page = PAGE.read_text("utf-8")
    PAGE.write_text(replaced(page, "credentials", table(outcomes)), "utf-8")
    for case, found in zip(DOCUMENTED_CASES, outcomes, strict=True):
        for sentence, streams in sorted(found.sentences.items()):
            names = streams[0] if len(streams) == 1 else f"{len(streams)} streams"
            print(f"\n{case.name}, {names}: {sentence}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
