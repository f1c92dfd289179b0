"""The table `_syncs`: a row for each sync, for those who watch it from the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import orjson

from twilio_warehouse.progress import Progress, advice_for
from twilio_warehouse.tables import Row, Table

SYNCS = Table(
    "_syncs",
    ["id"],
    incremental=True,
    types={
        "id": "text",
        "began_at": "timestamp",
        "ended_at": "timestamp",
        "status": "text",
        "streams": "bigint",
        "streams_complete": "bigint",
        "streams_failed": "bigint",
        "streams_left_out": "bigint",
        "records": "bigint",
        "accounts": "bigint",
        "accounts_skipped": "bigint",
        "incomplete": "json",
        "left_out": "json",
        "version": "text",
    },
)


class History:
    """The row of a sync: `running`, then `complete` or `incomplete`.

    A sync that is killed cannot write its end. The state has the row as it was loaded, so the next
    sync finds it, and marks it as `interrupted`.
    """

    def __init__(self, former: Mapping[str, Any], progress: Progress) -> None:
        """Take the row of the last sync that has loaded something, empty if there is none."""
        self._progress = progress
        is_running = former.get("status") == "running"
        self._interrupted = {**former, "status": "interrupted"} if is_running else None
        self._begin = {"id": str(uuid4()), "began_at": now(), "version": version("source-twilio")}

    def row(self, status: str = "running") -> Row:
        """Return the row as it is now."""
        progress = self._progress
        return {
            **self._begin,
            "ended_at": None if status == "running" else now(),
            "status": status,
            "streams": progress.streams,
            "streams_complete": len(progress.complete),
            "streams_failed": len(progress.failed),
            "streams_left_out": len(progress.left_out),
            "records": progress.records.total(),
            "accounts": len(progress.accounts),
            "accounts_skipped": progress.accounts_skipped,
            "incomplete": explained(progress.failed),
            "left_out": explained(progress.left_out),
        }

    def records(self, row: Row) -> list[bytes]:
        """Return what is loaded: the row, and before it that of a sync that was killed."""
        former, self._interrupted = self._interrupted, None
        return [orjson.dumps(found) for found in (former, row) if found]


def explained(reasons: Mapping[str, str]) -> dict[str, str]:
    """Return the reason of each stream."""
    return {name: advice_for([name], reason) for name, reason in sorted(reasons.items())}


def now() -> str:
    """Return the time, in UTC."""
    return f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
