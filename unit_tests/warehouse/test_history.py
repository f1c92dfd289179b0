"""The table `_syncs`: a row for each sync, and none that says more than has happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox import Sandbox
from unit_tests.support.access import keyed
from unit_tests.support.syncing import between, configured, in_load, killed, sync

ASKED = ("--streams", "messages,calls,queues,keys")
COLUMNS = (
    "status, ended_at is null, streams, streams_complete, streams_failed, streams_left_out, "
    "records, accounts, accounts_skipped, incomplete, left_out, version"
)


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A folder with the config."""
    configured(tmp_path, sandbox.config)
    return tmp_path


def syncs(folder: Path, columns: str = "status") -> list[tuple[Any, ...]]:
    """Return rows of the table, the oldest first."""
    with duckdb.connect(str(folder / "t.duckdb"), read_only=True) as connection:
        return connection.execute(f"select {columns} from _syncs order by began_at").fetchall()


def test_rows(folder: Path, sandbox: Sandbox) -> None:
    """What a sync has done, also one that is incomplete; a dropped table comes again."""
    status, output, _ = sync(folder, *ASKED, "--json")
    summary = json.loads(output)
    number = summary["records"]
    assert (status, number == sum(summary["records_by_stream"].values()) > 100) == (0, True)
    readable = len(sandbox.accounts) - 1
    complete = ("complete", False, 4, 4, 0, 0, number, readable, 1, "{}", "{}", summary["version"])
    assert syncs(folder, COLUMNS) == [complete]
    assert syncs(folder, "began_at <= ended_at, id") == [(True, summary["id"])]

    key = sandbox.key(sandbox.accounts[0].sid, "standard")
    config = {name: value for name, value in sandbox.config.items() if name != "auth_token"}
    configured(folder, {**config, **keyed(key)})
    sandbox.fail(f"{sandbox.accounts[0].sid}/Queues", 400, times=None)
    status, output, _ = sync(folder, *ASKED, "--json")
    summary = json.loads(output)
    assert (status, summary["status"], [*summary["incomplete"]]) == (
        1,
        "incomplete",
        ["keys", "queues"],
    )
    assert "leave it out with --except keys" in summary["incomplete"]["keys"]
    assert syncs(folder, "status, streams_failed, json_keys(incomplete)") == [
        ("complete", 0, []),
        ("incomplete", 2, ["keys", "queues"]),
    ]
    with duckdb.connect(str(folder / "t.duckdb")) as connection:
        connection.execute("drop table _syncs")
    status, output, _ = sync(folder, "--streams", "calls")
    assert (status, "no such table any more" in output) == (0, False)
    assert syncs(folder) == [("complete",)]


def test_killed(folder: Path) -> None:
    """A sync that is killed has no row, or is running until the next one marks it."""
    asked = (*ASKED, "--load-every", "0")
    assert killed(folder, between(1), *asked)
    assert syncs(folder, "status, ended_at") == [("running", None)]
    for seconds in (0, 0.1, 0.2, 0.3):
        assert killed(folder, in_load(1, seconds), *asked)
        # The kill may have come before or after the rows of that load.
        assert ("complete",) not in syncs(folder)
    assert sync(folder, *asked)[0] == 0
    *former, last = syncs(folder, "status, ended_at is null")
    assert (last, {*former}) == (("complete", False), {("interrupted", True)})


def test_nothing_read(folder: Path, sandbox: Sandbox) -> None:
    """Where the credentials open nothing, there is no row, and no table."""
    config = {name: value for name, value in sandbox.config.items() if name != "auth_token"}
    configured(folder, {**config, **keyed(sandbox.key(sandbox.accounts[0].sid, "standard"))})
    assert sync(folder, "--streams", "keys")[0] == 2
    with duckdb.connect(str(folder / "t.duckdb"), read_only=True) as connection:
        assert connection.execute("select * from duckdb_tables()").fetchall() == []


def test_postgres(folder: Path, postgres: str) -> None:
    """The same table in PostgreSQL."""
    import psycopg2

    given = {"DESTINATION__POSTGRES__CREDENTIALS": postgres}
    asked = ("--to", "postgres", "--load-every", "0", *ASKED)
    assert killed(folder, between(1), *asked, log=Path("build/postgres.sync/sync.log"), **given)
    assert sync(folder, *asked, **given)[0] == 0
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(f"select {COLUMNS} from twilio._syncs order by began_at")
        found = cursor.fetchall()
    connection.close()
    assert [row[:2] for row in found] == [("interrupted", True), ("complete", False)]
    assert found[1][9:11] == ({}, {})
