"""Rows that appear behind the date that they are filtered by (BEHAVIOR 51)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import time_machine
from airbyte_cdk.sources.declarative.interpolation.macros import duration
from hypothesis import given
from hypothesis import strategies as st

from source_twilio.config import CLOCK_MARGIN
from unit_tests.project.test_manifest import RESOLVED
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, MockTwilio, url
from unit_tests.support.reading import final_state, problems, read, records

SUMMARIES = "https://insights.twilio.com/v1/Voice/Summaries"
STREAMS = RESOLVED["definitions"]["streams"]
LATE = {
    name: duration(stream["$parameters"]["appears_within"])
    for name, stream in STREAMS.items()
    if "appears_within" in stream["$parameters"]
}
# The longest that a call lasts, and then its summary takes (docs).
CALL, SUMMARY = timedelta(hours=24), timedelta(minutes=30)


def test_which_streams_say_it() -> None:
    """All whose rows appear when something ends, and their dates are of its beginning."""
    assert {name: late.total_seconds() / 3600 for name, late in LATE.items()} == {
        "alerts": 25,
        "call_events": 25,
        "call_insights_events": 25,
        "call_insights_metrics": 25,
        "call_summaries": 25,
        "conference_participant_summaries": 25,
        "conference_summaries": 25,
        "intelligence_operator_results": 25,
        "intelligence_sentences": 25,
        "video_participant_summaries": 25,
        "video_room_summaries": 25,
        "video_rooms": 168,
    }


@pytest.mark.parametrize(
    ("lookback", "since"),
    [(0, "2026-01-14T09:00:00Z"), (60, "2026-01-14T09:00:00Z"), (2880, "2026-01-13T10:00:00Z")],
)
def test_a_summary_that_comes_after_a_long_call(
    lookback: int, since: str, mock: MockTwilio, clock: time_machine.Traveller
) -> None:
    """A call of four hours: the sync of its 230th minute does not hide its summary for ever."""
    began, state = datetime(2026, 1, 15, 7, 10, tzinfo=timezone.utc), None
    row = {"call_sid": "CA1", "account_sid": ACCOUNT, "start_time": f"{began:%Y-%m-%dT%H:%M:%SZ}"}
    query = {"PageSize": 1000, "ProcessingState": "all"}
    starts = ["2026-01-01T00:00:00Z", since]
    config = {**CONFIG, "lookback_window": lookback}
    for minute, rows, start in zip((230, 300), ([], [row]), starts, strict=True):
        clock.move_to(began + timedelta(minutes=minute))
        mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
        mock.page(url(SUMMARIES, StartTime=start, **query), "call_summaries", rows)
        output = read(config, "call_summaries", state=state)
        assert records(output, "call_summaries") == rows
        assert problems(output) == []
        state = {"call_summaries": final_state(output, "call_summaries")}


MOMENTS = st.datetimes(
    datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone.utc)
).map(lambda moment: moment.replace(microsecond=0))


@given(MOMENTS, st.floats(0, 1), st.floats(0, 1), st.lists(st.integers(1, 4000), max_size=40))
def test_no_summary_appears_behind_what_is_read(
    began: datetime, length: float, delay: float, pauses: list[int]
) -> None:
    """Whenever syncs run, the first one after a summary has appeared reads its start again."""
    appears = began + CALL * length + SUMMARY * delay
    sync, back = began, LATE["call_summaries"]
    for minutes in pauses:
        cursor = sync.replace(second=0) - CLOCK_MARGIN
        sync += timedelta(minutes=minutes)
        if sync >= appears:
            assert cursor - back <= began
            return
