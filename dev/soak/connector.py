"""Runs a copy of the connector in a child process, and kills it on request."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.soak.credential_cases import PACKAGE
from dev.soak.known_bugs import Bug
from dev.soak.streams import Row, Stream, parse_catalog
from dev.soak.warehouse import messages
from sandbox import Sandbox

# Sets the clock of the child to the sandbox's, and cuts its waits short.
CHILD = """
import sys, time
from datetime import datetime, timezone
import time_machine
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.01))
now = datetime.fromtimestamp(float(sys.argv.pop(1)), timezone.utc)
time_machine.travel(now, tick=True).start()
from source_twilio.run import run
from twilio_warehouse.connector import log_complete_ranges
log_complete_ranges()
run()
"""


@dataclass
class Connector:
    """A copy of the connector in a folder, with a config and perhaps a bug."""

    twilio: Sandbox
    folder: Path
    config: Row
    bug: Bug | None = None

    def __post_init__(self) -> None:
        """Copy the package and write the config."""
        shutil.copytree(PACKAGE, self.folder / "source_twilio")
        if self.bug:
            self.bug.apply(self.folder / "source_twilio")
        self._write("config.json", self.config)

    def discover(self) -> dict[str, Stream]:
        """Return the streams by name; each `read` reads all of them."""
        output, _ = self._start("discover", "--config", "config.json").communicate()
        [catalog] = [m["catalog"] for m in messages(output) if m["type"] == "CATALOG"]
        streams = parse_catalog(catalog)
        self._write("catalog.json", {"streams": [stream.catalog for stream in streams.values()]})
        return streams

    def read(self, state: Sequence[Row], killed_after: int | None) -> tuple[list[Row], bool]:
        """Run `read` once; with `killed_after` kill it after so many lines of output.

        Return the messages, and whether it was killed.
        """
        self._write("state.json", state)
        child = self._start(
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
        # The kill may have cut the last line short.
        complete = b"".join(line for line in lines if line.endswith(b"\n"))
        return [*messages(complete)], killed

    def _write(self, name: str, content: Any) -> None:
        (self.folder / name).write_text(json.dumps(content))

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        now = str(self.twilio.now().timestamp())
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, now, *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                **self.twilio.environment,
                "PYTHONPATH": str(self.folder),
                "TMPDIR": str(self.folder),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
