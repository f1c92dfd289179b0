"""One history, from an empty warehouse to the comparison with what Twilio shows."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sandbox import Sandbox
from sandbox.server import Faults
from sandbox.streams import STREAMS
from soak.history import COUNTS, LOOKBACK, START, History
from soak.holders import HOLDERS, PACKAGE, Holder, Reading
from soak.known_bugs import Bug
from soak.warehouse import Stream, Warehouse, identity, messages

# Moves the child's clock to the sandbox's, and lets it wait for nothing.
CHILD = """
import sys, time
from datetime import datetime, timezone
import time_machine
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.01))
now = datetime.fromtimestamp(float(sys.argv.pop(1)), timezone.utc)
time_machine.travel(now, tick=True).start()
from source_twilio.run import run
run()
"""


@dataclass
class Report:
    """What a soak did and found."""

    syncs: int = 0
    records: int = 0
    kills: int = 0
    faults: int = 0
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
            f"invented; largest state {self.state_bytes} bytes per account"
        )


@dataclass
class Soak:
    """One history from an empty warehouse to the comparison."""

    seed: int
    syncs: int
    # How this Twilio reads date filters: what is documented of it allows all of these.
    reading: Reading
    holder: Holder = HOLDERS[0]
    bug: Bug | None = None
    kill_share: float = 0.3
    settle_days: int = 14
    report: Report = field(default_factory=Report)

    def run(self) -> Report:
        """Live through the history and compare."""
        dice = random.Random(self.seed)
        with tempfile.TemporaryDirectory() as name, self._sandbox() as twilio:
            self.folder = Path(name)
            self._copy_package()
            self.environment = {
                **os.environ,
                **twilio.environment,
                "PYTHONPATH": str(self.folder),
                "TMPDIR": name,
            }
            lookback = int(LOOKBACK.total_seconds() // 60)
            config = {**self.holder.config(twilio), "lookback_window": lookback}
            (self.folder / "config.json").write_text(json.dumps(config))
            streams = self._discover(twilio)
            warehouse = Warehouse(streams)
            history = History(twilio, dice, self.holder, self.settle_days)
            for number in range(self.syncs):
                last = number == self.syncs - 1
                history.step()
                if last:
                    # The first sync of a day follows messages that were scheduled (BEHAVIOR 6).
                    twilio.advance(timedelta(days=1))
                if last and history.refused:
                    twilio.restrict(history.refused, None)
                history.remember(streams)
                faulty = number == 0 or (not last and dice.random() < 0.5)
                twilio.faults = faults(number) if faulty else None
                before = len(twilio.requests)
                killed_after = (
                    dice.randint(1, 900) if not last and dice.random() < self.kill_share else None
                )
                self._sync(twilio, warehouse, killed_after)
                self.report.faults += sum(
                    r.status not in (200, 401, 403, 404) for r in twilio.requests[before:]
                )
            self._compare(warehouse, history)
        return self.report

    def _sandbox(self) -> Sandbox:
        return Sandbox(
            seed=self.seed,
            counts=COUNTS,
            scale=0.02,
            clock=START,
            page_size_max=20,
            retry_after=0,
            **self.reading._asdict(),
            **self.holder.sandbox,
        )

    def _copy_package(self) -> None:
        shutil.copytree(PACKAGE, self.folder / "source_twilio")
        if self.bug:
            self.bug.put_back(self.folder / "source_twilio")

    def _child(self, twilio: Sandbox, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, str(twilio.now().timestamp()), *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _discover(self, twilio: Sandbox) -> dict[str, Stream]:
        output, _ = self._child(twilio, "discover", "--config", "config.json").communicate()
        [catalog] = [m["catalog"] for m in messages(output) if m["type"] == "CATALOG"]
        streams = {}
        for stream in catalog["streams"]:
            properties = stream["json_schema"]["properties"]
            mode = (
                "incremental" if "incremental" in stream["supported_sync_modes"] else "full_refresh"
            )
            streams[stream["name"]] = Stream(
                stream["name"],
                {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append_dedup"},
                [path[0] for path in stream["source_defined_primary_key"]],
                {n for n, p in properties.items() if p.get("format") == "date-time"},
                {n for n, p in properties.items() if {"number", "integer"} & set(p["type"])},
            )
        configured = {"streams": [stream.catalog for stream in streams.values()]}
        (self.folder / "catalog.json").write_text(json.dumps(configured))
        return streams

    def _sync(self, twilio: Sandbox, warehouse: Warehouse, killed_after: int | None) -> None:
        """Run `read` once; with `killed_after` kill it after so many lines of output."""
        (self.folder / "state.json").write_text(json.dumps(warehouse.state_file()))
        child = self._child(
            twilio,
            *("read", "--config", "config.json", "--catalog", "catalog.json"),
            *("--state", "state.json"),
        )
        assert child.stdout is not None
        lines, killed = [], False
        with child:
            for line in child.stdout:
                lines.append(line)
                if len(lines) == killed_after:
                    child.send_signal(signal.SIGKILL)
                    killed = True
        self.report.syncs += 1
        self.report.kills += killed
        # A line cut short by the kill is not a message.
        whole = b"".join(line for line in lines if line.endswith(b"\n"))
        self.report.records += warehouse.merge(messages(whole), not killed)
        for state in warehouse.states.values():
            # A stream may have several partitions for each account.
            accounts = {part["partition"].get("account_sid") for part in state.get("states", [])}
            size = len(json.dumps(state)) // max(1, len(accounts))
            self.report.state_bytes = max(self.report.state_bytes, size)

    def _compare(self, warehouse: Warehouse, history: History) -> None:
        for stream in warehouse.streams.values():
            table = warehouse.tables.get(stream.name, {})
            found = {identity(stream, row): row for row in table.values()}
            expected = {identity(stream, row): row for row in history.truth(stream)}
            declared = STREAMS[stream.name]
            if declared.parameters.get("kept_for") == "P30D":
                since = (history.twilio.now() - timedelta(days=29)).strftime("%Y-%m-%d")
                field = str(declared.cursor_field)
                expected = {k: r for k, r in expected.items() if (r[field] or since) >= since}
            for k, row in expected.items():
                if k not in found:
                    self.report.missing.append(f"{stream.name} {k}")
                elif stream.comparable(found[k]) != stream.comparable(row):
                    self.report.stale.append(f"{stream.name} {k}")
            self.report.invented += [
                f"{stream.name} {k}" for k in found if k not in history.ever[stream.name]
            ]
            leaked = [k for k, row in found.items() if "auth_token" in row]
            self.report.invented += [f"{stream.name} {k} auth_token" for k in leaked]


def faults(seed: int) -> Faults:
    """Return every kind of failure that passes, each in one request of twenty."""
    return Faults(
        seed=seed,
        retry_after="mixed",
        **dict.fromkeys(FAULTS, 0.05),  # type: ignore[arg-type]
    )


FAULTS = ("rate_429", "rate_500", "rate_503_html", "reset", "cut", "truncate")
