"""The CDK's cursors of a sync: one for each list of each account, whatever the number."""

import sys
import time
from collections.abc import Collection
from typing import Any

from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentPerPartitionCursor,
)

from source_twilio.dates import from_text, to_text
from source_twilio.memory import Memory
from source_twilio.state import first_moment
from source_twilio.undated import CLOCK_MARGIN


def keep_all(cursor: Any) -> None:
    """Have the CDK keep the cursors of all partitions (BEHAVIOR 44).

    Above 10,000 it would go on with one for all of them, and above 25,000 drop the oldest.
    """
    if isinstance(cursor, ConcurrentPerPartitionCursor):
        cursor.SWITCH_TO_GLOBAL_LIMIT = sys.maxsize
        cursor.DEFAULT_MAX_PARTITIONS_NUMBER = sys.maxsize


def forget(cursor: Any, shown: Collection[str]) -> None:
    """Drop the cursors of accounts that are not shown any more (BEHAVIOR 46)."""
    if not isinstance(cursor, ConcurrentPerPartitionCursor):
        return
    with cursor._lock:
        for key in [*cursor._cursor_per_partition]:
            account = cursor._to_dict(key).get("account_sid")
            if account and account not in shown:
                del cursor._cursor_per_partition[key]


def save(cursor: Any, began: float) -> None:
    """Have the state said if it is due; `began` is when the reading did, in seconds of `time`.

    The CDK says it each ten minutes at most, and when a partition is complete. A kill costs what
    came since, and a platform ends a sync of which it hears nothing for long. A state of some
    hundred bytes is said every few seconds, one of megabytes every ten minutes.
    """
    if isinstance(cursor, ConcurrentPerPartitionCursor):
        with cursor._lock:
            every = min(600, 2 + len(cursor._cursor_per_partition) / 20)
            if time.time() - max(cursor._last_emission_time, began) >= every:
                cursor._last_emission_time = time.time()
                cursor._emit_state_message(throttle=False)


def reached(end: str, memory: Memory) -> str:
    """Return up to where all has been read: to the end, as far as Twilio's clock has come (5)."""
    answered = first_moment({"Date": memory.first_answer})
    if not answered:
        return end
    known = to_text(answered - CLOCK_MARGIN)
    ahead = from_text(end) - from_text(known)
    if ahead > CLOCK_MARGIN / 2:
        memory.warn(
            f"The clock of this machine is {ahead.total_seconds() // 60:.0f} minutes ahead of "
            "Twilio's: cursors follow Twilio's (BEHAVIOR 5)."
        )
    return min(end, known)
