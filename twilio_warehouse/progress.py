"""The progress of a sync on the screen, and its summary at the end."""

from __future__ import annotations

import logging
import re
import sys
import textwrap
import threading
import time
from collections import Counter
from types import TracebackType
from typing import TextIO

from twilio_warehouse.log import redact

LOGGER = logging.getLogger("sync")
PAGES = re.compile(r"So far: .* pages ([\d,]+),")
# What the connector advises, to users of a platform that has a list of streams.
DESELECT = "deselect the stream"
# So many streams have their number in the summary; --json has all.
LARGEST = 12
# What has counters; the rest is done before the first record.
COUNTED = ("reading", "loading")
SKIPPED = re.compile(r"refuses to show (?:account (AC\w+)|(\d+) accounts?:).*skipped")
WAIT = re.compile(r"Rate limit exceeded.*?Retrying in ([\d.]+) seconds")


class Progress:
    """Counters, and a line about them: each second on a terminal, else every `every` seconds."""

    def __init__(self, streams: int = 0, every: float = 15, screen: TextIO | None = None) -> None:
        self.screen = screen or sys.stderr
        self.streams = streams
        self.records: Counter[str] = Counter()
        self.complete: set[str] = set()
        # At least so many: the connector logs them now and then.
        self.pages = ""
        self.loaded = 0
        self.accounts: set[str] = set()
        self._skipped: set[str] = set()
        self._skipped_of_stream = 0
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
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Show no more lines, and clear the last one."""
        self._ended.set()
        self._thread.join()
        self._write("")

    def begin(self, phase: str) -> None:
        """Show at once what is done from now on."""
        self.phase = phase
        self._show()

    def say(self, line: str) -> None:
        """Show a line that stays."""
        self._write(f"{line}\n")

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
            if skipped := SKIPPED.search(message):
                self._skipped |= {skipped[1]} - {None}
                self._skipped_of_stream = max(self._skipped_of_stream, int(skipped[2] or 0))

    @property
    def accounts_skipped(self) -> int:
        """Return how many accounts Twilio refuses to show: of many, the log names the first."""
        return max(len(self._skipped), self._skipped_of_stream)

    def line(self) -> str:
        """Return the progress so far."""
        if self.phase not in COUNTED:
            return f"{self.elapsed()} {self.phase}"
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
        lines += self._by_stream()
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

    def _by_stream(self) -> list[str]:
        """Return lines with the records of the largest streams, and those of all others."""
        counts = [(name, count) for name, count in self.records.most_common() if count]
        # A break within an entry would read as two; wrap knows spaces only.
        entries = [f"{name}\xa0{count:,}" for name, count in counts[:LARGEST]]
        if others := counts[LARGEST:]:
            number = sum(count for _, count in others)
            entries.append(f"{len(others)} others {number:,}".replace(" ", "\xa0"))
        text = f"By stream: {', '.join(entries)}"
        lines = textwrap.wrap(text, 100, subsequent_indent="  ") if counts else []
        return [line.replace("\xa0", " ") for line in lines]

    def _tick(self) -> None:
        while not self._ended.wait(self._every):
            self._show()

    def _show(self) -> None:
        self._write(self.line() if self._live else f"{self.line()}\n")

    def _write(self, text: str) -> None:
        """Write over the line of a terminal."""
        self.screen.write(f"\r\033[K{text}" if self._live else text)
        self.screen.flush()


def grouped(reasons: dict[str, str]) -> list[str]:
    """Return a line for each reason, with the first streams that have it."""
    found: dict[str, list[str]] = {}
    for name, reason in sorted(reasons.items()):
        found.setdefault(reason, []).append(name)
    return [
        f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if names[3:] else ''}: "
        + advice_for(names, reason)
        for reason, names in found.items()
    ]


def advice_for(names: list[str], reason: str) -> str:
    """Return a reason as users of the command need it, who leave out streams with an option."""
    option = f"leave it out with --except {','.join(names)}"
    if names[3:]:
        option = "name those that you want with --streams"
    return redact(reason.replace(DESELECT, option))
