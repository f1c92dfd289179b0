"""Holds the records that have arrived and are not loaded yet: on disk, the last of each key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path


class Buffer:
    """Records as JSON, by stream and key, in a file that nobody reads again."""

    def __init__(self, path: Path) -> None:
        """Make the file."""
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE records (stream TEXT, key BLOB, data BLOB, PRIMARY KEY (stream, key))"
            " WITHOUT ROWID; BEGIN"
        )

    def put(self, stream: str, key: bytes, data: bytes) -> None:
        """Keep a record, in place of the one that has its key."""
        self._database.execute("REPLACE INTO records VALUES (?, ?, ?)", (stream, key, data))

    def rows(self, stream: str) -> Iterator[bytes]:
        """Yield the records of a stream."""
        query = "SELECT data FROM records WHERE stream = ?"
        for (data,) in self._database.execute(query, (stream,)):
            yield data

    def streams(self) -> set[str]:
        """Return the streams that have records here."""
        return {name for (name,) in self._database.execute("SELECT DISTINCT stream FROM records")}

    def drop(self, streams: Iterable[str]) -> None:
        """Forget the records of some streams."""
        for stream in streams:
            self._database.execute("DELETE FROM records WHERE stream = ?", (stream,))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
