"""The records that wait on disk for the next load."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson


class RecordBuffer:
    """The records that are not loaded yet, as JSON in a file: of each stream and key the newest."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE records (stream TEXT, key BLOB, data BLOB, PRIMARY KEY (stream, key))"
            " WITHOUT ROWID; BEGIN"
        )

    def put(self, stream: str, key: bytes, data: bytes) -> None:
        """Add a record, or replace the one with its key."""
        self.connection.execute("REPLACE INTO records VALUES (?, ?, ?)", (stream, key, data))

    def set_field(self, stream: str, key: bytes, field_name: str, value: Any) -> None:
        """Set a field of a record."""
        query = "SELECT data FROM records WHERE stream = ? AND key = ?"
        for (data,) in self.connection.execute(query, (stream, key)).fetchall():
            self.put(stream, key, orjson.dumps({**orjson.loads(data), field_name: value}))

    def records(self, stream: str) -> Iterator[bytes]:
        """Yield the records of a stream."""
        query = "SELECT data FROM records WHERE stream = ?"
        for (data,) in self.connection.execute(query, (stream,)):
            yield data

    def streams(self) -> set[str]:
        """Return the streams that have records."""
        return {name for (name,) in self.connection.execute("SELECT DISTINCT stream FROM records")}

    def delete(self, streams: Iterable[str]) -> None:
        """Delete the records of some streams."""
        for stream in streams:
            self.connection.execute("DELETE FROM records WHERE stream = ?", (stream,))

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
