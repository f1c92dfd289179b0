"""What programs read: `--json`; and what people see while they wait."""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path

import duckdb
import pytest

from sandbox import Sandbox
from twilio_warehouse.cli import main
from twilio_warehouse.output import print_json
from twilio_warehouse.progress import Progress
from unit_tests.support.syncing import configured, start


class Terminal(StringIO):
    """A screen."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers keep their digits, and terminals get no orders."""
    given = {"price": Decimal("-0.007500001"), "many": Decimal(12345678901234567890), "b": b"\x01"}
    print_json({**given, "text": 'a\x1b[2J\x9b\u202e"\n'})
    output = capsys.readouterr().out
    assert output == (
        '{"price":-0.007500001,"many":12345678901234567890,"b":"01",'
        '"text":"a\\u001b[2J\\u009b\\u202e\\"\\n"}\n'
    )
    assert json.loads(output)["text"] == 'a\x1b[2J\x9b\u202e"\n'


def test_query(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows of a query: an array of objects."""
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table things as select 'a' as sid, 0.10::decimal(38, 9) as price, "
            "'{\"a\": [1]}'::json as details, null as nothing, true as is_so, "
            "timestamptz '2026-01-15 12:00:00+00' as at, 2::hugeint ** 70 as huge, 1.5 as half, "
            "date '2026-01-15' as day"
        )
    given = ["query", "--json", "--from", f"duckdb:///{path}"]
    assert main([*given, "select * exclude (huge), huge::hugeint as huge from things"]) == 0
    assert json.loads(capsys.readouterr().out, parse_float=Decimal) == [
        {
            "sid": "a",
            "price": Decimal("0.100000000"),
            "details": {"a": [1]},
            "nothing": None,
            "is_so": True,
            "at": "2026-01-15T12:00:00+00:00",
            "half": Decimal("1.5"),
            "day": "2026-01-15",
            "huge": 2**70,
        }
    ]
    assert main(given) == 0
    assert json.loads(capsys.readouterr().out) == [{"table": "things", "rows": 1}]
    assert main([*given, "select 1 as a, 2 as a"]) == 2
    assert capsys.readouterr() == (
        "",
        "Two columns are called a: give one another name, with as.\n",
    )


def test_phases(tmp_path: Path, sandbox: Sandbox) -> None:
    """Where no terminal shows the progress, each phase has a line of its own, the first at once."""
    configured(tmp_path, sandbox.config)
    with start(tmp_path, "--streams", "queues") as child:
        output, errors = child.communicate(timeout=600)
    lines = [re.sub(r"^\d:\d\d ", "", line) for line in errors.splitlines()]
    # A phase that takes long is shown again.
    assert [line for line in dict.fromkeys(lines) if " records" not in line] == [
        "checking the settings",
        f"opening {tmp_path}/t.duckdb",
        "asking Twilio for the accounts",
        f"Reading 1 streams into {tmp_path}/t.duckdb ...",
        "starting the connector",
    ]
    assert [line for line in lines if line.startswith("reading: ")] != []
    number = sum(len(sandbox.rows("queues", row.sid)) for row in sandbox.accounts[:-1])
    assert output.splitlines()[1] == f"By stream: queues {number}"


def test_terminal() -> None:
    """On a terminal one line is written over, and lines that stay come before it."""
    screen = Terminal()
    with Progress(screen=screen) as progress:
        progress.begin("checking")
        progress.say("Stays.")
        progress.begin("reading")
    assert screen.getvalue().split("\r\033[K") == [
        "",
        "0:00 checking",
        "Stays.\n",
        "0:00 reading: 0 records, 0 of 0 streams complete, 0 records loaded",
        "",
    ]


def test_by_stream() -> None:
    """The largest streams have their numbers, the others one."""
    progress = Progress(30)
    progress.records.update({f"stream_of_some_length_{n}": 1000 - n for n in range(14)})
    progress.records["empty"] = 0
    lines = progress.summary()[1:]
    assert max(map(len, lines)) <= 100
    assert [line[-1] for line in lines[:-1]] == [","] * (len(lines) - 1)
    whole = " ".join(line.strip() for line in lines)
    assert whole.startswith(
        "By stream: stream_of_some_length_0 1,000, stream_of_some_length_1 999,"
    )
    assert whole.endswith(", stream_of_some_length_11 989, 2 others 1,975")


@pytest.mark.parametrize(
    ("messages", "number"),
    [
        ([], 0),
        (["calls: Twilio refuses to show account ACa (HTTP 401): skipped, its cursor was"], 1),
        (
            [
                "calls: Twilio refuses to show account ACa (HTTP 401): skipped, its cursor was",
                "calls: Twilio refuses to show account ACb (HTTP 401): skipped, its cursor was",
                "queues: Twilio refuses to show account ACb (HTTP 401): skipped, its cursor was",
            ],
            2,
        ),
        (["calls: Twilio refuses to show 72 accounts: skipped, cursors were not advanced."], 72),
        (["alerts: Twilio refuses to show 3 accounts; the product is probably not enabled: "], 0),
    ],
)
def test_skipped(messages: list[str], number: int) -> None:
    """The accounts that are skipped are counted by what the connector says."""
    progress = Progress()
    for message in messages:
        progress.observe_log("WARN", message)
    assert progress.accounts_skipped == number


@pytest.mark.parametrize("command", ["sync", "demo"])
def test_windows(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On Windows a sentence says at once what runs there, whatever can be imported."""
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert main([command]) == 2
    assert capsys.readouterr() == (
        "",
        f"twilio-warehouse {command} does not run on Windows itself: run it in WSL (wsl --install, "
        "and there as on Linux) or in a container; docs/operating.md shows both.\n",
    )


def test_queries_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only reads tables runs on Windows, too."""
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table things as select 1 as a")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    given = ["query", "--json", "--from", f"duckdb:///{path}", "select a from things"]
    assert (main(given), capsys.readouterr().out) == (0, '[{"a":1}]\n')
