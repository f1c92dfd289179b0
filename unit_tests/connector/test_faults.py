"""Faults of the network and of answers: nothing is lost."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox import Faults, Sandbox
from unit_tests.conftest import NOW
from unit_tests.support.contract import (
    ALL,
    DATED,
    DAY,
    END,
    HOUR,
    RESOURCES,
    UNDATED,
    Make,
    Row,
    _haste,
    add,
    arrived,
    config,
    cursors,
    identity,
    opened,
    raised,
    shown,
    sids,
    status,
    twilio,
)
from unit_tests.support.reading import read

__all__ = ["_haste", "opened", "twilio"]


def test_faults(opened: Make, clock: object) -> None:
    """BEHAVIOR 12, 22: faults of all kinds cost time and not a row."""
    twilio = opened()
    rates: Row = {"rate_429": 0.05, "rate_500": 0.05, "rate_503_html": 0.05}
    rates |= {"reset": 0.05, "truncate": 0.05, "cut": 0.05}
    twilio.faults = Faults(seed=3, retry_after="mixed", **rates)
    output = read(config(twilio, NOW - 366 * DAY), *ALL)
    for stream in ALL:
        since = NOW - 366 * DAY if stream in DATED else None
        since = NOW - 30 * DAY if stream == "alerts" else since
        expected = shown(twilio, stream, since=since)
        if stream.startswith("call_insights"):
            expected = of_recent_calls(twilio, stream)
        if stream in UNDATED:
            assert set(arrived(output, stream)) == set(expected)
        else:
            assert arrived(output, stream) == expected
    assert {stream: status(output, stream) for stream in ALL} == dict.fromkeys(ALL, "COMPLETE")
    # Usage of no row is a 404.
    assert {request.status for request in twilio.requests} == {0, 200, 404, 429, 500, 503}


def of_recent_calls(twilio: Sandbox, stream: str) -> Counter[Any]:
    """Return the rows of the calls that Voice Insights is asked for (BEHAVIOR 59)."""
    since = (NOW - 29 * DAY).isoformat()
    return Counter(
        identity(stream, row, account)
        for account in sids(twilio)
        for summary in twilio.rows("call_summaries", account)
        if summary["start_time"] >= since
        for row in twilio.rows(stream, account)
        if row["call_sid"] == summary["call_sid"]
    )


@pytest.mark.parametrize("retry_after", [0, 1, None])
def test_rate_limit(retry_after: float | None, opened: Make, clock: object) -> None:
    """BEHAVIOR 22: forty workers find out what is allowed, and lose nothing."""
    twilio = opened(concurrency_limit=3, retry_after=retry_after, latency_ms=5)
    for account in sids(twilio):
        for number in range(300):
            add(twilio, "messages", account, NOW - number * DAY)
    begin = len(twilio.requests)
    output = read(config(twilio, NOW - 390 * DAY, num_workers=40), "messages")
    assert set(arrived(output, "messages")) == set(shown(twilio, "messages", since=NOW - 390 * DAY))
    found = Counter(request.status for request in twilio.requests[begin:])
    assert set(found) == {200, 429}
    # No storm: less than one in eight, with pauses that are cut to a request's own time here.
    assert found[429] * 8 // found.total() == 0
    assert status(output, "messages") == "COMPLETE"


BODIES: dict[str, Any] = {
    "no list": {"next_page_uri": None},
    "an object": {"{key}": {}},
    "null": {"{key}": None},
    "texts": {"{key}": ["one"]},
    "not an object": b"[]",
    "html": b"<html>Please sign in</html>",
    "nothing": b"",
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("stream", ["messages", "incoming_phone_numbers"])
def test_not_a_list(stream: str, body: str, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 12: a 200 without the list is an error that names stream and request."""
    failing = sids(twilio)[1]
    path = RESOURCES.get(stream, "/Messages.json")
    content = BODIES[body]
    if isinstance(content, dict):
        content = {name.format(key=stream): value for name, value in content.items()}
    twilio.fail(failing + path, status=200, body=content, times=None)
    output = read(config(twilio, NOW - 5 * DAY), stream, expecting_exception=True)
    assert status(output, stream) == "INCOMPLETE"
    request = f"GET https://api.twilio.com/2010-04-01/Accounts/{failing}{path}"
    assert {request in message for message in raised(output, stream)} == {True}
    assert cursors(output, stream)[sids(twilio)[0]] == END


HOSTS = {"messages": "https://api.twilio.com", "alerts": "https://monitor.twilio.com"}


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/2010-04-01/Accounts.json",
        "//evil.example/2010-04-01/Accounts.json",
        "https://eviltwilio.com/2010-04-01/Accounts.json",
        "http://api.twilio.com/2010-04-01/Accounts.json",
    ],
)
@pytest.mark.parametrize("stream", HOSTS)
def test_foreign_link(
    stream: str, link: str, twilio: Sandbox, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEHAVIOR 11: a link to another host, or in the clear, is not followed."""
    reached = set()
    send = requests.adapters.HTTPAdapter.send

    def watched(self: Any, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        parts = urlsplit(str(request.url))
        reached.add(f"{parts.scheme}://{parts.hostname}")
        return send(self, request, *args, **more)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", watched)
    path = "/v1/Alerts" if stream == "alerts" else "/Messages.json"
    body: Row = {stream: [], "next_page_uri": link}
    if stream == "alerts":
        body = {stream: [], "meta": {"key": stream, "next_page_url": link}}
    twilio.fail(rf"{path}\?", status=200, body=body, times=None)
    output = read(config(twilio, NOW - HOUR * 2), stream, expecting_exception=True)
    assert reached == {HOSTS[stream], HOSTS["messages"]}
    assert status(output, stream) == "INCOMPLETE"
