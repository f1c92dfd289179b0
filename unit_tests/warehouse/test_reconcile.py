"""`twilio-warehouse reconcile`: the days on which rows are missing are named, and no others."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox import Sandbox
from twilio_warehouse.cli import main
from twilio_warehouse.errors import UserError
from twilio_warehouse.reconcile import NEEDED_TABLES, SQL, Comparison, compare, missing
from unit_tests.support.syncing import configured, sync

MAIN, SUB = "AC" + "0" * 32, "AC" + "1" * 32
NOW = datetime(2026, 3, 20, 10, tzinfo=timezone.utc)
COLUMNS = {
    "accounts": "sid text, friendly_name text",
    "messages": "sid text, account_sid text, date_sent timestamptz, date_created timestamptz, "
    '"from" text, "to" text, direction text, status text, price numeric(20, 5), num_media bigint, '
    "num_segments bigint",
    "calls": "sid text, account_sid text, start_time timestamptz, date_created timestamptz, "
    "direction text, price numeric(20, 5), duration bigint",
    "recordings": "sid text, account_sid text, date_created timestamptz, status text",
    "usage_records": 'account_sid text, start_date date, category text, "count" numeric(20, 5), '
    "as_of timestamptz",
}
Row = dict[str, Any]


def ago(days: int, hour: int = 12) -> datetime:
    """Return an hour of a day before today, UTC."""
    return NOW.replace(hour=hour) - timedelta(days=days)


class History:
    """Rows, and what Twilio bills for them."""

    def __init__(self) -> None:
        """Begin with two accounts that use everything on each of nine days."""
        self.rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
        self.billed: dict[tuple[str, int, str], int] = {}
        self.starts: dict[str, str] = {}
        for account, name in ((MAIN, "Main"), (SUB, "Sub")):
            self.rows["accounts"].append({"sid": account, "friendly_name": name})
            for day in range(1, 10):
                for number in range(day % 3 + 2):
                    self.message(day, account=account, num_segments=1 + number % 2)
                    self.message(day, account=account, direction="inbound", status="received")
                    self.call(day, account=account, direction="inbound")
                    self.call(day, account=account)
                self.message(day, account=account, num_media=2, num_segments=2)
                self.add("recordings", account, status="completed", date_created=ago(day))
                self.bill(account, day, "recordings", 1)

    def add(self, table: str, account: str, **fields: Any) -> None:
        """Add a row."""
        sid = f"XX{len(self.rows[table]):032}"
        self.rows[table].append({"sid": sid, "account_sid": account, **fields})

    def bill(self, account: str, day: int, category: str, units: int) -> None:
        """Let Twilio bill units, also in the category above."""
        for name in {category, category.partition("-")[0]}:
            key = account, day, name
            self.billed[key] = self.billed.get(key, 0) + units

    def message(
        self, day: int, account: str = MAIN, billed: bool = True, bill_on: int = 0, **fields: Any
    ) -> None:
        """Let a message be sent, and be billed on its day or some days from it."""
        usual: Row = {"direction": "outbound-api", "status": "delivered", "price": "-0.0075"}
        usual |= {"from": "+14155550100", "to": "+14155550101", "num_media": 0, "num_segments": 1}
        if "sender" in fields:
            fields["from"] = fields.pop("sender")
        row = {**usual, "date_sent": ago(day), "date_created": ago(day), **fields}
        self.add("messages", account, **row)
        if billed:
            way = "inbound" if row["direction"] == "inbound" else "outbound"
            kind, units = ("mms", 1) if row["num_media"] else ("sms", row["num_segments"])
            self.bill(account, day + bill_on, f"{kind}-{way}", units)

    def call(self, day: int, account: str = MAIN, billed: bool = True, **fields: Any) -> None:
        """Let somebody call."""
        usual: Row = {"direction": "outbound-dial", "price": "-0.01", "duration": 60}
        row = {**usual, "start_time": ago(day), "date_created": ago(day), **fields}
        self.add("calls", account, **row)
        if billed:
            way = "inbound" if row["direction"] == "inbound" else "outbound"
            self.bill(account, day, f"calls-{way}", 1)

    def drop(self, table: str, account: str, day: int, most: int = 1000, **same: Any) -> None:
        """Lose rows of a day on the way."""
        for row in [*self.rows[table]]:
            when = row.get("date_created")
            fits = row.get("account_sid") == account and when and when.date() == ago(day).date()
            if most and fits and all(row[name] == value for name, value in same.items()):
                self.rows[table].remove(row)
                most -= 1

    def statements(self) -> Iterator[str]:
        """Yield the SQL that makes the tables."""
        usage = [
            {
                "account_sid": account,
                "start_date": ago(day).date(),
                "category": category,
                "count": units,
                "as_of": NOW,
            }
            for (account, day, category), units in self.billed.items()
        ]
        for table, columns in COLUMNS.items():
            yield f"create table {table} ({columns})"
            rows = usage if table == "usage_records" else self.rows[table]
            names = [column.split()[0] for column in re.sub(r"\(.*?\)", "", columns).split(", ")]
            values = ", ".join(
                f"({', '.join(quoted(row.get(name.strip(QUOTE))) for name in names)})"
                for row in rows
            )
            yield f"insert into {table} ({', '.join(names)}) values {values}"
        states = {
            table: {"states": [{"partition": {"start_date": moment}}]}
            for table, moment in self.starts.items()
        }
        state = {"sources": {"twilio": {"states": states}}}
        packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
        yield "create table _dlt_pipeline_state (state text, version int, created_at timestamp)"
        yield f"insert into _dlt_pipeline_state values ('{packed}', 1, null)"


QUOTE = '"'


def quoted(value: object) -> str:
    """Return a value as SQL has it."""
    return "null" if value is None else f"'{value}'"


def written(history: History, path: Path) -> Path:
    """Return the DuckDB file of a history."""
    with duckdb.connect(str(path)) as connection:
        for statement in history.statements():
            connection.execute(statement)
    return path


def read(path: Path) -> list[Comparison]:
    """Return what is compared, in a time zone far from UTC."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set timezone = 'Pacific/Kiritimati'")
        return compare(connection)


def named(rows: list[Comparison]) -> list[tuple[str, int, str, int, int]]:
    """Return the days on which rows are missing."""
    return [
        (row.account_sid, (NOW.date() - row.day).days, row.category, int(row.billed), row.units)
        for row in missing(rows)
    ]


def test_untouched(tmp_path: Path) -> None:
    """All days of all categories agree."""
    rows = read(written(History(), tmp_path / "t.duckdb"))
    assert {row.verdict for row in rows} == {"agrees"}
    assert len(rows) == 2 * 9 * 9


def lose_a_day(history: History) -> None:
    """Lose the messages of a day."""
    history.drop("messages", SUB, 4)


def lose_one(history: History) -> None:
    """Lose a single call."""
    history.drop("calls", MAIN, 3, 1, direction="inbound")


def lose_recordings(history: History) -> None:
    """Lose a recording."""
    history.drop("recordings", MAIN, 9)


def lose_all(history: History) -> None:
    """Lose all messages of an account."""
    for day in range(1, 10):
        history.drop("messages", MAIN, day, direction="inbound")


def failed(history: History) -> None:
    """Have messages that are not billed."""
    for status in ("failed", "canceled", "queued", "scheduled"):
        history.message(4, billed=False, status=status, price=None, date_sent=None)
    history.call(4, billed=False, price=None, duration=0)


def failed_hide_nothing(history: History) -> None:
    """Have more failed messages than are lost on that day."""
    failed(history)
    history.drop(
        "messages",
        MAIN,
        4,
        1,
        status="delivered",
        num_segments=1,
        num_media=0,
        direction="outbound-api",
    )


def midnight(history: History) -> None:
    """Have a message that is billed a day later, in UTC."""
    history.message(5, bill_on=-1, date_sent=ago(5, 23))
    history.message(5, direction="inbound", status="received", bill_on=1, date_sent=ago(5, 0))


def lent_once(history: History) -> None:
    """Have a day with three too many, between two that lack three."""
    for day, lacking in ((6, 3), (5, -3), (4, 3)):
        for _ in range(3):
            history.message(day)
        history.bill(MAIN, day, "sms-outbound", lacking)


def lent_across(history: History) -> None:
    """Have two days that lack one, beside days with one too many each."""
    for day, lacking in ((7, -1), (6, 2), (5, -1), (4, 0)):
        history.message(day)
        history.bill(MAIN, day, "sms-outbound", lacking)


def from_noon(history: History) -> None:
    """Have read from noon of the first day on, and other rows than its calls from before."""
    history.bill(MAIN, 500, "calls-inbound", 5)
    history.starts = {"calls": f"{ago(500):%Y-%m-%dT12:00:00Z}"}


def not_final(history: History) -> None:
    """Have more billed today than has arrived."""
    history.bill(MAIN, 0, "sms-inbound", 50)


def old(history: History) -> None:
    """Have usage from before what Twilio shows of messages."""
    history.bill(MAIN, 500, "sms-inbound", 5)


def old_calls(history: History) -> None:
    """Have calls that should be there, however old."""
    history.bill(MAIN, 500, "calls-inbound", 5)


def whatsapp(history: History) -> None:
    """Have messages that are no SMS."""
    history.message(2, billed=False, sender="whatsapp:+14155550100")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lose_a_day,
            [
                (SUB, 4, "mms-outbound", 1, 0),
                (SUB, 4, "sms-inbound", 3, 0),
                (SUB, 4, "sms-outbound", 4, 0),
            ],
        ),
        (lose_one, [(MAIN, 3, "calls-inbound", 2, 1)]),
        (lose_recordings, [(MAIN, 9, "recordings", 1, 0)]),
        (lose_all, [(MAIN, day, "sms-inbound", day % 3 + 2, 0) for day in range(9, 0, -1)]),
        (failed, []),
        (failed_hide_nothing, [(MAIN, 4, "sms-outbound", 4, 3)]),
        (midnight, []),
        (lent_once, [(MAIN, 4, "sms-outbound", 10, 7)]),
        (lent_across, []),
        (from_noon, []),
        (not_final, []),
        (old, []),
        (old_calls, [(MAIN, 500, "calls-inbound", 5, 0)]),
        (whatsapp, []),
    ],
)
def test_days(
    tmp_path: Path,
    change: Callable[[History], None],
    expected: list[tuple[str, int, str, int, int]],
) -> None:
    """Days on which rows are missing are named, with their account and category."""
    history = History()
    change(history)
    assert named(read(written(history, tmp_path / "t.duckdb"))) == expected


def test_postgres(postgres: str, tmp_path: Path) -> None:
    """PostgreSQL finds what DuckDB finds, with the same SQL."""
    import psycopg2

    history = History()
    for change in (lose_a_day, failed, midnight, not_final, old, whatsapp):
        change(history)
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        for statement in history.statements():
            cursor.execute(statement)
        cursor.execute("set timezone = 'Pacific/Kiritimati'")
        cursor.execute(SQL)
        found = [Comparison(*row) for row in cursor.fetchall()]
    assert found == read(written(history, tmp_path / "t.duckdb"))
    assert {row.verdict for row in found} == {
        *("agrees", "missing", "near midnight", "more rows", "not final", "out of reach"),
    }


def test_synced(tmp_path: Path, sandbox: Sandbox) -> None:
    """After a sync nothing is named, and then the day whose rows are deleted."""
    configured(tmp_path, sandbox.config)
    assert sync(tmp_path, "--streams", ",".join(NEEDED_TABLES))[0] == 0
    path = tmp_path / "t.duckdb"
    whole = read(path)
    assert missing(whole) == []
    agree = {row.category for row in whole if row.verdict == "agrees"}
    parts = {f"{kind}-{way}" for kind in ("calls", "mms", "sms") for way in ("inbound", "outbound")}
    assert agree == {"calls", "mms", "recordings", "sms", *parts}
    lost = next(row for row in whole if row.category == "sms-inbound" and row.billed)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        same = "account_sid = ? and date_sent::date = ? and direction = 'inbound'"
        connection.execute(f"delete from messages where {same}", (lost.account_sid, lost.day))
    assert [(row.account_sid, row.day, row.category) for row in missing(read(path))] == [
        (lost.account_sid, lost.day, "sms-inbound")
    ]


def reconcile(path: Path) -> int:
    """Run the command; return its exit status."""
    return main(["reconcile", "--from", f"duckdb:///{path}"])


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command names the days and ends with 1; without any it ends with 0."""
    assert reconcile(written(History(), tmp_path / "whole.duckdb")) == 0
    assert "\nNo day is missing rows.\n\nExpected differences" in capsys.readouterr().out
    history = History()
    lose_one(history)
    assert reconcile(written(history, tmp_path / "less.duckdb")) == 1
    said = capsys.readouterr().out.splitlines()
    start = said.index("Rows are missing on 1 day:")
    assert said[start + 1] == f"  2026-03-17  Main ({MAIN})  calls-inbound: 2 billed, 1 arrived"
    lose_all(history)
    assert reconcile(written(history, tmp_path / "least.duckdb")) == 1
    gap = f"  2026-03-11 to 2026-03-19  Main ({MAIN})  sms-inbound: 27 billed, 0 arrived"
    assert gap in capsys.readouterr().out.splitlines()
    [line] = [line.split() for line in said if line.split()[:2] == ["Main", "calls-inbound"]]
    assert line[2:] == ["9", "26", "26", "27", "8", "0", "0", "0", "1"]


def test_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the user gives one line, and ends with 2."""
    # Where there is no demo.
    monkeypatch.chdir(tmp_path)
    path = written(History(), tmp_path / "t.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table calls; drop table recordings")
        with pytest.raises(UserError):
            compare(connection)
    assert reconcile(path) == 2
    assert reconcile(tmp_path / "none.duckdb") == 2
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == (
        "",
        [
            "There is no table calls, recordings: sync these streams to compare.",
            f"There is no {tmp_path}/none.duckdb: sync writes it.",
        ],
    )
    assert set(NEEDED_TABLES) == set(COLUMNS)
