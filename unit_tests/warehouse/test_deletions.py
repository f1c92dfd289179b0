"""`deleted_at` and `is_redacted`: what Twilio has deleted is found, and nothing is invented."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox import Sandbox
from unit_tests.support.syncing import ROOT, between, configured, killed, sync

STREAMS = "calls,conferences,messages,recordings"
TABLES = ("calls", "messages", "recordings")
# Sets the clock of a sync and of its read to the sandbox's, and makes them an earlier release.
SITE = """
import os, time_machine
from datetime import datetime
time_machine.travel(datetime.fromisoformat(os.environ["CLOCK"]), tick=True).start()
if os.environ.get("EARLIER"):
    import twilio_warehouse.tables
    twilio_warehouse.tables.OWN_COLUMNS = {}
"""


class Warehouse:
    """A database file, synced at the sandbox's time."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        (folder / "clock").mkdir()
        (folder / "clock" / "sitecustomize.py").write_text(SITE)
        configured(folder, sandbox.config)

    def environment(self) -> dict[str, str]:
        """Return the variables that set the clock."""
        clock = self.sandbox.now().isoformat()
        return {"CLOCK": clock, "PYTHONPATH": f"{self.folder / 'clock'}:{ROOT}"}

    def sync(self, *arguments: str, **environment: str) -> str:
        """Run a sync and return its summary."""
        given = ("--streams", STREAMS, *arguments)
        environment |= self.environment()
        # Other tests have their log of PostgreSQL in the folder of the suite.
        status, output, errors = sync(self.folder, *given, cwd=self.folder, **environment)
        assert (status in (0, 1), "Traceback" in errors) == (True, False), errors
        return output

    def next_day(self, *arguments: str, **environment: str) -> str:
        """Run the first sync of the next day and return its summary."""
        self.sandbox.advance(timedelta(days=1))
        return self.sync(*arguments, **environment)

    def marked(self) -> dict[str, datetime]:
        """Return `deleted_at` of the rows that have one, by SID."""
        return dict(self.query(union("deleted_at is not null")))

    def redacted(self) -> set[str]:
        """Return the messages that are marked as redacted."""
        return {sid for (sid,) in self.query("select sid from messages where is_redacted")}

    def query(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with duckdb.connect(str(self.folder / "t.duckdb"), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(query).fetchall()

    def add(self, stream: str, number: int = 0, days: int = 5, **fields: Any) -> str:
        """Add a row of some days ago to an account and return its SID."""
        when = self.sandbox.now() - timedelta(days=days)
        dates = {"messages": "date_sent", "calls": "start_time"}
        fields |= {dates[stream]: when} if stream in dates else {}
        account = self.sandbox.accounts[number].sid
        return str(self.sandbox.add(stream, account, date_created=when, **fields)["sid"])


def union(condition: str, schema: str = "") -> str:
    """Return a query of SID and `deleted_at` in all tables."""
    return " union all ".join(
        f"select sid, deleted_at from {schema}{table} where {condition}" for table in TABLES
    )


@pytest.fixture
def warehouse(tmp_path: Path, sandbox: Sandbox) -> Warehouse:
    """An empty warehouse; midnight is far."""
    noon = sandbox.now().replace(hour=12, minute=0) + timedelta(days=1)
    sandbox.advance(noon - sandbox.now())
    return Warehouse(tmp_path, sandbox)


def test_deletions(warehouse: Warehouse, sandbox: Sandbox) -> None:
    """The first sync of the next day finds what is gone, and nothing else is marked."""
    gone = {stream: warehouse.add(stream, number % 2) for number, stream in enumerate(TABLES)}
    later, old = warehouse.add("messages"), warehouse.add("messages", days=40)
    said = warehouse.add("messages", body="x")
    # It never had a body.
    warehouse.add("messages", body="")
    warehouse.sync()
    assert sorted(warehouse.query(union("true"))) == sorted(
        (row["sid"], None)
        for stream in TABLES
        for account in sandbox.accounts
        if account.status != "closed"
        for row in sandbox.rows(stream, account.sid, {"IncludeSoftDeleted": "true"})
    )
    for stream, sid in (*gone.items(), ("messages", old)):
        sandbox.delete(stream, sid)
    sandbox.update("messages", said, body="")
    sandbox.advance(timedelta(hours=1))
    assert ("Deleted" in warehouse.sync(), warehouse.marked()) == (False, {})

    output = warehouse.next_day()
    assert (
        "Deleted at Twilio: calls 1, messages 1, recordings 1 (deleted_at says when it was found)."
    ) in output.splitlines()
    first, now = warehouse.marked(), sandbox.now()
    assert ({*first}, len({*first.values()})) == ({*gone.values()}, 1)
    assert all(now - timedelta(hours=1) < found <= now for found in first.values())
    assert warehouse.redacted() == {said}

    # What is known stays, and what Twilio shows again is not deleted.
    sandbox.delete("messages", later)
    back = gone.pop("messages")
    warehouse.add("messages", days=6, sid=back)
    warehouse.next_day()
    second = warehouse.marked()
    assert second.keys() == {*gone.values(), later}
    assert {sid: second[sid] for sid in gone.values()} == {s: first[s] for s in gone.values()}
    assert warehouse.redacted() == {said}


def test_incomplete(warehouse: Warehouse, sandbox: Sandbox) -> None:
    """What a sync does not read completely it does not mark: accounts, lists, shorter ranges."""
    gone = [warehouse.add("messages", number) for number in (0, 1)]
    older = warehouse.add("messages", days=9)
    call = warehouse.add("calls")
    warehouse.sync()
    for sid in (*gone, older):
        sandbox.delete("messages", sid)
    sandbox.delete("calls", call)
    sandbox.restrict(sandbox.accounts[1].sid, 401)
    sandbox.fail(f"{sandbox.accounts[0].sid}/Calls", 400, times=None)
    configured(warehouse.folder, {**sandbox.config, "settling_days": 6})
    assert "Incomplete: calls" in warehouse.next_day()
    assert warehouse.marked().keys() == {gone[0]}
    # A table that is replaced holds what is there.
    sandbox.restrict(sandbox.accounts[1].sid, None)
    warehouse.next_day("--refresh", "messages")
    assert warehouse.marked() == {}
    assert warehouse.query(f"select count(*) from messages where sid = '{gone[0]}'") == [(0,)]


def test_killed(warehouse: Warehouse, sandbox: Sandbox) -> None:
    """A sync that is killed marks nothing; the next that reads the whole range does."""
    gone = warehouse.add("messages")
    warehouse.sync()
    sandbox.delete("messages", gone)
    sandbox.advance(timedelta(days=1))
    asked = ("--streams", STREAMS, "--load-every", "0")
    assert killed(warehouse.folder, between(1), *asked, log=None, **warehouse.environment())
    assert warehouse.marked() == {}
    warehouse.next_day()
    assert warehouse.marked().keys() == {gone}


def test_earlier_release(warehouse: Warehouse, sandbox: Sandbox) -> None:
    """Tables without the columns get them, and what has changed since is found."""
    gone, said = warehouse.add("messages"), warehouse.add("messages", body="x")
    warehouse.sync(EARLIER="1")
    assert "deleted_at" not in [name for name, *_ in warehouse.query("describe messages")]
    sandbox.delete("messages", gone)
    sandbox.update("messages", said, body="")
    warehouse.next_day()
    assert ({*warehouse.marked()}, warehouse.redacted()) == ({gone}, {said})


def test_destinations(postgres: str, warehouse: Warehouse, sandbox: Sandbox) -> None:
    """PostgreSQL and SQLite have the columns too; files, which cannot be changed, have no marks."""
    folder = warehouse.folder
    variables = {
        "DESTINATION__POSTGRES__CREDENTIALS": postgres,
        "DESTINATION__SQLALCHEMY__CREDENTIALS": f"sqlite:///{folder}/tables.db",
        "DESTINATION__FILESYSTEM__BUCKET_URL": f"file://{folder}/files",
    }
    gone, said = warehouse.add("messages"), warehouse.add("messages", body="x")
    for kind in ("postgres", "sqlalchemy", "filesystem"):
        warehouse.sync("--to", kind, **variables)
    sandbox.delete("messages", gone)
    sandbox.update("messages", said, body="")
    sandbox.advance(timedelta(days=1))
    line = "Deleted at Twilio: messages 1 (deleted_at says when it was found)."
    found = {
        kind: line in warehouse.sync("--to", kind, **variables).splitlines()
        for kind in ("postgres", "sqlalchemy", "filesystem")
    }
    assert found == {"postgres": True, "sqlalchemy": True, "filesystem": False}
    import psycopg2

    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(union("deleted_at is not null", "twilio."))
        assert [sid for sid, _ in cursor.fetchall()] == [gone]
        cursor.execute("select sid from twilio.messages where is_redacted")
        assert cursor.fetchall() == [(said,)]
    with closing(sqlite3.connect(folder / "tables.db")) as connection:
        connection.execute(f"attach '{folder}/tables__twilio.db' as twilio")
        query = union("deleted_at is not null", "twilio.")
        assert [sid for sid, _ in connection.execute(query)] == [gone]
        query = "select sid from twilio.messages where is_redacted"
        assert connection.execute(query).fetchall() == [(said,)]


def test_columns_that_are_left_out(warehouse: Warehouse, sandbox: Sandbox) -> None:
    """Without a column that the marks need there are none, and the sync is complete."""
    gone, said = warehouse.add("calls"), warehouse.add("messages", body="x")
    options = ("--exclude-columns", "messages.body,calls.account_sid")
    warehouse.sync(*options)
    sandbox.delete("calls", gone)
    sandbox.update("messages", said, body="")
    assert "Incomplete" not in warehouse.next_day(*options)
    assert (warehouse.marked(), warehouse.redacted()) == ({}, set())
