"""Slices and their bounds."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from airbyte_cdk.sources.types import StreamSlice

from source_twilio.dates import from_text, to_text
from source_twilio.errors import error

# How long before now the newest window ends (`end_datetime` in the manifest; BEHAVIOR 5).
CLOCK_MARGIN = timedelta(hours=1)
# How long after the oldest moment that an account shows a request begins (as in the manifest).
REACH_MARGIN = timedelta(minutes=10)


class Page(NamedTuple):
    """One page: its rows as Twilio sent them, the slice they belong to, whether it is the last."""

    rows: list[Any]
    part: StreamSlice
    last: bool


def replaced(window: StreamSlice, **changes: Any) -> StreamSlice:
    """Return the slice with another `partition`, `cursor_slice` or `extra_fields`."""
    return StreamSlice(
        **{
            "partition": window.partition,
            "cursor_slice": window.cursor_slice,
            "extra_fields": window.extra_fields,
            **changes,
        }
    )


def limited(window: StreamSlice, **changes: str) -> StreamSlice:
    """Return the slice with other bounds: `start_time`, `end_time`, and `until`, as requested."""
    return replaced(window, cursor_slice={**window.cursor_slice, **changes})


def split(window: StreamSlice, late: datetime, oldest: str) -> list[StreamSlice]:
    """Return two windows instead of one that holds too many rows.

    `late` is where the window ended as requested, unless it says so itself (`until`). `oldest` is
    the oldest of the rows that the query did show: if they came newest first, the later window is
    small enough. If they did not, the middle at least halves the window.
    """
    start = from_text(window["start_time"])
    if window.get("until"):
        late = from_text(window["until"])
    at = max(start + (late - start) // 2, from_text(oldest) if oldest else start)
    if not start < at.replace(microsecond=0) < late:
        raise error("There are more rows in one second than Twilio shows of one query.")
    end = min(window["end_time"], to_text(at - timedelta(seconds=1)))
    return [
        limited(window, end_time=end, until=to_text(at)),
        limited(window, start_time=to_text(at)),
    ]
