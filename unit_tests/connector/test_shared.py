"""What several streams ask alike is asked once."""

from __future__ import annotations

import time
from typing import Any

import pytest
import time_machine
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from sandbox import Sandbox
from source_twilio.errors import error
from source_twilio.pages import Page
from source_twilio.session import SHARED_ROWS_IN_ALL, SHARED_SECONDS, SharedAnswer, SharedLists
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, MockTwilio, url
from unit_tests.support.reading import problems, read, records


@pytest.mark.parametrize(("count", "times"), [(1, 1), (200, 1), (201, 2)])
def test_parents_are_asked_once(
    count: int, times: int, mock: MockTwilio, clock: time_machine.Traveller
) -> None:
    """Streams share a list that is short and has one page, and each converts rows of its own."""
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    day = "Sat, 10 Jan 2026 00:00:01 +0000"
    rows = [{"sid": f"AD{number:032x}", "date_created": day} for number in range(count)]
    address = url(f"Accounts/{ACCOUNT}/Addresses.json", PageSize=1000)
    for _ in range(times):
        mock.page(address, "addresses", rows)
    for row in rows:
        path = f"Accounts/{ACCOUNT}/Addresses/{row['sid']}/DependentPhoneNumbers.json"
        mock.page(url(path, PageSize=1000), "dependent_phone_numbers", [])
    output = read(CONFIG, "addresses", "dependent_phone_numbers")
    wanted = [{"sid": row["sid"], "date_created": "2026-01-10T00:00:01Z"} for row in rows]
    assert records(output, "addresses") == wanted
    assert problems(output) == []


def test_the_list_of_four_streams(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """The countries are asked once, for their own stream and for three types of numbers."""
    mock.page(url("Accounts.json", PageSize=1000), "accounts", [{"sid": ACCOUNT}])
    path = f"Accounts/{ACCOUNT}/AvailablePhoneNumbers"
    mock.page(url(f"{path}.json", PageSize=1000), "countries", [{"country_code": "US"}])
    for kind in ("Local", "Mobile", "TollFree"):
        mock.page(url(f"{path}/US/{kind}.json", PageSize=1000), "available_phone_numbers", [])
    kinds = ("local", "mobile", "toll_free")
    output = read(
        CONFIG,
        "available_phone_number_countries",
        *(f"available_phone_numbers_{kind}" for kind in kinds),
    )
    assert records(output, "available_phone_number_countries") == [
        {"country_code": "US", "account_sid": ACCOUNT}
    ]
    assert problems(output) == []


def test_connections_are_shared(sandbox: Sandbox) -> None:
    """Streams that are read one after the other need one connection to a host."""
    config = {**sandbox.config, "num_workers": 1}
    read(config, "addresses", "applications", "calls", "message_media", "queues", "alerts")
    assert {request.host for request in sandbox.requests} == {
        "api.twilio.com",
        "monitor.twilio.com",
    }
    assert sandbox.connections == 2


@pytest.mark.parametrize(
    ("first", "asked"),
    [
        ("found", 1),
        (None, 2),
        (error("Twilio is down."), 2),
        (ValueError("a bug"), 2),
        (error("The token is wrong.", FailureType.config_error), 1),
    ],
)
def test_what_is_kept(first: Any, asked: int) -> None:
    """An answer is kept, and so is what is wrong with the settings; nothing else is."""
    answer, times = SharedAnswer(), []

    def ask() -> Any:
        times.append("asked")
        if isinstance(first, Exception):
            raise first
        return first

    for _ in range(2):
        if isinstance(first, Exception):
            with pytest.raises(type(first), match=str(first)):
                answer.get(ask)
        else:
            assert answer.get(ask) == first
    assert len(times) == asked


def found(*sids: int) -> Page:
    """Return a page of such rows."""
    return Page([{"sid": sid} for sid in sids], StreamSlice(partition={}, cursor_slice={}), True)


def test_lists_grow_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is asked again after half an hour."""
    lists, now = SharedLists(), 5000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert lists.get("a", lambda: found(1)) == found(1)
    now += SHARED_SECONDS
    assert lists.get("a", lambda: found(2)) == found(1)
    now += 1
    assert lists.get("a", lambda: found(3)) == found(3)


@pytest.mark.parametrize("rows", [0, 1, 3, 200])
def test_lists_are_bounded_by_rows(rows: int) -> None:
    """As many lists are kept as have so many rows; the one goes that was longest without use."""
    lists, page = SharedLists(), found(*range(rows))
    room = SHARED_ROWS_IN_ALL // max(1, rows)
    for number in range(room):
        lists.get(str(number), lambda: page)
    assert lists.get("0", lambda: None) == page
    lists.get("new", lambda: page)
    assert lists.get("0", lambda: None) == page
    assert lists.get("1", lambda: None) is None


def test_failed_lists_are_bounded() -> None:
    """A list that fails, or is too long to be kept, counts as one of a row."""
    lists = SharedLists()

    def fail() -> Page:
        raise error("Twilio is down.")

    lists.get("old", lambda: found(1))
    for number in range(SHARED_ROWS_IN_ALL):
        with pytest.raises(AirbyteTracedException):
            lists.get(str(number), fail)
    assert lists.get("old", lambda: found(2)) == found(2)
