"""BEHAVIOR 31: which answers are asked again, how often, and what is said in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from sandbox import Sandbox
from unit_tests.conftest import NOW
from unit_tests.support.access import keyed, slept, waited
from unit_tests.support.contract import Make, Row, config, errors, opened, sids, twilio
from unit_tests.support.reading import check, read, records

__all__ = ["opened", "slept", "twilio"]


Settings = Callable[[Sandbox, pytest.MonkeyPatch], Row]


def answer(status: int, **more: Any) -> Settings:
    """Have every request answered so."""

    def settings(twilio: Sandbox, _: object) -> Row:
        twilio.fail("", status, times=None, **more)
        return {}

    return settings


def keyed_answer(status: int, **more: Any) -> Settings:
    """Have every request answered so, and use a key."""

    def settings(twilio: Sandbox, patch: pytest.MonkeyPatch) -> Row:
        return {**answer(status, **more)(twilio, patch), **keyed(twilio.key(sids(twilio)[0]))}

    return settings


PLACE = (
    "if a proxy or a login page of the network answers in Twilio's place, have *.twilio.com let "
    "through."
)
LATER = "try again later, and see https://status.twilio.com and the proxy, if there is one."
FEWER = "run fewer syncs of it at a time, lower num_workers, or try again later."
LIST = "GET https://api.twilio.com/2010-04-01/Accounts.json"
PAGE, HTML = b"<html><body>Sign in</body></html>", {"Content-Type": "text/html; charset=utf-8"}
# What is answered to every request, what the check says, and how many requests it makes.
ANSWERS: dict[str, tuple[Settings, str, int]] = {
    "a login page": (
        answer(200, body=PAGE, headers=HTML),
        f"api.twilio.com returned invalid JSON (HTTP 200, text/html): {PLACE}",
        3,
    ),
    "nothing": (
        answer(200, body=b""),
        f"api.twilio.com returned an empty body (HTTP 200, application/json): {PLACE}",
        3,
    ),
    "another JSON": (
        answer(200, body={"status": "ok"}),
        f"{LIST} returned no list of 'accounts'.",
        1,
    ),
    "500": (answer(500), f"api.twilio.com returned HTTP 500 (application/json): {LATER}", 3),
    "503 of a proxy": (
        answer(503, body=PAGE, headers=HTML),
        f"api.twilio.com returned HTTP 503 (text/html): {LATER}",
        3,
    ),
    "503 that asks to wait": (
        answer(503, headers={"Retry-After": "120"}),
        f"api.twilio.com returned HTTP 503 (application/json, Retry-After 120 seconds): {LATER}",
        1,
    ),
    "507": (
        answer(507),
        f"api.twilio.com returned HTTP 507 (application/json): {LATER}",
        3,
    ),
    "408": (answer(408), f"api.twilio.com returned HTTP 408 (application/json): {LATER}", 3),
    "425": (answer(425), f"api.twilio.com returned HTTP 425 (application/json): {LATER}", 3),
    "429": (answer(429), f"Twilio limits the requests of this account (HTTP 429): {FEWER}", 3),
    "429 that asks to wait a second": (
        answer(429, headers={"Retry-After": "1"}),
        f"Twilio limits the requests of this account (HTTP 429, Retry-After 1 seconds): {FEWER}",
        3,
    ),
    "429 that asks to wait an hour": (
        answer(429, headers={"Retry-After": "3600"}),
        f"Twilio limits the requests of this account (HTTP 429, Retry-After 3600 seconds): {FEWER}",
        1,
    ),
    "429 that asks to wait until a date": (
        answer(429, headers={"Retry-After": "Thu, 15 Jan 2026 12:05:00 GMT"}),
        f"Twilio limits the requests of this account (HTTP 429, Retry-After 300 seconds): {FEWER}",
        1,
    ),
    "422": (
        answer(422, body={"code": 20422, "message": "Unprocessable"}),
        f"{LIST} returned HTTP 422, code 20422: Unprocessable",
        1,
    ),
    "451": (
        answer(451, body=PAGE, headers=HTML),
        f"{LIST} returned HTTP 451, code none: text/html, no reason given",
        1,
    ),
    "400": (
        answer(400, body={"code": 20001, "message": "Unknown parameters"}),
        f"{LIST} returned HTTP 400, code 20001: Unknown parameters",
        # Once more without a page size (BEHAVIOR 47).
        2,
    ),
    "a redirect": (
        answer(302, body=b"", headers={"Location": "https://login.example/?from=api"}),
        f"{LIST} returned HTTP 302, code none: a redirect to login.example, not followed",
        1,
    ),
    "300": (
        answer(300, body=b""),
        f"{LIST} returned HTTP 300, code none: application/json, no reason given",
        1,
    ),
    "404": (
        answer(404, code=20404),
        "Twilio knows no account list (HTTP 404, code 20404): check region and edge, and whether a "
        "proxy answers in Twilio's place.",
        3,
    ),
    "404 to a key": (
        keyed_answer(404, code=20404),
        "Twilio knows no account list (HTTP 404, code 20404): check region and edge, and whether a "
        "proxy answers in Twilio's place.",
        18,
    ),
    "403 to the token": (
        answer(403, code=20403),
        "Twilio does not let account_sid and auth_token list the accounts (HTTP 403, code 20403): "
        "ask Twilio's support why.",
        3,
    ),
    "no account": (
        answer(200, body={"accounts": []}),
        "Account {main} is not among those that these credentials show: set account_sid to the "
        "account that the Auth Token belongs to.",
        1,
    ),
    "no account to a key": (
        keyed_answer(200, body={"accounts": []}),
        "Account {main} is not among those that these credentials show: set account_sid to the "
        "account that the API key belongs to.",
        1,
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_answer_of_a_check(case: str, opened: Make, slept: list[float]) -> None:
    """BEHAVIOR 31: a check waits less than ten seconds, and says what came and what to change."""
    with time_machine.travel(NOW, tick=False):
        twilio = opened()
        settings, sentence, requests = ANSWERS[case]
        found = {**config(twilio), **settings(twilio, pytest.MonkeyPatch())}
        outcome, message = check(found)
    assert outcome == "FAILED"
    said = message.removeprefix("'Stream accounts is not available: ").removesuffix("'")
    said = said.removeprefix('"Stream accounts is not available: ').removesuffix('"')
    assert said == sentence.format(main=sids(twilio)[0])
    assert len(twilio.requests) == requests
    assert waited(slept) < 10


@pytest.mark.parametrize(
    ("status", "headers", "attempts", "seconds"),
    [
        (500, {}, 6, range(36, 42)),
        (408, {}, 6, range(36, 42)),
        (429, {"Retry-After": "2"}, 6, range(15, 16)),
        (429, {"Retry-After": "0"}, 6, range(36, 42)),
        (429, {"Retry-After": "150"}, 5, range(604, 605)),
        (429, {"Retry-After": "601"}, 1, range(1)),
        (429, {"Retry-After": "Thu, 15 Jan 2026 12:05:00 GMT"}, 3, range(602, 603)),
        (503, {"Retry-After": "soon"}, 6, range(36, 42)),
        (422, {}, 1, range(1)),
        (451, {}, 1, range(1)),
        (400, {}, 2, range(1)),
    ],
)
def test_answer_under_way(
    status: int,
    headers: Row,
    attempts: int,
    seconds: range,
    twilio: Sandbox,
    clock: object,
    slept: list[float],
) -> None:
    """BEHAVIOR 31: a sync that has got going asks again what can pass, for ten minutes at most."""
    twilio.fail("Queues.json", status, headers=headers, times=None)
    found = config(twilio, account_selection="main_only")
    output = read(found, "accounts", "queues", expecting_exception=True)
    assert len(records(output, "accounts")) == 1
    paths = Counter(request.path.rpartition("/")[2] for request in twilio.requests)
    assert paths == {"Accounts.json": 1, "Queues.json": attempts}
    assert int(waited(slept)) in seconds
    kind = "system_error" if status in (400, 422, 451) else "transient_error"
    assert errors(output)[0][0] == kind
