"""Columns that are left out or hashed: `--exclude-columns` and `--hash-columns`."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from sandbox import Sandbox
from twilio_warehouse.cli import main
from twilio_warehouse.columns import HASH_KEY, Columns
from twilio_warehouse.destination import Destination, Load
from twilio_warehouse.errors import UserError
from unit_tests.support.syncing import catalog, configured, log_of, sync

KEY = "k" * 32
BODY, NUMBER = "Meet me at the old bridge", "+15005559987"
# A call has its number twice.
CALLED = "calls.to,calls.to_formatted"
ASKED = ("--streams", "messages,calls", "--exclude-columns", "messages.body,calls.forwarded_from")


def hashed(value: str, key: str = KEY) -> str:
    """Return the hash of a value."""
    return hmac.new(key.encode(), value.encode(), "sha256").hexdigest()


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A folder with the config; in Twilio a message and a call with known values."""
    configured(tmp_path, sandbox.config)
    account = sandbox.accounts[0].sid
    sandbox.add("messages", account, body=BODY, to=NUMBER, messaging_service_sid=None)
    sandbox.add("calls", account, to=NUMBER)
    return tmp_path


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with duckdb.connect(str(folder / "t.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def columns_of(folder: Path, table: str) -> set[str]:
    """Return the columns of a table."""
    return {row[0] for row in rows(folder, f"describe {table}")}


def test_sync(folder: Path, sandbox: Sandbox) -> None:
    """What is left out has no column; a hash is that of the value, in each table and each sync."""
    asked = (*ASKED, "--hash-columns", "messages.to,messages.messaging_service_sid,calls.to")
    status, output, _ = sync(folder, *asked, **{HASH_KEY: KEY})
    assert (status, [line for line in output.splitlines() if "keep" in line]) == (0, [])
    assert ("body" in columns_of(folder, "messages"), "to" in columns_of(folder, "messages")) == (
        False,
        True,
    )
    assert "forwarded_from" not in columns_of(folder, "calls")
    of_number = f"where \"to\" = '{hashed(NUMBER)}'"
    query = f"select messaging_service_sid from messages {of_number}"
    assert rows(folder, query) == [(None,)]
    assert len(rows(folder, f"select sid from calls {of_number}")) == 1
    # The next sync reads the message again, and finds the same hash.
    sandbox.add("messages", sandbox.accounts[0].sid, body=BODY, to=NUMBER)
    assert sync(folder, *asked, **{HASH_KEY: KEY})[0] == 0
    assert len(rows(folder, query)) == 2
    assert rows(folder, 'select count(*) from messages where length("to") <> 64') == [(0,)]
    log = log_of(folder).read_text("utf-8")
    assert [hidden for hidden in (BODY, NUMBER, KEY) if hidden in log] == []


def test_buffer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is buffered on disk before a load holds none of the values."""
    buffered: list[bytes] = []

    def load(self: Destination, loads: Iterable[Load], state: Mapping[str, Any]) -> None:
        buffered.extend(record for _, records in loads for record in records())

    monkeypatch.setattr(Destination, "load", load)
    monkeypatch.setenv(HASH_KEY, KEY)
    given = ["sync", str(folder / "config.json"), "--to", f"duckdb:///{folder}/t.duckdb"]
    assert main([*given, *ASKED, "--hash-columns", f"messages.to,{CALLED}"]) == 0
    whole = b"\n".join(buffered)
    assert (BODY.encode() in whole, NUMBER.encode() in whole) == (False, False)
    assert [orjson.loads(record).get("to") for record in buffered].count(hashed(NUMBER)) == 2


def test_rows_of_former_syncs(folder: Path) -> None:
    """Rows in the clear stay, with a note in each sync, until the stream is read again."""
    assert sync(folder, "--streams", "messages,calls")[0] == 0
    note = (
        "Note: messages: rows that were loaded before keep body, to as it was: --refresh messages "
        "reads them again."
    )
    asked = (*ASKED, "--hash-columns", "messages.to")
    clear = 'select count(*) from messages where body is not null or length("to") <> 64'
    old = rows(folder, clear)
    for _ in range(2):
        status, output, _ = sync(folder, *asked, **{HASH_KEY: KEY})
        assert (status, note in output.splitlines()) == (0, True)
    assert (0,) < rows(folder, clear)[0] <= old[0]
    status, output, _ = sync(folder, *asked, "--refresh", "messages", **{HASH_KEY: KEY})
    assert (status, "rows that were loaded before keep body" in output) == (0, False)
    assert rows(folder, clear) == [(0,)]
    status, output, _ = sync(folder, *asked, **{HASH_KEY: KEY})
    assert (status, "messages: rows that were loaded before" in output) == (0, False)


def test_another_key(folder: Path) -> None:
    """With another key the same value has another hash: the sync says so before it reads."""
    asked = ("--streams", "messages,queues", "--hash-columns", "messages.to,queues.friendly_name")
    other = {HASH_KEY: "o" * 32}
    assert sync(folder, *asked, **{HASH_KEY: KEY})[0] == 0
    assert sync(folder, *asked, **other) == (
        2,
        "",
        f"{HASH_KEY} is not the key of the hashes in messages.to: set that key, or read the stream "
        "again with --refresh messages.\n",
    )
    assert sync(folder, *asked, "--refresh", "messages", **other)[0] == 0
    count = f"select count(*) from messages where \"to\" = '{hashed(NUMBER, other[HASH_KEY])}'"
    assert rows(folder, count) == [(1,)]
    assert sync(folder, *asked, **other)[0] == 0


def test_postgres(folder: Path, postgres: str) -> None:
    """The same in PostgreSQL, where a table that has the column gets rows without it."""
    import psycopg2

    given = {"DESTINATION__POSTGRES__CREDENTIALS": postgres, HASH_KEY: KEY}
    asked = ("--to", "postgres", "--streams", "messages,calls")
    assert sync(folder, *asked, **given)[0] == 0
    assert sync(folder, *asked, *ASKED[2:], "--hash-columns", "messages.to", **given)[0] == 0
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute('select count(body) from twilio.messages where "to" = %s', (hashed(NUMBER),))
        found = cursor.fetchall()
    connection.close()
    assert found == [(0,)]


@pytest.mark.parametrize(
    ("excluded", "hashed_columns", "key", "said"),
    [
        (["body"], [], "", "--exclude-columns names columns with their stream, such as"),
        (["mesages.body"], [], "", "There is no stream mesages: did you mean messages? "),
        (["messages.bodies"], [], "", "messages has no column bodies: did you mean body? "),
        ([], ["messages.zzz"], KEY, "messages has no column zzz: see docs/columns.md."),
        (["messages.sid"], [], "", "messages.sid is of the primary key"),
        ([], ["messages.sid"], KEY, "messages.sid is of the primary key"),
        (["messages.date_sent"], [], "", "messages.date_sent is the cursor field"),
        ([], ["messages.price"], KEY, "messages.price is of type decimal, and only text can be"),
        (["calls.to"], ["calls.to"], KEY, "calls.to is in --exclude-columns and in --hash-columns"),
        (
            [],
            ["calls.to"],
            "",
            f"--hash-columns needs a secret key of 16 characters or more in the "
            f"environment, {HASH_KEY}: ",
        ),
        ([], ["calls.to"], "short", "--hash-columns needs a secret key"),
        ([], ["calls.to"], "your-secret-key-here", "--hash-columns needs a secret key"),
    ],
)
def test_refused(excluded: list[str], hashed_columns: list[str], key: str, said: str) -> None:
    """What cannot be left out or hashed is named, with what to do."""
    with pytest.raises(UserError) as refused:
        Columns.of(catalog().values(), excluded, hashed_columns, key)
    assert str(refused.value).startswith(said)


def test_names_of_tables() -> None:
    """A field in camelCase has the name of its column, too."""
    for name in ("monitor_alarms.friendly_name", "monitor_alarms.friendlyName"):
        columns = Columns.of(catalog().values(), [name], [], "")
        row = {"sid": "a", "friendlyName": "secret"}
        columns.apply("monitor_alarms", row)
        assert row == {"sid": "a"}


def test_key_is_not_shown() -> None:
    """The key stays out of what errors and logs quote."""
    assert KEY not in repr(Columns.of(catalog().values(), [], ["calls.to"], KEY))
