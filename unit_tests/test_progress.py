"""A line in the log every 30 seconds says how far a sync has come."""

from __future__ import annotations

import pytest

from sandbox import Sandbox
from source_twilio.progress import Progress
from unit_tests.reading import read, records


def test_lines(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A page brings a line if the last one is 30 seconds old."""
    now = [100.0]
    monkeypatch.setattr("source_twilio.progress.time.monotonic", lambda: now[0])
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
        "So far: 1,234 records on 2 pages; complete are 1 lists of 1 accounts.",
        "So far: 1,244 records on 4 pages; complete are 3 lists of 2 accounts.",
    ]


def test_counts(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """The last line of a read that logs each page has all records, and the accounts."""
    monkeypatch.setattr(Progress.__init__, "__defaults__", (0.0,))
    output = read(sandbox.config, "calls", "queues")
    lines = [m.log.message for m in output.logs if m.log and m.log.message.startswith("So far")]
    number = len(records(output, "calls")) + len(records(output, "queues"))
    assert lines[-1].startswith(f"So far: {number:,} records on {len(lines)} pages; complete are ")
