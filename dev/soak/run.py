"""One history from an empty warehouse to the comparison."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dev.soak.connector import Connector
from dev.soak.credential_cases import CASES, CredentialCase
from dev.soak.deletions import Marks
from dev.soak.expected_rows import ExpectedRows
from dev.soak.filter_semantics import FilterSemantics
from dev.soak.history import LOOKBACK, History
from dev.soak.known_bugs import Bug
from dev.soak.report import Report
from dev.soak.warehouse import Warehouse
from sandbox import Faults, Sandbox

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
# The number of rows of each stream at the start.
COUNTS = {
    **dict.fromkeys(("messages", "calls", "recordings", "alerts"), 120),
    **{"usage_records": 60, "conferences": 30},
}
FAULTS = ("rate_429", "rate_500", "rate_503_html", "reset", "cut", "truncate")


@dataclass
class Soak:
    """One history from an empty warehouse to the comparison."""

    seed: int
    syncs: int
    semantics: FilterSemantics
    case: CredentialCase = CASES[0]
    bug: Bug | None = None
    kill_share: float = 0.3
    settle_days: int = 14
    report: Report = field(default_factory=Report)

    def run(self) -> Report:
        """Run the history and compare."""
        rng = random.Random(self.seed)
        with tempfile.TemporaryDirectory() as folder, self._sandbox() as twilio:
            lookback_minutes = int(LOOKBACK.total_seconds() // 60)
            config = {**self.case.config(twilio), "lookback_window": lookback_minutes}
            connector = Connector(twilio, Path(folder), config, self.bug)
            warehouse = Warehouse(connector.discover())
            marks = Marks(warehouse)
            history = History(twilio, rng, self.settle_days)
            expected_rows = ExpectedRows(twilio, self.case)
            for number in range(self.syncs):
                last = number == self.syncs - 1
                history.step()
                if last:
                    # The first sync of a day reads scheduled messages again (BEHAVIOR 6).
                    twilio.advance(timedelta(days=1))
                    history.restore_access()
                expected_rows.note(warehouse.streams)
                faulty = number == 0 or (not last and rng.random() < 0.5)
                twilio.faults = faults(number) if faulty else None
                killed = not last and rng.random() < self.kill_share
                self._sync(connector, warehouse, marks, rng.randint(1, 900) if killed else None)
            self.report.compare(warehouse, expected_rows)
            accounts = [row["sid"] for row in expected_rows.rows(warehouse.streams["accounts"])]
            self.report.missing += marks.missing(twilio, accounts)
        return self.report

    def _sandbox(self) -> Sandbox:
        return Sandbox(
            seed=self.seed,
            counts=COUNTS,
            scale=0.02,
            clock=START,
            page_size_max=20,
            retry_after=0,
            **self.semantics._asdict(),
            **self.case.sandbox_settings,
        )

    def _sync(
        self,
        connector: Connector,
        warehouse: Warehouse,
        marks: Marks,
        killed_after: int | None,
    ) -> None:
        requests = connector.twilio.requests
        before = len(requests)
        messages, killed = connector.read(warehouse.state_file(), killed_after)
        self.report.syncs += 1
        self.report.kills += killed
        self.report.records += warehouse.merge(messages, not killed)
        if not killed:
            marks.merge(messages)
        self.report.deleted = sum(map(len, marks.marked.values()))
        self.report.invented += marks.invented(connector.twilio)
        self.report.faults += sum(r.status not in (200, 401, 403, 404) for r in requests[before:])
        self.report.state_bytes = max(self.report.state_bytes, warehouse.state_bytes)


def faults(seed: int) -> Faults:
    """Return every kind of transient failure, each in one request of twenty."""
    return Faults(
        seed=seed,
        retry_after="mixed",
        **dict.fromkeys(FAULTS, 0.05),  # type: ignore[arg-type]
    )
