"""Copy a Twilio account into DuckDB with PyAirbyte: `make sync CONFIG=secrets/config.json`.

Run it again to fetch what has changed since; the state is kept in the same file.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Before the import, which reads both, and warns of what Google plans for old versions of Python.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("AIRBYTE_OFFLINE_MODE", "1")
warnings.filterwarnings("ignore", category=FutureWarning)
import airbyte  # noqa: E402


@dataclass(frozen=True)
class Synced:
    """What one sync did for one stream."""

    stream: str
    sync_mode: str
    records: int
    seconds: float


def sync(config: Mapping[str, Any], database: Path) -> list[Synced]:
    """Sync all streams into the DuckDB file, incrementally where they can; return a row for each.

    Raises what PyAirbyte raises when the check or the sync fails.
    """
    source = airbyte.get_source(
        "source-twilio",
        config=dict(config),
        local_executable=Path(sys.executable).with_name("source-twilio"),
    )
    source.check()
    source.select_all_streams()
    cache = airbyte.caches.DuckDBCache(db_path=database)
    result = source.read(cache=cache)
    # PyAirbyte has no public place for the times of a single stream.
    tracker = result._progress_tracker
    rows = []
    for stream in source.discovered_catalog.streams:
        name = stream.name
        started = tracker.stream_read_start_times.get(name, 0.0)
        ended = tracker.stream_read_end_times.get(name, started)
        count = tracker.stream_read_counts.get(name, 0)
        incremental = "incremental" in (mode.value for mode in stream.supported_sync_modes)
        mode = "incremental" if incremental else "full refresh"
        rows.append(Synced(name, mode, count, ended - started))
    return sorted(rows, key=lambda row: row.stream)


def table(rows: list[Synced]) -> str:
    """Return the rows as a text table with a sum."""
    lines = [f"{'stream':<36}{'sync mode':<14}{'records':>9}{'seconds':>9}"]
    lines += [f"{r.stream:<36}{r.sync_mode:<14}{r.records:>9,}{r.seconds:>9.1f}" for r in rows]
    return "\n".join([*lines, f"{'':<36}{'':<14}{sum(r.records for r in rows):>9,}"])


def main() -> int:
    """Sync the account of the config file named on the command line."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        print(
            "Which account? make sync CONFIG=secrets/config.json, a file with\n"
            '{"account_sid": "AC...", "auth_token": "...", "start_date": "2024-01-01T00:00:00Z"}',
            file=sys.stderr,
        )
        return 2
    database = Path("twilio.duckdb")
    print(table(sync(json.loads(Path(sys.argv[1]).read_text("utf-8")), database)))
    print(f"\nIn {database}. Run it again to fetch what has changed since.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
