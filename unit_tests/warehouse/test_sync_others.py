"""`make sync` into other destinations of dlt, by its documented settings."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pytest

from sandbox import Sandbox
from unit_tests.support.syncing import configured, go_on, sync

SOME = ("messages", "queues")
Counts = dict[str, tuple[int, int]]


def shown(sandbox: Sandbox) -> Counts:
    """Return how many rows Twilio shows, and as many keys."""
    opened = [account.sid for account in sandbox.accounts if account.status != "closed"]
    numbers = {name: sum(len(sandbox.rows(name, sid)) for sid in opened) for name in SOME}
    return {name: (number, number) for name, number in numbers.items()}


def twice(folder: Path, sandbox: Sandbox, *arguments: str, **environment: str) -> list[str]:
    """Sync before and after Twilio goes on; return what the second said."""
    configured(folder, sandbox.config)
    given = ("--streams", ",".join(SOME), *arguments)
    assert sync(folder, *given, **environment)[0] == 0
    go_on(sandbox)
    status, output, _ = sync(folder, *given, **environment)
    assert status == 0
    return output.splitlines()


def test_files(tmp_path: Path, sandbox: Sandbox) -> None:
    """Full lists are replaced; the others are added to, and a line says so."""
    said = twice(
        tmp_path,
        sandbox,
        *("--to", "filesystem"),
        DESTINATION__FILESYSTEM__BUCKET_URL=f"file://{tmp_path}/files",
    )
    assert (
        "Note: filesystem does not merge: of the rows with one key, the one with the highest "
        "_dlt_load_id counts."
    ) in said
    found, changed = {}, {}
    for name in SOME:
        files = [*(tmp_path / "files" / "twilio" / name).glob("*.jsonl.gz")]
        lines = [line for file in files for line in gzip.decompress(file.read_bytes()).split(b"\n")]
        rows = [json.loads(line) for line in lines if line]
        newest = {row["sid"]: row for row in sorted(rows, key=lambda row: str(row["_dlt_load_id"]))}
        found[name] = len(rows), len(newest)
        changed[name] = [row for row in newest.values() if row.get("body") == "changed"]
    wanted = shown(sandbox)
    assert found["queues"] == wanted["queues"]
    assert found["messages"][1] == wanted["messages"][1]
    assert len(changed["messages"]) == 1


def test_sqlite(tmp_path: Path, sandbox: Sandbox) -> None:
    """Through SQLAlchemy rows are merged by key."""
    pytest.importorskip("sqlalchemy", reason="PyAirbyte brings it, before Python 3.13")
    twice(
        tmp_path,
        sandbox,
        *("--to", "sqlalchemy"),
        DESTINATION__SQLALCHEMY__CREDENTIALS=f"sqlite:///{tmp_path}/t.db",
    )
    connection = sqlite3.connect(tmp_path / "t__twilio.db")
    count = "select count(*), count(distinct sid) from {}"
    found = {name: connection.execute(count.format(name)).fetchone() for name in SOME}
    connection.close()
    assert found == shown(sandbox)
