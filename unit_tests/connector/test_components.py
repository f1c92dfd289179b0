"""Properties of windows, waiting and the throttle."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from unittest.mock import Mock

import orjson
import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentPerPartitionCursor,
)
from airbyte_cdk.sources.streams.concurrent.cursor import CursorField
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from hypothesis import given
from hypothesis import strategies as st

from source_twilio.error_handler import TwilioErrorHandler
from source_twilio.errors import OutOfReachError, bad_request, retry_after
from source_twilio.session import Throttle, session_for
from source_twilio.state import StreamCursor
from source_twilio.timestamps import format_timestamp, parse_timestamp
from source_twilio.windowed import first_window, following, split

seconds = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(timezone.utc)
).map(lambda moment: moment.replace(microsecond=0))


def test_rows_do_not_move_the_cursor() -> None:
    """The CDK shows its cursor each row; only complete slices move it (BEHAVIOR 5)."""
    cursor = Mock(spec=ConcurrentPerPartitionCursor)
    cursor.cursor_field = CursorField("date_sent")
    observe = cursor.observe
    stream_cursor = StreamCursor(cursor, "messages", session_for({}))
    row = Record({"date_sent": "2026-01-02T00:00:00Z"}, "messages")
    cursor.observe(row)
    assert observe.mock_calls == []
    stream_slice = StreamSlice(partition={}, cursor_slice={"end_time": "2026-01-01T00:00:00Z"})
    stream_cursor.move(stream_slice)
    [(_, [record], _)] = observe.mock_calls
    assert record.data == {"date_sent": "2026-01-01T00:00:00Z"}


def answered(headers: dict[str, str]) -> requests.Response:
    """Return a 429 with the headers."""
    response = requests.Response()
    response.status_code, response.url = 429, "https://api.twilio.com/"
    response.request = requests.Request("GET", response.url).prepare()
    response.headers.update(headers)
    return response


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("0", 0),
        ("soon", 0),
        ("-5", 0),
        ("nan", 0),
        ("", 0),
        ("Thu, 15 Jan 2026 12:01:30 GMT", 90),
        ("Thu, 15 Jan 2026 12:01:30 -0000", 90),
        ("Thu, 15 Jan 2026 11:00:00 GMT", 0),
    ],
)
def test_retry_after(said: str, seconds: float, clock: object) -> None:
    """BEHAVIOR 31: Retry-After is a number of seconds or a date; the CDK then reads a number."""
    response = answered({"Retry-After": said})
    assert (retry_after(response) or 0) == seconds
    TwilioErrorHandler(parameters={}, config={}).interpret_response(response)
    rewritten = f"{seconds:g}" if "," in said else said
    assert response.headers["Retry-After"] == rewritten


ALERTS = "https://monitor.twilio.com/v1/Alerts"


@pytest.mark.parametrize(
    ("code", "message", "url", "expected"),
    [
        (20001, "Invalid page and pageSize combination", ALERTS, "TooManyRowsError"),
        (20001, "data is limited to 10,000 results", ALERTS, "TooManyRowsError"),
        (20001, "Data is limited to 10000 rows", ALERTS, "TooManyRowsError"),
        (20001, "Other words", f"{ALERTS}?Page=10&PageSize=1000", "TooManyRowsError"),
        (20004, "You can only see the last 30 days", ALERTS, "OutOfReachError 30"),
        (20004, "Retention is a 400-day window", ALERTS, "OutOfReachError 400"),
        (20004, "The last 99999 days", ALERTS, "OutOfReachError 99999"),
        *(
            (
                20004,
                f"{n} days",
                ALERTS,
                f"GET {ALERTS} returned HTTP 400, code 20004: {n} days",
            )
            for n in ("100000", "9" * 30, "9" * 5000)
        ),
        (20004, "Too old", ALERTS, f"GET {ALERTS} returned HTTP 400, code 20004: Too old"),
        (
            20001,
            "At most 30 days at a time",
            ALERTS,
            f"GET {ALERTS} returned HTTP 400, code 20001: At most 30 days at a time",
        ),
        (
            20001,
            "Other words",
            f"{ALERTS}?Page=9&PageSize=1000",
            f"GET {ALERTS} returned HTTP 400, code 20001: Other words",
        ),
    ],
)
def test_bad_request(code: int, message: str, url: str, expected: str) -> None:
    """BEHAVIOR 10, 23: what a 400 means; one that nobody knows is no transient error."""
    response = answered({})
    response.status_code, response.url = 400, url
    response.request = requests.Request("GET", url).prepare()
    response._content = orjson.dumps({"code": code, "message": message})
    found = bad_request(response)
    days = f" {found.days}" if isinstance(found, OutOfReachError) else ""
    kind = f"{type(found).__name__}{days}"
    assert expected in (kind, found.message)
    assert (kind == "BadRequestError") == (expected == found.message)
    # Whoever does not know the kind says what came.
    assert found.message == f"GET {ALERTS} returned HTTP 400, code {code}: {message}"
    assert found.failure_type == FailureType.system_error


@given(
    st.datetimes(timezones=st.just(timezone.utc)),
    st.datetimes(timezones=st.just(timezone.utc)),
    st.integers(30, 5 * 3_652_058),
)
def test_windows_of_any_years(one: datetime, other: datetime, length: int) -> None:
    """From the year 1 to 9999 a slice is cut without a gap, and moments sort as their texts."""
    start, end = sorted(moment.replace(microsecond=0) for moment in (one, other))
    assert parse_timestamp(format_timestamp(start)) == start
    assert format_timestamp(start) <= format_timestamp(end)
    length = max(length, (end - start).days // 50)
    bounds = {"start_time": format_timestamp(start), "end_time": format_timestamp(end)}
    rest, windows = StreamSlice(partition={}, cursor_slice=bounds), list[StreamSlice]()
    while not windows or windows[-1] is not rest:
        windows.append(first_window(rest, timedelta(days=length)))
        if windows[-1] is not rest:
            rest = following(windows[-1], rest)
    assert (windows[0]["start_time"], windows[-1]["end_time"]) == (
        format_timestamp(start),
        format_timestamp(end),
    )
    for former, later in pairwise(windows):
        assert parse_timestamp(former["end_time"]) + timedelta(seconds=1) == parse_timestamp(
            later["start_time"]
        )


def test_throttle() -> None:
    """Places grow by answers while all are taken, shrink by each 429, and never to none (22)."""
    places = Throttle(6)

    def taken(most: int) -> int:
        """Return how many of `most` threads get a place at once."""
        inside, done = [], threading.Event()

        def hold() -> None:
            with places:
                inside.append(1)
                done.wait(60)

        threads = [threading.Thread(target=hold, daemon=True) for _ in range(most)]
        for thread in threads:
            thread.start()
        waiting = places._changed._waiters  # type: ignore[attr-defined]
        while len(inside) + len(waiting) < most:
            time.sleep(0.001)
        found = len(inside)
        done.set()
        for thread in threads:
            thread.join()
        return found

    assert taken(8) == 5
    for _ in range(10):
        places.learn(200)
    assert taken(8) == 5
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(places)
        places.learn(200)
        places.learn(200)
    assert taken(8) == 6
    # More than the setting says there never are.
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(places)
        for _ in range(10):
            places.learn(200)
    assert taken(8) == 6
    for _ in range(9):
        places.learn(429)
    assert taken(8) == 1
    assert [session_for({"num_workers": 2}).throttle._places, Throttle(40)._places] == [2, 5]


past = seconds.filter(lambda moment: moment.year < 2026)
windows = st.tuples(past, st.integers(2, 40 * 86400), st.integers(-86400, 50 * 86400))


@given(windows)
def test_split_windows_cover_the_window(window: tuple[datetime, int, int]) -> None:
    """The two halves meet, hold every second of the window, and are both smaller (BEHAVIOR 23)."""
    start, length, oldest = window
    end = start + timedelta(seconds=length)
    whole = StreamSlice(
        partition={"account_sid": "AC1"},
        cursor_slice={
            "start_time": format_timestamp(start),
            "end_time": format_timestamp(end),
            "until": format_timestamp(end),
        },
    )
    shown = min(max(start, start + timedelta(seconds=oldest)), end - timedelta(seconds=1))
    early, late = split(whole, end, format_timestamp(shown))
    assert early["start_time"] == whole["start_time"]
    assert early["until"] == late["start_time"]
    assert parse_timestamp(early["end_time"]) == parse_timestamp(late["start_time"]) - timedelta(
        seconds=1
    )
    assert (late["end_time"], late["until"]) == (whole["end_time"], whole["until"])
    assert whole["start_time"] < late["start_time"] < whole["until"]


def test_a_second_cannot_be_split() -> None:
    """More rows in one second than a query shows is an error, not a loop."""
    moment = "2026-01-01T00:00:00Z"
    window = StreamSlice(
        partition={},
        cursor_slice={"start_time": moment, "end_time": moment, "until": "2026-01-01T00:00:01Z"},
    )
    with pytest.raises(AirbyteTracedException, match="more rows in one second"):
        split(window, parse_timestamp("2026-01-01T00:00:01Z"), moment)
