"""How far a sync has come, for whoever sees nothing of it but the log."""

import threading
import time

from source_twilio.errors import LOGGER


class Progress:
    """Counts what has arrived, and logs a line about it now and then.

    The list of accounts, which most streams begin with, belongs to no account and is not counted.
    The line comes with the first page after `every` seconds. While no page comes, the waits are in
    the log.
    """

    def __init__(self, every: float = 30) -> None:
        """Begin with nothing."""
        self._every = every
        self._due = time.monotonic() + every
        self._records = self._pages = self._lists = 0
        self._accounts: set[str] = set()
        self._lock = threading.Lock()

    def page(self, account: str, records: int) -> None:
        """Count a page, and log a line if it is time."""
        with self._lock:
            if not account:
                return
            self._pages += 1
            self._records += records
            now = time.monotonic()
            if now < self._due:
                return
            self._due = now + self._every
            line = (
                f"So far: records {self._records:,}, pages {self._pages:,}, complete lists "
                f"{self._lists:,}, accounts {len(self._accounts):,}."
            )
        LOGGER.info(line)

    def complete(self, account: str) -> None:
        """Count a list of an account that has been read, or a part of it with a cursor."""
        with self._lock:
            if account:
                self._lists += 1
                self._accounts.add(account)
