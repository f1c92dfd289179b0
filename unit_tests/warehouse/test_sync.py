"""`twilio-warehouse sync`: the tables hold what the connector reads, also after kills."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox import Sandbox
from unit_tests.support.access import keyed
from unit_tests.support.syncing import (
    between,
    catalog,
    configured,
    go_on,
    in_load,
    killed,
    log_of,
    read,
    sync,
    tables,
)

SOME = ("calls", "keys", "message_media", "messages", "queues", "usage_records")


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A folder with the config."""
    configured(tmp_path, sandbox.config)
    return tmp_path


@pytest.fixture
def streams() -> dict[str, Any]:
    """All streams by name."""
    return catalog()


@pytest.mark.parametrize("name", ["twilio", "TWILIO", "main", "temp", "a b.c"])
def test_file_names(name: str, folder: Path, sandbox: Sandbox) -> None:
    """The tables are right whatever their file is called, the default name first."""
    path = folder / f"{name}.duckdb"
    for _ in range(2):
        assert sync(folder, "--streams", "queues,messages", "--to", f"duckdb:///{path}")[0] == 0
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("select count(*), count(distinct sid) from messages").fetchone()
    number = sum(len(sandbox.rows("messages", account.sid)) for account in sandbox.accounts[:-1])
    assert found == (number, number)


@pytest.mark.parametrize("name", ["main_staging.duckdb", "Information_Schema.db"])
def test_file_names_that_duckdb_needs(name: str, folder: Path, sandbox: Sandbox) -> None:
    """A file cannot have the name of a schema that a load uses."""
    said = f"DuckDB needs the name {name}: name another file.\n"
    assert sync(folder, "--to", f"duckdb:///{folder / name}") == (2, "", said)


def test_two_syncs(folder: Path, streams: dict[str, Any], sandbox: Sandbox) -> None:
    """All tables equal what is read, also after rows have come, changed and gone."""
    status, output, errors = sync(folder)
    assert (status, errors) == (0, f"Reading {len(streams)} streams into {folder}/t.duckdb ...\n")
    first = tables(folder, streams)
    assert first == read(folder, streams)
    assert [name for name in streams if not first[name]] == []
    *_, last = output.splitlines()
    assert (
        last == f"The tables are in {folder}/t.duckdb; the log is {folder}/t.duckdb.sync/sync.log."
    )

    go_on(sandbox)
    assert sync(folder)[0] == 0
    second = tables(folder, streams)
    assert second == read(folder, streams)
    assert len(second["messages"]) == len(first["messages"]) + 1
    assert len(second["queues"]) == len(first["queues"]) - 1


def test_types(folder: Path) -> None:
    """Columns are of the types that the schemas declare."""
    assert sync(folder, "--streams", "messages")[0] == 0
    with duckdb.connect(str(folder / "t.duckdb"), read_only=True) as connection:
        found = {row[0]: row[1:3] for row in connection.execute("describe messages").fetchall()}
    assert {name: found[name] for name in ("sid", "date_sent", "price", "num_media")} == {
        "sid": ("VARCHAR", "NO"),
        "date_sent": ("TIMESTAMP WITH TIME ZONE", "YES"),
        "price": ("DECIMAL(38,9)", "YES"),
        "num_media": ("BIGINT", "YES"),
    }
    assert found["subresource_uris"][0] == "JSON"


def test_kills(folder: Path, streams: dict[str, Any]) -> None:
    """A sync that is killed, also in the middle of a load, goes on from its last load."""
    some = {name: streams[name] for name in SOME}
    asked = ("--streams", ",".join(SOME), "--load-every", "0")

    kills = [
        killed(folder, when, *asked)
        for when in (in_load(1, 0.1), between(1), in_load(2, 0.3), in_load(3, 0.6), between(2))
    ]
    assert kills == [True] * 5
    # How much the kills left varies; this is whole, and one more kill does not undo it.
    assert sync(folder, "--streams", "messages")[0] == 0
    assert killed(folder, in_load(1, 0.1), *asked)
    status, output, _ = sync(folder, *asked)
    assert status == 0
    whole = read(folder, some)
    assert tables(folder, some) == whole
    # What was loaded before the kill was not read again.
    assert int(output.split()[0].replace(",", "")) < sum(map(len, whole.values()))


def test_incomplete(folder: Path, streams: dict[str, Any], sandbox: Sandbox) -> None:
    """A list that is read in part does not replace the table; the others go on."""
    some = {name: streams[name] for name in ("messages", "queues")}
    assert sync(folder, "--streams", "messages,queues")[0] == 0
    before = tables(folder, some)
    go_on(sandbox)
    sandbox.fail(f"{sandbox.accounts[1].sid}/Queues", 400, times=None)
    status, output, _ = sync(folder, "--streams", "messages,queues")
    assert status == 1
    [line] = [line for line in output.splitlines() if line.startswith("Incomplete")]
    assert line.startswith("Incomplete: queues: ")
    after = tables(folder, some)
    assert after["queues"] == before["queues"]
    assert len(after["messages"]) == len(before["messages"]) + 1


def test_left_out(folder: Path, sandbox: Sandbox) -> None:
    """A stream that the credentials do not open is left out with a line; the sync succeeds."""
    key = sandbox.key(sandbox.accounts[0].sid, "standard")
    config = {name: value for name, value in sandbox.config.items() if name != "auth_token"}
    configured(folder, {**config, **keyed(key)})
    status, output, _ = sync(folder, "--streams", "keys,queues")
    assert status == 0
    assert [line for line in output.splitlines() if line.startswith("Left out")] == [
        "Left out: keys: these credentials may not read it (HTTP 401, code 20003): use the Auth "
        "Token or a Main API key, or leave it out with --except keys."
    ]
    status, output, _ = sync(folder, "--streams", "keys,queues", "--except", "keys")
    assert (status, "Left out" in output) == (0, False)


def test_left_out_again(folder: Path, sandbox: Sandbox) -> None:
    """A stream that was never opened was not loaded before, however often it was asked for."""
    key = sandbox.key(sandbox.accounts[0].sid, "restricted", ("accounts", "queues"))
    config = {name: value for name, value in sandbox.config.items() if name != "auth_token"}
    configured(folder, {**config, **keyed(key)})
    for _ in range(2):
        status, output, _ = sync(folder, "--streams", "keys,messages,queues")
        assert (status, "Left out: keys" in output, "messages: these" in output) == (0, True, True)


def test_another_account(folder: Path, sandbox: Sandbox) -> None:
    """Tables of one account are not replaced by those of another."""
    assert sync(folder, "--streams", "queues")[0] == 0
    other = sandbox.accounts[1].sid
    configured(folder, {**sandbox.config, "account_sid": other})
    status, output, errors = sync(folder, "--streams", "queues")
    assert (status, output) == (2, "")
    assert errors == (
        f"{folder}/t.duckdb holds the tables of account {sandbox.accounts[0].sid}, and the config "
        f"is of {other}: name another file with --to (make: DATABASE=...).\n"
    )


def test_waits_and_secrets(folder: Path, sandbox: Sandbox) -> None:
    """The end says how often the rate limit made it wait; the log holds no token."""
    sandbox.fail("Queues", 429, headers={"Retry-After": "1"}, times=3)
    status, output, _ = sync(folder, "--streams", "queues,calls")
    assert status == 0
    [line] = [line for line in output.splitlines() if "rate limit" in line]
    log = log_of(folder).read_text("utf-8")
    assert sandbox.config["auth_token"] not in log
    assert line.startswith("Twilio's rate limit: 3 requests were retried, after waits of ")
    assert log.count("Rate limit exceeded") == 3


def counted(folder: Path, table: str) -> int:
    """Return how many rows a table has."""
    with duckdb.connect(str(folder / "t.duckdb"), read_only=True) as connection:
        [(count,)] = connection.execute(f"select count(*) from {table}").fetchall()
    return int(count)


def notes(output: str) -> list[str]:
    """Return the notes at the end of a sync, but for that of the closed account."""
    lines = [line for line in output.splitlines() if line.startswith("Note: ")]
    return [line for line in lines if not line.endswith("skipped, its cursor was not advanced.")]


def test_refresh(folder: Path, streams: dict[str, Any], sandbox: Sandbox) -> None:
    """A stream is read again from the start; rows that are gone vanish, of the others none."""
    some = {name: streams[name] for name in ("calls", "messages", "queues")}
    asked = ("--streams", "calls,messages,queues")
    assert sync(folder, *asked)[0] == 0
    whole = counted(folder, "messages")
    account = sandbox.accounts[0].sid
    for name in ("messages", "calls"):
        sandbox.delete(name, sandbox.rows(name, account)[0]["sid"])
    go_on(sandbox)
    assert sync(folder, *asked)[0] == 0
    assert counted(folder, "messages") == whole + 1
    assert sync(folder, *asked, "--refresh", "messages")[0] == 0
    read_now = read(folder, some)
    found = tables(folder, some)
    assert found["messages"] == read_now["messages"]
    assert len(found["calls"]) == len(read_now["calls"]) + 1
    # The next sync goes on from there.
    sandbox.add("messages", account, body="newer")
    status, output, _ = sync(folder, *asked)
    assert (status, int(output.split()[0].replace(",", "")) < whole) == (0, True)
    assert sync(folder, *asked, "--refresh", "all")[0] == 0
    assert tables(folder, some) == read(folder, some)


def test_refresh_that_is_cut(folder: Path, streams: dict[str, Any], sandbox: Sandbox) -> None:
    """Rows and state stay until the new read of the stream is complete, also after a kill."""
    some = {"messages": streams["messages"]}
    asked = ("--streams", "messages,calls", "--load-every", "0")
    assert sync(folder, *asked)[0] == 0
    before = tables(folder, some)
    account = sandbox.accounts[0].sid
    gone = sandbox.rows("messages", account)[0]["sid"]
    sandbox.delete("messages", gone)
    assert killed(folder, between(1), *asked, "--refresh", "messages")
    assert tables(folder, some) == before
    sandbox.fail(f"{sandbox.accounts[1].sid}/Messages", 400, times=None)
    status, output, _ = sync(folder, *asked, "--refresh", "messages")
    assert (status, "Incomplete: messages: " in output) == (1, True)
    assert tables(folder, some) == before


def test_earlier_start(folder: Path, sandbox: Sandbox) -> None:
    """A start_date that was moved back brings the rows of the time between (BEHAVIOR 45)."""
    asked = ("--streams", "messages,queues")
    late = datetime.now(timezone.utc) - timedelta(days=20)
    configured(folder, {**sandbox.config, "start_date": f"{late:%Y-%m-%d}"})
    assert sync(folder, *asked)[0] == 0
    few = counted(folder, "messages")
    configured(folder, sandbox.config)
    status, output, _ = sync(folder, *asked)
    assert (status, len(notes(output))) == (0, 1)
    assert "(BEHAVIOR 45)" in notes(output)[0]
    shown = sum(len(sandbox.rows("messages", account.sid)) for account in sandbox.accounts[:-1])
    assert (few < shown, counted(folder, "messages")) == (True, shown)


def test_table_that_is_gone(folder: Path, streams: dict[str, Any]) -> None:
    """A table that the user has dropped is read again from the start, and no other."""
    some = {name: streams[name] for name in ("calls", "messages", "queues")}
    asked = ("--streams", "calls,messages,queues")
    assert sync(folder, *asked)[0] == 0
    before = tables(folder, some)
    with duckdb.connect(str(folder / "t.duckdb")) as connection:
        connection.execute("drop table messages; drop table queues")
    status, output, _ = sync(folder, *asked)
    assert (status, notes(output)) == (
        0,
        ["Note: messages, queues: no such table any more, read again from the start."],
    )
    assert tables(folder, some) == before
    assert int(output.split()[0].replace(",", "")) < sum(map(len, before.values()))
    assert notes(sync(folder, *asked)[1]) == []


def test_another_region(folder: Path, sandbox: Sandbox) -> None:
    """Tables of one region are not mixed with those of another."""
    assert sync(folder, "--streams", "queues")[0] == 0
    configured(folder, {**sandbox.config, "region": "ie1"})
    assert sync(folder, "--streams", "queues") == (
        2,
        "",
        f"{folder}/t.duckdb holds the tables of region us1, and the config is of ie1: name another "
        "file with --to (make: DATABASE=...).\n",
    )


def test_refused_since(folder: Path, sandbox: Sandbox) -> None:
    """A stream that was loaded before and is refused now is missing; its rows stay."""
    config = {name: value for name, value in sandbox.config.items() if name != "auth_token"}
    allowed = sandbox.key(sandbox.accounts[0].sid, "main")
    configured(folder, {**config, **keyed(allowed)})
    asked = ("--streams", "keys,queues")
    assert sync(folder, *asked)[0] == 0
    rows = counted(folder, "keys")
    configured(folder, {**config, **keyed(sandbox.key(sandbox.accounts[0].sid, "standard"))})
    status, output, _ = sync(folder, *asked)
    refused = "these credentials may not read it (HTTP 401, code 20003): "
    assert (status, [line for line in output.splitlines() if refused in line]) == (
        1,
        [
            f"Incomplete: keys: loaded before, and refused now: {refused}use the Auth Token or a "
            "Main API key, or leave it out with --except keys."
        ],
    )
    assert counted(folder, "keys") == rows
    assert sync(folder, *asked, "--except", "keys")[0] == 0


def test_nothing_to_read(folder: Path, sandbox: Sandbox) -> None:
    """Where the credentials open none of the streams, nothing was done."""
    config = {name: value for name, value in sandbox.config.items() if name != "auth_token"}
    configured(folder, {**config, **keyed(sandbox.key(sandbox.accounts[0].sid, "standard"))})
    status, output, _ = sync(folder, "--streams", "keys")
    assert (status, output.splitlines()[0].endswith("; 0 of 1 streams complete.")) == (2, True)
