"""The report of a history: its counts, and the rows of the warehouse that are wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from dev.soak.expected_rows import ExpectedRows
from dev.soak.streams import identity
from dev.soak.warehouse import Warehouse
from sandbox.streams import STREAMS
from source_twilio.timestamps import parse_duration


@dataclass
class Report:
    """Counts of a history, and the rows that are wrong."""

    syncs: int = 0
    records: int = 0
    kills: int = 0
    faults: int = 0
    # The rows that are marked as deleted at the end.
    deleted: int = 0
    missing: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    state_bytes: int = 0

    @property
    def wrong(self) -> int:
        """The number of rows that are missing, stale or invented."""
        return len(self.missing) + len(self.stale) + len(self.invented)

    def __str__(self) -> str:
        """Return the figures in one line."""
        return (
            f"{self.syncs} syncs, {self.records:,} records, {self.kills} kills, {self.faults} "
            f"faults: {len(self.missing)} missing, {len(self.stale)} stale, {len(self.invented)} "
            f"invented, {self.deleted} marked as deleted; largest state {self.state_bytes} "
            "bytes per account"
        )

    def compare(self, warehouse: Warehouse, expected_rows: ExpectedRows) -> None:
        """Note each row of the warehouse that differs from Twilio's."""
        for stream in warehouse.streams.values():
            name = stream.name
            table = warehouse.tables.get(name, {})
            found = {identity(name, row): row for row in table.values()}
            expected = {identity(name, row): row for row in expected_rows.rows(stream)}
            declared = STREAMS[name]
            if (retention := declared.parameters.get("retention")) in ("P29D", "P30D"):
                # Twilio stops showing older ones during the history (BEHAVIOR 10, 59).
                days = parse_duration(retention) - timedelta(days=1)
                since = (expected_rows.twilio.now() - days).strftime("%Y-%m-%d")
                dates = {k: row[str(declared.cursor_field)] or since for k, row in expected.items()}
                if name.startswith("call_insights"):
                    summaries = expected_rows.rows(warehouse.streams["call_summaries"])
                    calls = {row["call_sid"]: row["start_time"] or since for row in summaries}
                    dates = {k: calls[row["call_sid"]] for k, row in expected.items()}
                expected = {k: r for k, r in expected.items() if dates[k] >= since}
            for k, row in expected.items():
                if k not in found:
                    self.missing.append(f"{name} {k}")
                elif stream.comparable(found[k]) != stream.comparable(row):
                    self.stale.append(f"{name} {k}")
            self.invented += [
                f"{name} {k}" for k in found if k not in expected_rows.ever_shown[name]
            ]
            leaked = [k for k, row in found.items() if "auth_token" in row]
            self.invented += [f"{name} {k} auth_token" for k in leaked]
