"""From Airbyte's own source-twilio 0.16.0 to this connector, with a state that 0.16.0 printed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from dev.soak.streams import ALL_ROWS
from sandbox import Sandbox
from source_twilio.state import states
from source_twilio.timestamps import read_date
from twilio_warehouse.migrate import differences, starts
from unit_tests.support.contract import DATED, ROOT, _haste, asked
from unit_tests.support.embedded import use_as_twilio
from unit_tests.support.handover import ALERTS_START, INCREMENTAL, START, identity, left, twilio
from unit_tests.support.reading import problems, read, records

__all__ = ["_haste"]

LEFT = left()
OLD = states(LEFT["state"])
# Rows that 0.16.0 should have read and did not, from before the moment that is gone back to.
# Conferences: those that had ended; 0.16.0 was run after Twilio's change (BEHAVIOR 32).
LOST = {"calls": 5, "conferences": 43, "message_media": 1, "messages": 5}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The Twilio that 0.16.0 read, a day and three hours later, with new rows."""
    began = datetime.fromisoformat(LEFT["began"])
    later = began + timedelta(days=1, hours=3)
    with twilio(began) as here, time_machine.travel(later, tick=False):
        use_as_twilio(here, monkeypatch)
        here.advance(later - began)
        here.page_size_max = 5  # So no list comes with its first page, and all are asked by date.
        for account in here.accounts:
            for stream in ("messages", "calls", "recordings", "conferences", "alerts"):
                here.add(stream, account.sid)
            message = here.add("messages", account.sid, num_media="1")
            here.add("message_media", account.sid, message["sid"])
            day = str(later.date())
            here.add("usage_records", account.sid, start_date=day, end_date=day)
        yield here


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_the_handover(stream: str, here: Sandbox) -> None:
    """Each account is asked from the moment of the report, and no row since then is missing."""
    config = {**here.config, "start_date": START}
    told = {start.account: start.read_from for start in starts({stream: OLD[stream]}, config)}
    since = {account.sid: told.get(account.sid) or told[""] for account in here.accounts}

    output = read(config, stream, state={stream: OLD[stream]})
    assert [text for text in problems(output) if "BEHAVIOR 32" not in text] == []
    field = DATED["messages" if stream == "message_media" else stream][1]
    first: dict[str, str] = {}
    for account, query in asked(here, stream):
        if field in query:
            first[account] = min(query[field], first.get(account, "~"))
    length = len([*first.values()][0])
    assert first == {account: moment[:length] for account, moment in since.items()}

    arrived = {identity(stream, row) for row in records(output, stream)}
    had, lost = set(LEFT["read"][stream]), 0
    start = ALERTS_START if stream == "alerts" else START
    for account in since:
        for row in here.rows(stream, account, ALL_ROWS.get(stream, {})):
            if identity(stream, row) not in had | arrived:
                date = date_of(stream, row)
                lost += date >= start
                assert date < since[account]
    assert lost == LOST.get(stream, 0)
    assert arrived - had != set()


def date_of(stream: str, row: dict[str, Any]) -> str:
    """Return the moment by which a row is old or new."""
    field = DATED[stream][0] if stream in DATED else "date_created"
    return read_date(row[field]) or read_date(row["date_created"]) or ""


def test_a_cleared_stream_brings_the_lost_rows(here: Sandbox) -> None:
    """Without the old state everything arrives that Twilio has."""
    for stream in LOST:
        output = read({**here.config, "start_date": START}, stream)
        arrived = {identity(stream, row) for row in records(output, stream)}
        there = {
            identity(stream, row)
            for account in here.accounts
            for row in here.rows(stream, account.sid, ALL_ROWS.get(stream, {}))
            if date_of(stream, row) >= START
        }
        assert there - arrived == set()
        assert there - set(LEFT["read"][stream]) != set()


STATE = {"states": [{"partition": {"account_sid": "AC1"}, "cursor": {"end_time": "2026-01-10"}}]}


@pytest.mark.parametrize(
    "found",
    [
        {"calls": STATE},
        [
            {
                "type": "STREAM",
                "stream": {"stream_descriptor": {"name": "calls"}, "stream_state": STATE},
            }
        ],
        {"streamState": [{"streamDescriptor": {"name": "calls"}, "streamState": STATE}]},
        {
            "type": "STATE",
            "state": {"stream": {"stream_descriptor": {"name": "calls"}, "stream_state": STATE}},
        },
    ],
)
def test_states_are_found_in_every_form(found: Any) -> None:
    """The state may be that of the protocol, of Airbyte's interface, or one object per stream."""
    assert states(found) == {"calls": STATE}


def test_keys_and_cursors_that_differ() -> None:
    """The report names each stream that has another key or cursor field than in 0.16.0."""
    lines = dict(line.split(": ", 1) for line in differences())
    assert lines["keys"] == "key sid becomes sid, account_sid."
    assert lines["calls"] == "cursor end_time becomes start_time."
    assert "messages" not in lines
    assert "usage_records" not in lines


def test_the_command(tmp_path: Path) -> None:
    """The command prints the report; what is wrong with a file is said in one line."""
    state = tmp_path / "old.json"
    state.write_text(json.dumps(LEFT["state"]))

    def run(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "twilio_warehouse", "migrate", "--state", str(path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    done = run(state)
    assert (done.returncode, done.stderr) == (0, "")
    first = next(line for line in done.stdout.splitlines() if line.startswith("usage_records"))
    assert first.split(None, 4)[2:] == [
        "2026-11-24T00:00:00Z",
        "2026-10-26T00:00:00Z",
        "15 days, once (BEHAVIOR 24), settling_days (BEHAVIOR 20), lookback_window",
    ]
    assert "alerts          the main account" in done.stdout
    state.write_text("{}")
    assert run(state).stderr == f"{state} holds no state of a stream.\n"
    state.write_text("no JSON")
    assert run(state).stderr.startswith(f"{state} cannot be read as JSON: ")
