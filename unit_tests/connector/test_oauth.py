"""BEHAVIOR 56: OAuth apps. Their token is fetched once for all streams, and leaves no trace."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.api import Key
from source_twilio.auth import LEAST_TOKEN_SECONDS, MOST_TOKEN_SECONDS, lifetime
from source_twilio.session import RENEWAL_SECONDS, AccessToken
from unit_tests.support.access import slept, waited, with_key
from unit_tests.support.contract import arrived, errors, opened, shown, status, twilio
from unit_tests.support.reading import check, problems, read

__all__ = ["opened", "slept", "twilio"]

GRANTED = ("addresses", "keys", "queues")
TOKEN = "/v2/token"


@pytest.fixture
def app(twilio: Sandbox) -> Key:
    """An OAuth app of the main account that may read some lists."""
    return twilio.key(twilio.accounts[0].sid, "oauth", GRANTED)


def asked(twilio: Sandbox, path: str) -> list[tuple[str, str, int]]:
    """Return method, host and status of the requests for a path."""
    return [(r.method, r.host, r.status) for r in twilio.requests if r.path == path]


def test_rows_arrive_with_one_token(twilio: Sandbox, app: Key, clock: object) -> None:
    """All streams share a token; the account's rows arrive, and a line names that account."""
    output = read(with_key(twilio, app), *GRANTED)
    own = [twilio.accounts[0].sid]
    for stream in GRANTED:
        assert status(output, stream) == "COMPLETE"
        assert arrived(output, stream) == shown(twilio, stream, own)
    assert asked(twilio, TOKEN) == [("POST", "oauth.twilio.com", 200)]
    [line] = problems(output)
    assert line.startswith("accounts: this OAuth app may not list accounts, so only account AC")


def test_a_permission_that_is_missing(twilio: Sandbox, app: Key, clock: object) -> None:
    """It fails its stream with a sentence that names the permission, and no other stream."""
    named = "Missing /twilio/voice/recordings/list."
    twilio.fail("Recordings", 401, body={"code": 70051, "message": named}, times=None)
    output = read(with_key(twilio, app), "queues", "recordings")
    assert status(output, "queues") == "COMPLETE"
    assert [message for _, message in errors(output) if message.startswith("recordings:")] == [
        "recordings: these credentials may not read it (HTTP 401, code 70051): give them the "
        "permission /twilio/voice/recordings/list, or deselect the stream."
    ]


@pytest.mark.parametrize("wrong", ["client_secret", "client_id"])
def test_wrong_credentials(
    wrong: str, twilio: Sandbox, app: Key, slept: list[float], clock: object
) -> None:
    """A check fails at once, with what to compare."""
    settings = with_key(twilio, app)
    settings["credentials"][wrong] = "OQ" + "0" * 32
    outcome, message = check(settings)
    assert (outcome, waited(slept)) == ("FAILED", 0)
    assert message == (
        "'Stream accounts is not available: Twilio refused the OAuth app (HTTP 401, code 20003): "
        "check that client_secret is that of client_id, and that the app belongs to account_sid "
        "and to region us1 and is not revoked.'"
    )
    assert asked(twilio, TOKEN) == [("POST", "oauth.twilio.com", 401)]


def test_no_token_for_a_while(twilio: Sandbox, app: Key, slept: list[float], clock: object) -> None:
    """A check tries three times; a sync goes on when the host is there again."""
    twilio.fail(TOKEN, 503, times=3)
    outcome, message = check(with_key(twilio, app))
    assert outcome == "FAILED"
    assert "oauth.twilio.com returned HTTP 503 (application/json): try again later" in message
    assert waited(slept) == 3
    twilio.fail(TOKEN, 500, times=2)
    output = read(with_key(twilio, app), "queues")
    assert status(output, "queues") == "COMPLETE"
    assert [found[2] for found in asked(twilio, TOKEN)] == [503, 503, 503, 500, 500, 200]


def test_the_host_follows_the_region(app: Key, clock: object) -> None:
    """BEHAVIOR 27: the token comes from the region of the settings."""
    with Sandbox(scale=0.02, region="ie1") as twilio:
        made = twilio.key(twilio.accounts[0].sid, "oauth", GRANTED)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in twilio.environment.items():
                patch.setenv(name, value)
            output = read(with_key(twilio, made, region="ie1"), "queues")
        assert status(output, "queues") == "COMPLETE"
        assert asked(twilio, TOKEN) == [("POST", "oauth.dublin.ie1.twilio.com", 200)]


def test_secrets_stay_inside(
    twilio: Sandbox, app: Key, clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Token and secret are in no message, also where Twilio's answers quote them."""
    caplog.set_level(logging.DEBUG)
    quoted = {"code": 70051, "message": f"{app.secret} may not"}
    twilio.fail("Recordings", 401, body=quoted, times=None)
    output = read(with_key(twilio, app), "queues", "recordings")
    [token] = twilio._tokens
    said = (
        "".join(map(str, output.records_and_state_messages))
        + "".join(map(str, output.logs))
        + caplog.text
    )
    assert "queues" in said
    assert [secret for secret in (token, app.secret) if secret in said] == []


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600),
        (1438315200000, MOST_TOKEN_SECONDS),
        *((value, LEAST_TOKEN_SECONDS) for value in (None, 0, -5, "3600")),
    ],
)
def test_lifetime(expires_in: Any, seconds: float) -> None:
    """The page of Twilio's own documentation shows 1438315200000 seconds."""
    assert lifetime(expires_in) == seconds


def tokens(seconds: float) -> tuple[list[str], Callable[[], tuple[str, float]]]:
    """Return the tokens that were fetched so far, and what fetches the next."""
    fetched: list[str] = []

    def fetch() -> tuple[str, float]:
        fetched.append(f"token {len(fetched) + 1}")
        return fetched[-1], seconds

    return fetched, fetch


@pytest.mark.parametrize("seconds", [60, 3600, 30 * 86_400])
def test_renewed_before_it_ends(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is used for half of its life at least, and never after it has ended."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    fetched, fetch = tokens(seconds)
    token = AccessToken()
    last = 1000 + seconds - min(seconds / 2, RENEWAL_SECONDS)
    for moment, found in ((1000, 1), (1000 + seconds / 2 - 1, 1), (last, 2), (last + 1, 2)):
        now[0] = moment
        assert token.get(fetch) == f"token {found}"
        assert len(fetched) == found


def test_renewed_once_after_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused token is fetched anew, but for one that is new or is no more in use."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    fetched, fetch = tokens(3600)
    token = AccessToken()
    for moment, refused, found in (
        (1000, "", 1),
        (1000 + RENEWAL_SECONDS, "token 1", 1),
        (1001 + RENEWAL_SECONDS, "token 1", 2),
        (1100 + RENEWAL_SECONDS, "token 1", 2),
        (1100 + RENEWAL_SECONDS, "token 2", 3),
        (1101 + RENEWAL_SECONDS, "token 3", 3),
    ):
        now[0] = moment
        token.reject(refused)
        assert token.get(fetch) == f"token {found}"


def test_a_token_that_ends_early(
    twilio: Sandbox, app: Key, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that Twilio withdraws while a sync reads is fetched anew, and nothing is missing."""
    answer = twilio.answer
    now = time.monotonic

    def withdrawn(host: str, path: str, *rest: Any) -> Any:
        if path.endswith("Queues.json") and len(twilio._tokens) == 1:
            monkeypatch.setattr(time, "monotonic", lambda: now() + RENEWAL_SECONDS + 1)
            twilio._tokens[next(iter(twilio._tokens))] = app, 0
            return answer(host, path, rest[0], "", "")
        return answer(host, path, *rest)

    monkeypatch.setattr(twilio, "answer", withdrawn)
    output = read(with_key(twilio, app), "queues")
    assert status(output, "queues") == "COMPLETE"
    assert arrived(output, "queues") == shown(twilio, "queues", [twilio.accounts[0].sid])
    assert [found[2] for found in asked(twilio, TOKEN)] == [200, 200]
