"""Checks that fail: within ten seconds, with one sentence that says what to change."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests_mock
import time_machine

from sandbox import Sandbox
from unit_tests.conftest import NOW
from unit_tests.support.access import AC, SECRET, SK, keyed, slept, waited
from unit_tests.support.contract import Make, Row, config, opened, sids, status, twilio
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG
from unit_tests.support.reading import check, read

__all__ = ["opened", "slept", "twilio"]


TOKEN_REFUSED = (
    "Twilio refused account_sid and auth_token (HTTP 401, code 20003): take the current Auth Token "
    "of that account in region {}; the account must be active."
)
KEY_REFUSED = (
    "Twilio refused the API key (HTTP 401, code 20003): check that api_key_secret is that of "
    "api_key_sid, and that the key belongs to account_sid and to region {} and is not revoked."
)
NO_NETWORK = (
    "There is no connection to api.twilio.com: check network, DNS and firewall, the edge if one is "
    "set, and HTTPS_PROXY if the way out is a proxy."
)
Settings = Callable[[Sandbox, pytest.MonkeyPatch], Row]


def revoked(twilio: Sandbox, _: object) -> Row:
    """Return a key that is no more."""
    key = twilio.key(sids(twilio)[0])
    twilio.revoke(key)
    return keyed(key)


def suspended(twilio: Sandbox, _: object) -> Row:
    """Suspend the main account."""
    twilio.restrict(sids(twilio)[0], 403, 20005)
    return {}


def key_of_suspended(twilio: Sandbox, _: object) -> Row:
    """Suspend the main account, and use a key of it."""
    twilio.restrict(sids(twilio)[0], 403, 20005)
    return keyed(twilio.key(sids(twilio)[0], "standard"))


def credentials_for_tests(twilio: Sandbox, _: object) -> Row:
    """Return the test credentials of the account."""
    key = twilio.key(sids(twilio)[0], "test")
    return {"account_sid": key.sid, "auth_token": key.secret}


def proxy(status: int) -> Settings:
    """Have the proxy answer so."""

    def settings(twilio: Sandbox, _: object) -> Row:
        twilio.proxy_status = status
        return {}

    return settings


def no_network(_: object, patch: pytest.MonkeyPatch) -> Row:
    """Have no name resolve, and no proxy set."""
    resolve = socket.getaddrinfo

    def fail(host: str, *arguments: Any, **more: Any) -> Any:
        if host != "127.0.0.1":
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return resolve(host, *arguments, **more)

    patch.setattr(socket, "getaddrinfo", fail)
    for name in ("HTTPS_PROXY", "https_proxy"):
        patch.setenv(name, "")
    return {}


def no_route(_: object, patch: pytest.MonkeyPatch) -> Row:
    """Have packets vanish, as without the proxy that a network needs."""

    def fail(address: object, timeout: float, *_: object, **__: object) -> None:
        # For each address of the host, of which there are two here.
        time.sleep(timeout * 2)
        raise TimeoutError("timed out")

    patch.setattr("urllib3.util.connection.create_connection", fail)
    for name in ("HTTPS_PROXY", "https_proxy"):
        patch.setenv(name, "")
    return {}


def proxy_down(_: object, patch: pytest.MonkeyPatch) -> Row:
    """Name a proxy that nobody serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("HTTPS_PROXY", "https_proxy"):
        patch.setenv(name, f"http://127.0.0.1:{port}")
    return {}


def odd_proxy(value: str) -> Settings:
    """Name a proxy with a password that no URL can hold as it is."""

    def named(_: object, patch: pytest.MonkeyPatch) -> Row:
        for name in ("HTTPS_PROXY", "https_proxy"):
            patch.setenv(name, value.format(SECRET))
        return {}

    return named


NO_PROXY_URL = (
    "HTTPS_PROXY is not the URL of a proxy: write it as http://user:password@host:port, with %23 "
    "for #, %2F for /, %3F for ? and %40 for @ in user name and password."
)


def no_trust(_: object, patch: pytest.MonkeyPatch) -> Row:
    """Trust the usual authorities only."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        patch.delenv(name)
    return {}


def given(**fields: Any) -> Settings:
    """Return the settings as they are."""
    return lambda *_: fields


def key_given(**fields: str) -> Settings:
    """Return a key that goes without being asked."""
    return given(credentials={"auth_type": "api_key", **fields})


# What is set, and what the check says.
FAILURES: dict[str, tuple[Settings, str]] = {
    "wrong token": (given(auth_token=SECRET), TOKEN_REFUSED.format("us1")),
    "wrong SID": (given(account_sid=AC), TOKEN_REFUSED.format("us1")),
    "SID and token swapped": (
        lambda twilio, _: {
            "account_sid": twilio.accounts[0].auth_token,
            "auth_token": twilio.accounts[0].sid,
        },
        "account_sid and auth_token are swapped: the one that starts with AC is the SID.",
    ),
    "token for SID": (
        given(account_sid=SECRET),
        "account_sid must be AC and 32 hexadecimal digits, as the Twilio Console shows it.",
    ),
    "SID in capitals": (
        given(account_sid="AC" + "0123ABCD" * 4),
        "account_sid must be AC and digits in lower case, as the Twilio Console shows it.",
    ),
    "SID in small letters": (
        given(account_sid="ac" + "0123abcd" * 4),
        "account_sid must be AC and digits in lower case, as the Twilio Console shows it.",
    ),
    "SID that is too short": (
        given(account_sid="AC" + "0123abcd" * 3 + "0123ABC"),
        "account_sid must be AC and 32 hexadecimal digits, as the Twilio Console shows it.",
    ),
    "key for SID": (
        given(account_sid=SK),
        "account_sid must start with AC: an API key (SK...) goes into credentials.",
    ),
    "no credentials": (
        given(auth_token=""),
        "Set credentials: the Auth Token of account_sid, an API key and its secret, or client_id "
        "and client_secret of an OAuth app.",
    ),
    "API key as token": (
        given(auth_token=SK),
        "auth_token is the SID of an API key: put it and its secret into credentials.",
    ),
    "key without secret": (
        key_given(api_key_sid=SK),
        "Config validation error: 'api_key_secret' is a required property",
    ),
    "key with empty secret": (
        key_given(api_key_sid=SK, api_key_secret=""),
        "api_key_secret is missing: Twilio shows it once only, so make a new one if need be.",
    ),
    "secret without key": (
        key_given(api_key_secret=SECRET),
        "Config validation error: 'api_key_sid' is a required property",
    ),
    "key and secret swapped": (
        key_given(api_key_sid=SECRET, api_key_secret=SK),
        "api_key_sid and api_key_secret are swapped: the one with SK is the SID.",
    ),
    "secret for key": (
        key_given(api_key_sid=SECRET, api_key_secret=SECRET),
        "api_key_sid must be SK and 32 hexadecimal digits, as the Twilio Console shows it.",
    ),
    "choice without token": (
        given(credentials={"auth_type": "auth_token"}),
        "Config validation error: 'auth_token' is a required property",
    ),
    "credentials without choice": (
        given(credentials={"auth_token": SECRET}),
        "Config validation error: 'auth_type' is a required property",
    ),
    "wrong secret": (
        lambda twilio, _: keyed(twilio.key(sids(twilio)[0])._replace(secret=SECRET)),
        KEY_REFUSED.format("us1"),
    ),
    "key of another region": (
        lambda twilio, _: keyed(twilio.key(sids(twilio)[0], region="ie1")),
        KEY_REFUSED.format("us1"),
    ),
    "token of another region": (given(region="au1"), TOKEN_REFUSED.format("au1")),
    "key of another account": (
        lambda twilio, _: keyed(twilio.key(sids(twilio)[1])),
        "Account {main} is not among those that these credentials show: set account_sid to the "
        "account that the API key belongs to.",
    ),
    "main account's key, subaccount's SID": (
        lambda twilio, _: {"account_sid": sids(twilio)[1], **keyed(twilio.key(sids(twilio)[0]))},
        "The API key belongs to the main account {main}: set account_sid to it, and select the "
        "subaccount with account_sids.",
    ),
    "revoked key": (revoked, KEY_REFUSED.format("us1")),
    "restricted key that opens nothing": (
        lambda twilio, _: keyed(twilio.key(sids(twilio)[0], "restricted")),
        "The API key may read nothing that the connector reads (HTTP 401, code 70051): give it "
        "permissions to read, or take a Main key or the Auth Token.",
    ),
    "suspended main account": (
        suspended,
        "The account of account_sid is not active (HTTP 403, code 20005): have Twilio reactivate "
        "it.",
    ),
    "key of a suspended main account": (
        key_of_suspended,
        "The account of account_sid is not active (HTTP 403, code 20005): have Twilio reactivate "
        "it.",
    ),
    "test credentials": (
        credentials_for_tests,
        "These are test credentials (HTTP 403, code 20008): take the live Account SID and Auth "
        "Token.",
    ),
    "no network": (no_network, NO_NETWORK),
    "proxy needed": (no_route, NO_NETWORK),
    "proxy down": (
        proxy_down,
        "The proxy does not connect to api.twilio.com: check HTTPS_PROXY, and the proxy.",
    ),
    "proxy with #": (odd_proxy("http://user:pa#{}@127.0.0.1:9"), NO_PROXY_URL),
    "proxy with /": (odd_proxy("http://user:pa/{}@127.0.0.1:9"), NO_PROXY_URL),
    "proxy with a high port": (odd_proxy("http://user:{}@127.0.0.1:99999"), NO_PROXY_URL),
    "proxy with an odd port": (odd_proxy("http://user:{}@127.0.0.1:9x"), NO_PROXY_URL),
    "proxy without http": (odd_proxy("user:{}@127.0.0.1:9"), NO_PROXY_URL),
    "proxy fails": (
        proxy(502),
        "The proxy does not connect to api.twilio.com: check HTTPS_PROXY, and the proxy.",
    ),
    "proxy wants a password": (
        proxy(407),
        "The proxy requires authentication (HTTP 407): put user name and password into "
        "HTTPS_PROXY, as in http://user:password@host:port.",
    ),
    "proxy refuses": (
        proxy(403),
        "The proxy refuses connections to api.twilio.com (HTTP 403): have *.twilio.com allowed.",
    ),
    "TLS failure": (
        no_trust,
        "The certificate that api.twilio.com shows is not trusted: if a proxy intercepts TLS, add "
        "its authority to the file that REQUESTS_CA_BUNDLE names.",
    ),
    "unknown edge": (
        given(edge="nowhere"),
        "Config validation error: 'nowhere' is not one of ['ashburn', 'dublin', 'frankfurt', "
        "'roaming', 'sao-paulo', 'singapore', 'sydney', 'tokyo', 'umatilla']",
    ),
    "unknown region": (
        given(region="us2"),
        "Config validation error: 'us2' is not one of ['us1', 'ie1', 'au1']",
    ),
    "start_date in the future": (
        given(start_date="2026-01-15T12:00:01Z"),
        "start_date 2026-01-15T12:00:01Z is in the future, for it is 2026-01-15T12:00:00Z: set it "
        "to a past moment.",
    ),
    "start_date that is no date": (
        given(start_date="2026-02-30T00:00:00Z"),
        "start_date must be a day or a moment, such as 2025-01-01 or 2025-01-01T00:00:00Z.",
    ),
    "listed without a list": (
        given(account_selection="listed"),
        "account_sids is empty: list the accounts to read, or set account_selection to all.",
    ),
    "token in the list": (
        given(account_selection="listed", account_sids=[AC, SECRET]),
        "Entry 2 of account_sids must be AC and 32 digits in lower case.",
    ),
    "list of strangers": (
        given(account_selection="listed", account_sids=[AC]),
        "No account is left to read: check account_selection, account_sids and "
        "include_inactive_accounts against the accounts that Twilio shows.",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failed_check(
    case: str,
    opened: Make,
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """BEHAVIOR 28: a check waits less than ten seconds; one sentence says what to change."""
    with time_machine.travel(NOW, tick=False):
        twilio = opened()
        settings, sentence = FAILURES[case]
        found = {**config(twilio), **settings(twilio, monkeypatch)}
        outcome, message = check(found)
    assert outcome == "FAILED"
    said = message.removeprefix("'Stream accounts is not available: ").removesuffix("'")
    expected = sentence.format(main=sids(twilio)[0])
    # The pattern that a schema error quotes goes on.
    assert said[: len(expected)] == expected
    assert len(said) == len(expected) or "does not match" in expected
    assert waited(slept) < 10
    given = found.get("credentials", {})
    hidden = [found.get("auth_token"), given.get("auth_token"), given.get("api_key_secret"), SECRET]
    # A SID where a secret should be is no secret.
    hidden = [h for h in hidden if h and not h.startswith(("AC", "SK"))]
    printed = message + str(capfd.readouterr())
    assert [secret for secret in hidden if secret in printed] == []


def test_no_network_at_the_start(opened: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be a matter of a moment is tried three times, before anything was answered."""
    twilio = opened()
    tried: list[str] = []

    no_network(twilio, monkeypatch)
    fails = socket.getaddrinfo

    def noted(host: Any, *arguments: Any, **more: Any) -> Any:
        tried.append(host)
        return fails(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    check(config(twilio))
    monkeypatch.undo()
    assert tried == ["api.twilio.com"] * 3


def test_network_lost_later(
    twilio: Sandbox, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync that has got going survives minutes without a network."""
    answer, seen = twilio.answer, Counter[str]()

    def flaky(host: str, path: str, *arguments: Any) -> tuple[int, bytes]:
        twilio.proxy_status = 502
        return answer(host, path, *arguments)

    sleep = time.sleep

    def recovering(wanted: float) -> None:
        seen["pauses"] += 1
        if seen["pauses"] % 4 == 0:
            twilio.proxy_status = None
        sleep(wanted)

    monkeypatch.setattr(twilio, "answer", flaky)
    monkeypatch.setattr(time, "sleep", recovering)
    # Each host has connections of its own, so the second finds the proxy refusing.
    output = read({**config(twilio), "num_workers": 1}, "alerts", "queues")
    assert {status(output, name) for name in ("alerts", "queues")} == {"COMPLETE"}
    assert seen["pauses"] != 0


def test_time_outs(clock: object) -> None:
    """A server that is silent ends a check in seconds; lists that are long get more time."""
    waits: dict[str, Any] = {}

    def answer(request: Any, _: object) -> dict[str, Any]:
        key = request.path.rpartition("/")[2].removesuffix(".json")
        waits[key] = request.timeout
        return {key: [{"sid": ACCOUNT}], "next_page_uri": None}

    with requests_mock.Mocker() as mocker:
        mocker.get(requests_mock.ANY, json=answer)
        read(CONFIG, "queues")
    assert waits == {"accounts": (3, 20), "queues": (3, 120)}
