"""A line in the log every 30 seconds says how far a sync has come."""

from __future__ import annotations

from io import StringIO

import pytest

from sandbox import Sandbox
from source_twilio.session import Progress
from twilio_warehouse.progress import Progress as Screen
from unit_tests.support.reading import read, records


def test_lines(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A page brings a line if the last one is 30 seconds old."""
    now = [100.0]
    monkeypatch.setattr("source_twilio.session.time.monotonic", lambda: now[0])
    caplog.set_level("INFO")
    progress = Progress()
    for second, rows, account in (
        (129.0, 1000, "AC1"),
        (130.0, 234, "AC2"),
        (159.0, 10, "AC2"),
        (161.0, 0, "AC3"),
    ):
        now[0] = second
        progress.page(account, rows)
        progress.complete(account)
    assert caplog.messages == [
        "So far: records 1,234, pages 2, complete lists 1, accounts 1.",
        "So far: records 1,244, pages 4, complete lists 3, accounts 2.",
    ]


def test_counts(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """The last line of a read that logs each page has all records, and the accounts."""
    monkeypatch.setattr("source_twilio.session.PROGRESS_SECONDS", 0)
    output = read(sandbox.config, "calls", "queues")
    lines = [m.log.message for m in output.logs if m.log and m.log.message.startswith("So far")]
    number = len(records(output, "calls")) + len(records(output, "queues"))
    assert lines[-1].startswith(f"So far: records {number:,}, pages {len(lines)}, complete ")


def test_screen() -> None:
    """What a terminal shows has the pages once the connector has counted them."""
    screen = StringIO()
    shown = Screen(2, screen=screen)
    shown.records["calls"] = 1234
    assert shown.line() == "0:00 reading: 1,234 records, 0 of 2 streams complete, 0 records loaded"
    shown.accounts.add("AC1")
    shown.observe_log("INFO", "So far: records 1,000, pages 1,024, complete lists 3, accounts 2.")
    assert shown.line() == (
        "0:00 reading: 1,234 records on 1,024+ pages of 1 account, 0 of 2 streams complete, "
        "0 records loaded"
    )
