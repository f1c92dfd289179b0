"""One cursor for each list of each account, whatever the number; odd and old states."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from airbyte_cdk.models import AirbyteStateMessageSerializer
from airbyte_cdk.sources.declarative.incremental import ConcurrentPerPartitionCursor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from sandbox import Sandbox
from source_twilio import SourceTwilio
from unit_tests.conftest import NOW
from unit_tests.support.contract import (
    DATED,
    DAY,
    END,
    HOUR,
    START,
    Make,
    Row,
    _haste,
    add,
    arrived,
    asked,
    config,
    cursors,
    identity,
    opened,
    refusal,
    saved,
    sids,
    status,
    text,
    twilio,
    warnings,
)
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, MockTwilio, url
from unit_tests.support.reading import check, entries, final_state, problems, read

__all__ = ["_haste", "opened", "twilio"]

LIMITS = ("SWITCH_TO_GLOBAL_LIMIT", "DEFAULT_MAX_PARTITIONS_NUMBER")


def old_row(twilio: Sandbox, account: str) -> tuple[str, ...]:
    """Add a conference of 40 days ago, and return what tells it from others."""
    when = NOW - 40 * DAY
    row = add(twilio, "conferences", account, when, status="completed", date_updated=when)
    return identity("conferences", row, account)


def first_asked(twilio: Sandbox, stream: str, begin: int = 0) -> dict[str, str]:
    """Return from when on each account was asked for the dated rows of a list."""
    found: dict[str, str] = {}
    for account, query in asked(twilio, stream, begin):
        if since := query.get(DATED[stream][1]):
            found[account] = min(since, found.get(account, "~"))
    return found


# ---------------------------------------------------------------------- one cursor for each account


@pytest.mark.parametrize("limit", LIMITS)
def test_the_cdk_has_these_limits(limit: str) -> None:
    """What `keep_all` raises is what the CDK looks at."""
    assert limit in vars(ConcurrentPerPartitionCursor), (
        f"This CDK's cursor has no {limit}: find what bounds its partitions now, and have "
        "source_twilio/cursors.py raise that (BEHAVIOR 44)."
    )


def test_more_partitions_than_the_cdk_keeps(
    opened: Make, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEHAVIOR 44: refused, new and failing accounts lose nothing; no other is read twice."""
    for limit in LIMITS:
        monkeypatch.setattr(ConcurrentPerPartitionCursor, limit, 8)
    twilio = opened()
    main, refused, failing = sids(twilio)
    late = old_row(twilio, refused)
    missed = old_row(twilio, failing)
    twilio.restrict(refused, 403)
    twilio.fail(f"{failing}/Conferences", status=500, times=None)
    settings = config(twilio, lookback_window=0)
    first = read(settings, "conferences", expecting_exception=True)
    assert status(first, "conferences") == "INCOMPLETE"
    assert warnings(first, "conferences")[:1] == [refusal("conferences", refused, 403)]
    state = final_state(first, "conferences")
    # Three lists of the one account that arrived, and what was asked for (45).
    assert (state["use_global_cursor"], len(state["states"])) == (False, 10)
    assert cursors(first, "conferences") == {main: END, refused: text(START), failing: text(START)}

    twilio.heal()
    twilio.restrict(refused, None)
    new = twilio.add("accounts", main, friendly_name="New", date_created=NOW)["sid"]
    newly = old_row(twilio, new)
    clock.shift(HOUR)
    begin = len(twilio.requests)
    second = read(settings, "conferences", state={"conferences": state})
    assert problems(second) == []
    found = arrived(second, "conferences")
    assert [found[key] for key in (late, missed, newly)] == [1, 1, 1]
    bounds = {main: END[:10], **dict.fromkeys((refused, failing, new), text(START)[:10])}
    assert first_asked(twilio, "conferences", begin) == bounds
    assert cursors(second, "conferences") == dict.fromkeys(bounds, "2026-01-15T12:00:00Z")


@pytest.mark.parametrize(
    "state",
    [{"state": {"date_created": "2026-01-15T10:00:00Z"}, "lookback_window": 9}, {}],
    ids=["of all", "of none"],
)
def test_a_cursor_for_all_accounts(state: Row, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 44: such a state does not say what was left out: all is read again."""
    before = {"use_global_cursor": True, "parent_state": {}, **state}
    output = read(config(twilio), "recordings", state={"recordings": before})
    assert problems(output) == [
        "recordings: its state has one cursor for all accounts, which does not say what was left "
        "out. Each account is read again from start_date, once (BEHAVIOR 44)."
    ]
    assert first_asked(twilio, "recordings") == dict.fromkeys(sids(twilio), text(START))
    assert cursors(output, "recordings") == dict.fromkeys(sids(twilio), END)
    assert final_state(output, "recordings")["use_global_cursor"] is False


# -------------------------------------------------------------------------- accounts that have gone

GONE = "AC" + "9" * 32


@pytest.mark.parametrize("kind", ["gone", "refused", "closed", "deselected", "not listed", "cut"])
def test_the_state_forgets(kind: str, opened: Make, clock: object) -> None:
    """BEHAVIOR 46: an account leaves the state when a complete list shows it no more."""
    twilio = opened(closed=True)
    main, second, *_, closed = sids(twilio)
    settings = config(twilio)
    kept = {"gone": [], "refused": [second], "closed": [closed], "deselected": [second]}.get(
        kind, [GONE]
    )
    if kind == "refused":
        twilio.restrict(second, 403)
    if kind == "deselected":
        settings |= {"account_selection": "main_only"}
    if kind == "not listed":
        key = twilio.key(main, "standard")
        given = {"auth_type": "api_key", "api_key_sid": key.sid, "api_key_secret": key.secret}
        settings |= {"credentials": given}
        settings.pop("auth_token", None)
    if kind == "cut":
        twilio.fail("Accounts.json", status=500, times=None)
    state = {"recordings": saved("recordings", END, [main, *(kept or [GONE])])}
    output = read(settings, "recordings", state=state, expecting_exception=kind == "cut")
    known = {entry["partition"]["account_sid"] for entry in entries(output, "recordings")}
    everybody = {*sids(twilio)} if kind in ("gone", "refused", "closed") else {main}
    assert known == everybody | {*kept}


# ------------------------------------------------------------------------------- changed settings


def two_syncs(
    twilio: Sandbox, stream: str, clock: time_machine.Traveller, before: Row, after: Row
) -> tuple[dict[str, str], list[str], Row]:
    """Sync with the settings before and after; return what the second asked, said and left."""
    settings = config(twilio, lookback_window=0)
    first = read({**settings, **before}, stream)
    assert problems(first) == []
    clock.shift(HOUR)
    begin = len(twilio.requests)
    second = read({**settings, **after}, stream, state={stream: final_state(first, stream)})
    return first_asked(twilio, stream, begin), problems(second), final_state(second, stream)


EARLIER = "2025-10-01T00:00:00Z"


@pytest.mark.parametrize(
    ("stream", "after", "since"),
    [
        ("recordings", EARLIER, EARLIER),
        ("recordings", "2025-12-01T00:00:00Z", END),
        # Twilio shows no more of alerts than thirty days.
        ("alerts", EARLIER, "2026-01-14T10:00:00Z"),
    ],
    ids=["earlier", "later", "out of reach"],
)
def test_start_date_changed(
    stream: str, after: str, since: str, twilio: Sandbox, clock: time_machine.Traveller
) -> None:
    """BEHAVIOR 45: rows before the former start date are read; a line says so, once."""
    bounds, said, state = two_syncs(twilio, stream, clock, {}, {"start_date": after})
    assert bounds == dict.fromkeys(sids(twilio), since)
    line = (
        f"{stream}: start_date was {text(START)}, and is {after}. All is read again from there, "
        "once (BEHAVIOR 45)."
    )
    assert said == ([line] if since == after else [])
    again = read(config(twilio, start_date=after), stream, state={stream: state})
    assert problems(again) == []


def test_region_changed(twilio: Sandbox, clock: time_machine.Traveller) -> None:
    """BEHAVIOR 45: the state of another region is not that of this one."""
    state = final_state(read(config(twilio), "recordings"), "recordings")
    [of_sync] = [one["partition"] for one in state["states"] if "region" in one["partition"]]
    of_sync["region"] = "ie1"
    begin = len(twilio.requests)
    output = read(config(twilio), "recordings", state={"recordings": state})
    assert problems(output) == [
        "recordings: its state is of region ie1, and region is us1. All is read from start_date, "
        "once. Clear the stream if its table is not to keep the rows of ie1 (BEHAVIOR 45)."
    ]
    assert first_asked(twilio, "recordings", begin) == dict.fromkeys(sids(twilio), text(START))
    again = read(
        config(twilio), "recordings", state={"recordings": final_state(output, "recordings")}
    )
    assert problems(again) == []


# ---------------------------------------------------------------------------------- a fast clock


def test_a_fast_clock(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """BEHAVIOR 5: cursors follow the earlier clock, this machine's or Twilio's."""
    mock.date = "Thu, 15 Jan 2026 12:00:09 GMT"
    clock.shift(3 * HOUR)
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    path, query = f"Accounts/{ACCOUNT}/Recordings.json", {"IncludeSoftDeleted": "true"}
    since = {"DateCreated>": CONFIG["start_date"]}
    mock.page(url(path, PageSize=1000, **query, **since), "recordings", [])
    settings = {**CONFIG, "lookback_window": 0}
    first = read(settings, "recordings")
    assert problems(first) == [
        "The clock of this machine is 179 minutes ahead of Twilio's: cursors follow Twilio's "
        "(BEHAVIOR 5)."
    ]
    [entry] = entries(first, "recordings")
    assert entry["cursor"] == {"date_created": "2026-01-15T11:00:09Z"}

    clock.shift(-timedelta(hours=2))
    mock.date = "Thu, 15 Jan 2026 13:00:09 GMT"
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    since = {"DateCreated>": "2026-01-15T11:00:09Z"}
    mock.page(url(path, PageSize=1000, **query, **since), "recordings", [])
    state = {"recordings": final_state(first, "recordings")}
    second = read(settings, "recordings", state=state)
    assert problems(second) == []
    [entry] = entries(second, "recordings")
    assert entry["cursor"] == {"date_created": "2026-01-15T12:00:00Z"}


# ------------------------------------------------------------------------------ states by hand


def of_account(cursor: Any, partition: Any = None) -> Row:
    """Return an entry of the first account, or of a partition."""
    return {
        "partition": partition or {"account_sid": ACCOUNT, "parent_slice": {}},
        "cursor": cursor,
    }


@pytest.mark.parametrize(
    "states",
    [
        None,
        {"account_sid": ACCOUNT},
        [None],
        ["text"],
        [of_account({"date_created": END}, [ACCOUNT])],
        [of_account({"date_created": "0001-01-01T00:00:00Z"})],
        [of_account({"date_created": None})],
        [of_account(["2026-01-10T00:00:00Z"])],
        [{"cursor": {"date_created": END}}],
    ],
    ids=str,
)
def test_entries_that_cannot_be_read(states: Any, mock: MockTwilio, clock: object) -> None:
    """An entry that cannot be read is ignored with a line; the sync goes on."""
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    query = {"DateCreated>": CONFIG["start_date"], "IncludeSoftDeleted": "true"}
    mock.page(url(f"Accounts/{ACCOUNT}/Recordings.json", PageSize=1000, **query), "recordings", [])
    output = read(CONFIG, "recordings", state={"recordings": {"states": states}})
    assert problems(output) == [
        "recordings: 1 of 1 entries of its state cannot be read. They are ignored: what they stood "
        "for is read from start_date."
    ]
    assert status(output, "recordings") == "COMPLETE"


def test_a_cursor_of_the_year_9999(mock: MockTwilio, clock: object) -> None:
    """The future begins now."""
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    query = {"DateCreated>": "2026-01-14T12:00:00Z", "IncludeSoftDeleted": "true"}
    mock.page(url(f"Accounts/{ACCOUNT}/Recordings.json", PageSize=1000, **query), "recordings", [])
    states = [of_account({"date_created": "9999-12-31T23:59:59Z"})]
    output = read(CONFIG, "recordings", state={"recordings": {"states": states}})
    assert problems(output) == []


STATE = {"states": [of_account({"date_created": END})]}
SHOWN = {"streamDescriptor": {"name": "calls"}, "streamState": STATE}
MESSAGE = {"stream_descriptor": {"name": "calls"}, "stream_state": STATE}


@pytest.mark.parametrize(
    "content",
    [
        [SHOWN],
        {"stateType": "stream", "streamState": [SHOWN]},
        [{"type": "STREAM", "stream": MESSAGE}],
        [{"type": "GLOBAL", "global": {"stream_states": [MESSAGE]}}],
        {"calls": STATE},
    ],
    ids=["connection", "API", "protocol", "global", "by stream"],
)
def test_files_of_states(content: Any, tmp_path: Path) -> None:
    """`read --state` takes the state as a platform hands it on, or as Airbyte shows it."""
    (tmp_path / "state.json").write_text(json.dumps(content))
    found = SourceTwilio.read_state(str(tmp_path / "state.json"))
    dumped = [json.loads(json.dumps(AirbyteStateMessageSerializer.dump(m))) for m in found]
    assert [(m["type"], m["stream"]["stream_descriptor"]["name"]) for m in dumped] == [
        ("STREAM", "calls")
    ]
    assert [m["stream"]["stream_state"] for m in dumped] == [STATE]


def test_a_file_without_a_state(tmp_path: Path) -> None:
    """What holds no state is an error that says what does."""
    path = tmp_path / "state.json"
    path.write_text('[{"name": "calls"}]')
    with pytest.raises(AirbyteTracedException) as raised:
        SourceTwilio.read_state(str(path))
    assert raised.value.message == (
        f"The file {path} holds no state of a stream: give it a list of objects with "
        "stream_descriptor and stream_state, or streamDescriptor and streamState."
    )


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["nope"], "'nope' is none"),
        ([3], "3 is none"),
        ("messages", "it is 'messages'"),
        (5, "it is 5"),
        ({"a": 1}, "it is {'a': 1}"),
    ],
    ids=str,
)
def test_a_check_of_what_is_no_stream(names: Any, wrong: str) -> None:
    """A wrong `__airbyte_check_stream_names` fails the check with a sentence."""
    assert check({**CONFIG, "__airbyte_check_stream_names": names}) == (
        "FAILED",
        f"__airbyte_check_stream_names must be a list of streams; {wrong}.",
    )
