"""Slices, their bounds, and the pages that they bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from airbyte_cdk.sources.declarative.partition_routers import CartesianProductStreamSlicer
from airbyte_cdk.sources.types import StreamSlice

from source_twilio.dates import from_text, to_text
from source_twilio.errors import error
from source_twilio.rows import Row

# How long after the oldest moment that an account shows a request begins (as in the manifest).
REACH_MARGIN = timedelta(minutes=10)


@dataclass
class ListsRouter(CartesianProductStreamSlicer):
    """Each value of the first router with each account of the second.

    Why not YAML: the CDK takes a list of routers in its own retrievers only. And its class warns at
    each start that it keeps no state of parents, which no stream here has.
    """

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Do not warn."""


class Page(NamedTuple):
    """One page: its rows as Twilio sent them, the slice they belong to, whether it is the last.

    A page that is not `proven` is an answer "not found": it may be an empty range, or a refusal.
    """

    rows: list[Row]
    part: StreamSlice
    last: bool
    proven: bool = True


def replaced(part: StreamSlice, **changes: Any) -> StreamSlice:
    """Return the slice with another `partition`, `cursor_slice` or `extra_fields`."""
    fields = {
        "partition": part.partition,
        "cursor_slice": part.cursor_slice,
        "extra_fields": part.extra_fields,
    }
    return StreamSlice(**{**fields, **changes})


def limited(part: StreamSlice, **bounds: str) -> StreamSlice:
    """Return the slice with other bounds: `start_time`, `end_time`, and `until`, as requested."""
    return replaced(part, cursor_slice={**part.cursor_slice, **bounds})


def first_window(part: StreamSlice, length: timedelta) -> StreamSlice:
    """Return the oldest window of a slice: of that length, or less, so that it ends with a day.

    Date filters act on whole days: a window that ends within one would have its neighbour read the
    day once more. A rest that is no longer than the length is one window.
    """
    start, end = from_text(part["start_time"]), from_text(part["end_time"])
    # The end of a window of a very long list may be beyond the year 9999.
    if end - start < length:
        return part
    late = start + length
    midnight = late.replace(hour=0, minute=0, second=0)
    late = midnight if midnight > start else late
    return limited(part, end_time=to_text(late - timedelta(seconds=1)))


def following(window: StreamSlice, part: StreamSlice) -> StreamSlice:
    """Return what is left of a slice after a window."""
    start = from_text(window["end_time"]) + timedelta(seconds=1)
    return limited(part, start_time=to_text(start))


def split(window: StreamSlice, late: datetime, oldest: str) -> list[StreamSlice]:
    """Return two windows instead of one that holds too many rows (BEHAVIOR 23).

    `late` is where the window ended as requested, unless it says so itself (`until`). `oldest` is
    the date of the oldest row that the query did show. If rows came newest first, the later window
    is small enough; if they did not, the middle at least halves the window.
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
