"""The progress of a sync on the screen, and its summary at the end."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections import Counter
from types import TracebackType
from typing import TextIO

from twilio_warehouse.log import redact

LOGGER = logging.getLogger("sync")
PAGES = re.compile(r"So far: .* pages ([\d,]+),")
WAIT = re.compile(r"Rate limit exceeded.*?Retrying in ([\d.]+) seconds")


class Progress:
    """Counters, and a line about them: each second on a terminal, else every `every` seconds."""

    def __init__(self, streams: int, every: float = 30, screen: TextIO | None = None) -> None:
        self.screen = screen or sys.stderr
        self.streams = streams
        self.records: Counter[str] = Counter()
        self.complete: set[str] = set()
        # At least so many: the connector logs them now and then.
        self.pages = ""
        self.loaded = 0
        self.accounts: set[str] = set()
        self.waits: list[float] = []
        self.warnings: dict[str, None] = {}
        # The reason, by stream.
        self.failed: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        # The rows that were found to be deleted, by stream.
        self.deleted: dict[str, int] = {}
        self.phase = "reading"
        self._started_at = time.monotonic()
        self._live = self.screen.isatty()
        self._every = 1.0 if self._live else every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        """Start to show lines."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and clear the line."""
        self._ended.set()
        self._thread.join()
        if self._live:
            self.screen.write("\r\033[K")
            self.screen.flush()

    def observe_log(self, level: str, message: str) -> None:
        """Count what a line of the connector's log says."""
        is_problem = level in ("WARN", "ERROR", "FATAL")
        LOGGER.log(logging.WARNING if is_problem else logging.INFO, "%s", message)
        if wait := WAIT.search(message):
            self.waits.append(float(wait[1]))
        if pages := PAGES.match(message):
            self.pages = f" on {pages[1]}+ pages"
        if level == "WARN":
            self.warnings[message] = None

    def line(self) -> str:
        """Return the progress so far."""
        number = len(self.accounts)
        accounts = f" of {number:,} account{'s' * (number > 1)}" if number else ""
        waits = f", {len(self.waits)} waits for the rate limit" if self.waits else ""
        return (
            f"{self.elapsed()} {self.phase}: "
            f"{sum(self.records.values()):,} records{self.pages}{accounts}, "
            f"{len(self.complete)} of {self.streams} streams complete, "
            f"{self.loaded:,} records loaded{waits}"
        )

    def elapsed(self) -> str:
        """Return the time since the beginning, e.g. `0:07`."""
        seconds = int(time.monotonic() - self._started_at)
        return f"{seconds // 60}:{seconds % 60:02}"

    def summary(self) -> list[str]:
        """Return the lines at the end."""
        lines = [
            f"{sum(self.records.values()):,} records in {self.elapsed()}; "
            f"{len(self.complete)} of {self.streams} streams complete."
        ]
        if self.deleted:
            counts = ", ".join(f"{name} {count:,}" for name, count in sorted(self.deleted.items()))
            lines.append(f"Deleted at Twilio: {counts} (deleted_at says when it was found).")
        lines += [f"Left out: {line}" for line in grouped(self.left_out)]
        lines += [f"Incomplete: {line}" for line in grouped(self.failed)]
        lines += [f"Note: {warning}" for warning in self.warnings]
        if self.waits:
            lines.append(
                f"Twilio's rate limit: {len(self.waits)} requests were retried, after waits of "
                f"{sum(self.waits):.0f} seconds in total (concurrent)."
            )
        return [redact(line) for line in lines]

    def _tick(self) -> None:
        while not self._ended.wait(self._every):
            line = f"\r{self.line()}\033[K" if self._live else f"{self.line()}\n"
            self.screen.write(line)
            self.screen.flush()


def grouped(reasons: dict[str, str]) -> list[str]:
    """Return a line for each reason, with the first streams that have it."""
    found: dict[str, list[str]] = {}
    for name, reason in sorted(reasons.items()):
        found.setdefault(reason, []).append(name)
    return [
        f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if names[3:] else ''}: {reason}"
        for reason, names in found.items()
    ]
