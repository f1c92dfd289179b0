"""What the sandbox answers where it has no list to give, and the failures on request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    JSONDecodeError,
)

from sandbox import Faults, Key, Sandbox
from unit_tests.support.sandbox_client import (
    HOSTS,
    follow,
    get,
    refusal,
)


@pytest.mark.parametrize(
    "path",
    [
        "/2010-04-01/Accounts",
        "/2010-04-01/Accounts/AC0.json",
        "/2010-04-01/Accounts/AC0/Calls.json",
        "/v1/Alarms",
        "Nothing",
        "Messages/SM0/Media",
        "Conferences/CF0/Participants",
        "Addresses/AD0/DependentPhoneNumbers",
        "AvailablePhoneNumbers/US/Mobile",
        "AvailablePhoneNumbers/NO/TollFree",
        "AvailablePhoneNumbers/XX/Local",
    ],
)
def test_not_found(twilio: Sandbox, path: str) -> None:
    """Paths and parents that are not there, and kinds of number that a country lacks."""
    assert refusal(get(twilio, path)) == (404, 20404)


@pytest.mark.parametrize(
    ("query", "code"),
    [({"Page": 1}, 70002), ({"PageToken": "PASM0"}, 21481), ({"PageToken": "x"}, 21481)],
)
def test_page_tokens(twilio: Sandbox, query: dict[str, Any], code: int) -> None:
    """Pages are reached by their token only."""
    assert refusal(get(twilio, "Messages", query)) == (400, code)


def test_alerts_cap(twilio: Sandbox) -> None:
    """The page that would begin beyond the cap is an error without a code."""
    twilio.alerts_cap = 20
    body, sizes = get(twilio, "/v1/Alerts", {"PageSize": 10}).json(), []
    while "alerts" in body:
        sizes.append(len(body["alerts"]))
        body = follow(twilio, body["meta"]["next_page_url"])
    message = "Invalid page and pageSize combination, data is limited to 20 results"
    assert (sizes, body) == ([10, 10], {"message": message, "status": 400})


def test_usage_page_limit(twilio: Sandbox) -> None:
    """Usage can be made to fail on large pages."""
    twilio.usage_page_limit = 100
    codes = [refusal(get(twilio, "Usage/Records/Daily", {"PageSize": size})) for size in (100, 101)]
    assert codes == [(200, None), (500, 20500)]


def test_fail(twilio: Sandbox) -> None:
    """A rule answers the requests that match, as often as it says."""
    twilio.fail("Messages.*DateSent>=2024", 500, times=2)
    twilio.fail("Calls", 503, body="<html>", headers={"Retry-After": "7"})
    query = {"DateSent>": "2024-01-01"}
    statuses = [get(twilio, "Messages", query).status_code for _ in range(3)]
    calls = get(twilio, "Calls")
    assert (statuses, calls.text, calls.headers["Retry-After"]) == ([500, 500, 200], "<html>", "7")
    twilio.fail("Calls", 429, times=None)
    assert {refusal(get(twilio, "Calls")) for _ in range(3)} == {(429, 20429)}
    twilio.heal()
    assert requests.post(f"{HOSTS['api']}/2010-04-01/Accounts.json", timeout=60).status_code == 405
    seen = [(request.path.split("/")[-1], request.status) for request in twilio.requests[-3:]]
    assert seen == [("Calls.json", 429), ("Calls.json", 429), ("Accounts.json", 405)]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"reset": 1}, ConnectionError),
        ({"truncate": 1}, ChunkedEncodingError),
        ({"cut": 1}, JSONDecodeError),
        ({"hang": 1, "hang_seconds": 0.1}, ConnectionError),
    ],
)
def test_broken_answers(twilio: Sandbox, fault: dict[str, float], error: type[Exception]) -> None:
    """An answer that does not arrive, or not all of it; the third attempt gets through."""
    twilio.faults = Faults(**fault, in_a_row=2)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(error):
            get(twilio, "Calls").json()
    assert len(get(twilio, "Calls").json()["calls"]) == 50


def test_random_faults(twilio: Sandbox) -> None:
    """The same seed gives the same faults, in about the share that was asked for."""
    seen = []
    for seed in (1, 1, 2):
        twilio.faults = Faults(
            seed=seed, rate_429=0.2, rate_500=0.1, rate_503_html=0.1, retry_after="mixed"
        )
        answers = [get(twilio, "Queues", {"PageSize": size + 1}) for size in range(25)]
        answers += [get(twilio, "Queues", {"PageSize": size + 1}) for size in range(25)]
        seen.append([(answer.status_code, answer.headers.get("Retry-After")) for answer in answers])
    assert (seen[0] == seen[1], seen[0] == seen[2]) == (True, False)
    kinds = {(429, "0"), (429, None), (500, None), (503, None), (200, None)}
    assert set(seen[0]) == kinds
    twilio.faults = None
    assert get(twilio, "Queues").ok


def test_concurrency_limit(twilio: Sandbox) -> None:
    """One request too many at a time is refused at once, and says when to come back."""
    twilio.concurrency_limit, twilio.latency_ms = 1, 500
    # A key counts for its account.
    users: list[Key | None] = [None, None, twilio.key(twilio.accounts[0].sid)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda who: get(twilio, "Calls", who=who), users))
    told = sorted((answer.status_code, answer.headers.get("Retry-After")) for answer in answers)
    assert told == [(200, None), (429, "0"), (429, "0")]
    twilio.latency_ms = 0
    assert [get(twilio, "Calls").status_code for _ in range(3)] == [200] * 3
