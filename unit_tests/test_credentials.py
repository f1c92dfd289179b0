"""Every kind of credentials, against the embedded Twilio: what is read, asked and said."""

from __future__ import annotations

import logging
import re
import socket
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
import time_machine
import yaml
from airbyte_cdk.models import Level
from airbyte_cdk.sources.declarative.checks.check_stream import CHECK_STREAM_NAMES_CONFIG_KEY
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from sandbox import Sandbox
from sandbox.api import Key
from source_twilio import SourceTwilio
from source_twilio.credentials import TWILIO_HOST, TwilioAuthenticator
from source_twilio.settings import problem
from tools import credential_matrix
from tools.soak import HOLDERS
from unit_tests import reading
from unit_tests.conftest import NOW
from unit_tests.reading import check, final_state, logged, problems, read, records
from unit_tests.test_contract import (
    DAY,
    END,
    LAST,
    MINUTE,
    ROOT,
    Make,
    Row,
    SomeStreams,
    add,
    arrived,
    asked,
    config,
    cursors,
    errors,
    opened,
    refusal,
    saved,
    shown,
    sids,
    status,
    text,
    twilio,
)

__all__ = ["opened", "twilio"]

ALL = [stream.name for stream in SourceTwilio(config={"start_date": ""}).streams({})]


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let nothing wait long; the list is of the seconds that it would have."""
    sleep, seconds = time.sleep, list[float]()

    def nap(wanted: float) -> None:
        seconds.append(wanted)
        sleep(min(wanted, 0.005))

    monkeypatch.setattr(time, "sleep", nap)
    return seconds


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build the streams of the catalog alone."""
    monkeypatch.setattr(reading, "SourceTwilio", SomeStreams)


def keyed(key: Key) -> Row:
    """Return the credentials of an API key."""
    return {
        "credentials": {
            "auth_type": "api_key",
            "api_key_sid": key.sid,
            "api_key_secret": key.secret,
        }
    }


def with_key(twilio: Sandbox, key: Key, **more: Any) -> Row:
    """Return a configuration of the main account with a key instead of the token."""
    found = {**config(twilio), **keyed(key), **more}
    del found["auth_token"]
    return found


# --------------------------------------------------------------------------------------------------
# Checks that fail
# --------------------------------------------------------------------------------------------------

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


SECRET = "5ec2e7" * 5 + "00"
SK, AC = "SK" + "1" * 32, "AC" + "1" * 32
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
    "key for SID": (
        given(account_sid=SK),
        "account_sid must start with AC: an API key (SK...) goes into credentials.",
    ),
    "no credentials": (
        given(auth_token=""),
        "Set credentials: the Auth Token of account_sid, or an API key and its secret.",
    ),
    "key without secret": (
        key_given(api_key_sid=SK),
        "Config validation error: 'api_key_secret' is a required property",
    ),
    "key with empty secret": (
        key_given(api_key_sid=SK, api_key_secret=""),
        "api_key_secret is missing: Twilio shows it once only, so make a new key if need be.",
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
    "proxy fails": (
        proxy(502),
        "The proxy does not connect to api.twilio.com: check HTTPS_PROXY, and the proxy.",
    ),
    "proxy wants a password": (
        proxy(407),
        "The proxy wants a user name and a password (HTTP 407): put them into HTTPS_PROXY, as in "
        "http://user:password@host:port.",
    ),
    "proxy refuses": (
        proxy(403),
        "The proxy refuses connections to api.twilio.com (HTTP 403): have *.twilio.com allowed.",
    ),
    "TLS failure": (
        no_trust,
        "The certificate that api.twilio.com shows is not trusted: if a proxy or firewall reads "
        "along, add its authority to the file that REQUESTS_CA_BUNDLE names.",
    ),
    "unknown edge": (
        given(edge="nowhere"),
        "The proxy does not connect to api.nowhere.us1.twilio.com: check HTTPS_PROXY, and the "
        "proxy.",
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
        "Config validation error: '2026-02-30T00:00:00Z' does not match '^(?=start_date must be a "
        "UTC moment such as 2025-01-01T00:00:00Z|)",
    ),
    "listed without a list": (
        given(account_selection="listed"),
        "account_sids is empty: list the accounts to read, or set account_selection to all.",
    ),
    "token in the list": (
        given(account_selection="listed", account_sids=[AC, SECRET]),
        "Entry 2 of account_sids must be AC and 32 hexadecimal digits.",
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
    """BEHAVIOR 28: within ten seconds a check says in one sentence what to change; no secret."""
    with time_machine.travel(NOW, tick=False):
        twilio = opened()
        settings, sentence = FAILURES[case]
        found = {**config(twilio), **settings(twilio, monkeypatch)}
        began = time.perf_counter()
        outcome, message = check(found)
    took = time.perf_counter() - began + sum(slept)
    assert outcome == "FAILED"
    said = message.removeprefix("'Stream accounts is not available: ").removesuffix("'")
    expected = sentence.format(main=sids(twilio)[0])
    # The pattern that a schema error quotes goes on.
    assert said[: len(expected)] == expected
    assert len(said) == len(expected) or "does not match" in expected
    assert took // 10 == 0
    given = found.get("credentials", {})
    hidden = [found.get("auth_token"), given.get("auth_token"), given.get("api_key_secret"), SECRET]
    # A SID where a secret should be is no secret.
    hidden = [h for h in hidden if h and not h.startswith(("AC", "SK"))]
    printed = message + str(capfd.readouterr())
    assert [secret for secret in hidden if secret in printed] == []


def test_no_network_has_one_retry(opened: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be a matter of a moment is tried twice, before anything was answered."""
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
    assert tried == ["api.twilio.com"] * 2


def test_network_lost_later(
    some: None, twilio: Sandbox, clock: object, monkeypatch: pytest.MonkeyPatch
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
    # Each stream has connections of its own, so the second finds the proxy refusing.
    output = read({**config(twilio), "num_workers": 1}, "accounts", "queues")
    assert {status(output, name) for name in ("accounts", "queues")} == {"COMPLETE"}
    assert seen["pauses"] != 0


# --------------------------------------------------------------------------------------------------
# Kinds of credentials
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["token", "main", "standard", "restricted", "none"])
def test_discover(kind: str, twilio: Sandbox) -> None:
    """The catalog is the same with whatever credentials, and nobody is asked."""
    main = sids(twilio)[0]
    found = config(twilio)
    if kind in ("main", "standard", "restricted"):
        found = with_key(twilio, twilio.key(main, kind))  # type: ignore[arg-type]
    elif kind == "none":
        del found["auth_token"]
    catalog = SourceTwilio(config=found).discover(logging.getLogger(), found)
    assert [stream.name for stream in catalog.streams] == ALL
    assert twilio.requests == []


def test_both_forms_of_the_token(some: None, twilio: Sandbox, clock: object) -> None:
    """The Auth Token reads the same under credentials as at the top, where it always was."""
    found = []
    for where in ("top", "credentials"):
        given = config(twilio)
        if where == "credentials":
            token = given.pop("auth_token")
            given["credentials"] = {"auth_type": "auth_token", "auth_token": token}
        output = read(given, "calls", "alerts")
        assert problems(output) == []
        found.append((arrived(output, "calls"), arrived(output, "alerts")))
    assert found[0] == found[1]
    assert {account for account, *_ in found[0][1]} == set(sids(twilio))


def test_leftovers_of_the_other_choice(some: None, twilio: Sandbox, clock: object) -> None:
    """What is left of another choice, under credentials or at the top, is not used."""
    token = twilio.accounts[0].auth_token
    credentials = {"auth_type": "auth_token", "auth_token": token, "api_key_secret": SECRET}
    found = {**config(twilio), "credentials": credentials, "auth_token": SECRET}
    assert status(read(found, "queues"), "queues") == "COMPLETE"
    found = {**config(twilio), **keyed(twilio.key(sids(twilio)[0])), "auth_token": SECRET}
    assert status(read(found, "queues"), "queues") == "COMPLETE"


def test_token_that_looks_like_a_number(some: None, twilio: Sandbox, clock: object) -> None:
    """A token such as 1234e56 is sent as it is written."""
    token = "1" * 29 + "e12"
    twilio.update("accounts", sids(twilio)[0], auth_token=token)
    assert status(read(config(twilio), "queues"), "queues") == "COMPLETE"


ONLY_OWN = "accounts: this API key may not list accounts, so only account {} is read"


@pytest.mark.parametrize("opens", ["account", "subaccounts"])
def test_main_key(opens: str, some: None, opened: Make, clock: object) -> None:
    """BEHAVIOR 26: a Main key reads subaccounts where Twilio lets it, else skips them."""
    twilio = opened(main_keys_open=opens)
    main, *others = sids(twilio)
    output = read(with_key(twilio, twilio.key(main)), "accounts", "keys", "calls")
    visible = sids(twilio) if opens == "subaccounts" else [main]
    assert arrived(output, "accounts") == shown(twilio, "accounts")
    assert arrived(output, "calls") == shown(twilio, "calls", visible, since=NOW - 75 * DAY)
    assert arrived(output, "keys") == shown(twilio, "keys", visible)
    skipped = [] if opens == "subaccounts" else others
    expected = [refusal(name, account, 401) for name in ("calls", "keys") for account in skipped]
    assert sorted(problems(output)) == sorted(expected)
    assert {status(output, name) for name in ("accounts", "keys", "calls")} == {"COMPLETE"}


def test_standard_key(some: None, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 26: a Standard key reads its account; keys says why not; the others go on."""
    main = sids(twilio)[0]
    found = with_key(twilio, twilio.key(main, "standard"))
    names = ("accounts", "alerts", "calls", "conference_participants", "keys", "messages")
    output = read(found, *names, expecting_exception=True)
    assert records(output, "accounts") == [{"sid": main}]
    since = {"calls": NOW - 75 * DAY, "messages": NOW - 75 * DAY, "alerts": NOW - 30 * DAY}
    for name in names:
        if name not in ("accounts", "keys"):
            assert set(arrived(output, name)) == set(shown(twilio, name, [main], since.get(name)))
            assert cursors(output, name) == {main: END}
    assert records(output, "keys") == []
    assert {name: status(output, name) for name in names} == {
        **dict.fromkeys(names, "COMPLETE"),
        "keys": "INCOMPLETE",
    }
    sentence = (
        "keys: these credentials may not read it (HTTP 401, code 20003): use the Auth Token or a "
        "Main API key, or deselect the stream."
    )
    assert errors(output)[0] == ("config_error", sentence)
    assert logged(output, Level.WARN) == [f"{ONLY_OWN.format(main)}; nor may it read keys."]


@pytest.mark.parametrize("not_permitted", [(401, 70051), (403, 20403)])
def test_restricted_key(
    not_permitted: tuple[int, int], some: None, opened: Make, clock: object
) -> None:
    """BEHAVIOR 26: a Restricted key reads what it was given; the rest says which permission."""
    twilio = opened(not_permitted=not_permitted)
    main = sids(twilio)[0]
    found = with_key(twilio, twilio.key(main, "restricted", ("calls", "alerts")))
    output = read(found, "alerts", "calls", "messages", expecting_exception=True)
    assert arrived(output, "calls") == shown(twilio, "calls", [main], since=NOW - 75 * DAY)
    assert arrived(output, "alerts") == shown(twilio, "alerts", [main])
    http, code = not_permitted
    sentence = (
        f"messages: these credentials may not read it (HTTP {http}, code {code}): give them the "
        "permission, or deselect the stream."
    )
    # Once, however many windows the stream has.
    assert [e for e in errors(output) if e[1].startswith("messages: ")] == [
        ("config_error", sentence)
    ]
    [warning] = logged(output, Level.WARN)
    closed = [name for name in PROBED if name not in ("calls", "alerts")]
    assert warning == f"{ONLY_OWN.format(main)}; nor may it read {', '.join(closed)}."


BELOW = ("available_phone_numbers", "conference_participants", "dependent_", "message_media")
PROBED = [name for name in ALL if name != "accounts" and not name.startswith(BELOW)]


def test_list_refused_midway(
    some: None, opened: Make, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEHAVIOR 26: an account list that stops halfway is an error, not one account."""
    twilio = opened(page_size_max=2)
    twilio.fail("Accounts.json.*PageToken", status=401, code=20003, times=None)
    found = with_key(twilio, twilio.key(sids(twilio)[0]))
    output = read(found, "queues", expecting_exception=True)
    assert errors(output)[0] == (
        "transient_error",
        "Twilio refused the rest of the account list.",
    )
    assert records(output, "queues") == []


def test_fallback_asks_little(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 26: the list is asked for three times, each other list once, for a whole sync."""
    found = with_key(twilio, twilio.key(sids(twilio)[0], "standard"), num_workers=1)
    check(found)
    paths = Counter(request.path.rpartition("/")[2] for request in twilio.requests)
    assert paths.pop("Accounts.json") == 3
    assert paths.total() == len(PROBED)
    assert set(paths.values()) == {1}

    begin = len(twilio.requests)
    read(found, *ALL, expecting_exception=True)
    paths = Counter(r.path.rpartition("/")[2] for r in twilio.requests[begin:])
    assert paths["Accounts.json"] == 3


def test_check_of_selected_streams(twilio: Sandbox) -> None:
    """A check of the selected streams names the one that the credentials do not open."""
    found = with_key(twilio, twilio.key(sids(twilio)[0], "standard"))
    assert check({**found, CHECK_STREAM_NAMES_CONFIG_KEY: ["calls", "alerts"]}) == ("SUCCEEDED", "")

    assert check({**found, CHECK_STREAM_NAMES_CONFIG_KEY: ["calls", "keys"]}) == (
        "FAILED",
        "'Stream keys is not available: keys: these credentials may not read it (HTTP 401, code "
        "20003): use the Auth Token or a Main API key, or deselect the stream.'",
    )


def test_token_of_a_subaccount(some: None, twilio: Sandbox, clock: object) -> None:
    """A subaccount's own token reads that account, and nothing is missing."""
    account = twilio.accounts[1]
    found = {**config(twilio), "account_sid": account.sid, "auth_token": account.auth_token}
    output = read(found, "accounts", "alerts", "keys")
    assert [row["sid"] for row in records(output, "accounts")] == [account.sid]
    assert arrived(output, "alerts") == shown(twilio, "alerts", [account.sid])
    assert arrived(output, "keys") == shown(twilio, "keys", [account.sid])
    assert problems(output) == []


@pytest.mark.parametrize("number", range(len(HOLDERS)), ids=[holder.name for holder in HOLDERS])
def test_matrix(number: int) -> None:
    """BEHAVIOR 26: the table of docs/twilio.md is what happens, and each dash has its sentence."""
    found = credential_matrix.read(HOLDERS[number])
    rows = [line.split(" | ") for line in (ROOT / "docs" / "twilio.md").read_text().splitlines()]
    written = {
        row[0].removeprefix("| "): row[number + 1].removesuffix(" |")
        for row in rows
        if len(row) == len(HOLDERS) + 1
    }
    assert written.pop("Stream") == HOLDERS[number].name
    assert written == found.cells
    closed = {name for name, cell in found.cells.items() if cell == "-"}
    assert closed == HOLDERS[number].blind
    explained = {
        name
        for sentence, streams in found.sentences.items()
        for name in streams
        if sentence.startswith("these credentials may not read it (HTTP 401, code ")
    }
    assert explained == closed


def test_every_list_is_probed() -> None:
    """BEHAVIOR 26: a key is tried on every list that is right under an account."""
    manifest = yaml.safe_load((ROOT / "source_twilio" / "manifest.yaml").read_text())
    assert [*manifest["definitions"]["accounts_retriever"]["probes"]] == PROBED


# --------------------------------------------------------------------------------------------------
# Product APIs
# --------------------------------------------------------------------------------------------------


def test_alerts_of_all_accounts(some: None, twilio: Sandbox, clock: time_machine.Traveller) -> None:
    """BEHAVIOR 14: each account's alerts, asked with its own token, with a cursor of its own."""
    for account in sids(twilio):
        add(twilio, "alerts", account, NOW - DAY)
    first = read(config(twilio), "alerts")
    assert arrived(first, "alerts") == shown(twilio, "alerts")
    assert cursors(first, "alerts") == dict.fromkeys(sids(twilio), END)
    users = {r.user for r in twilio.requests if r.host == "monitor.twilio.com"}
    assert users == set(sids(twilio))

    # A token that changed meanwhile is the list's to tell, and a new account begins at the start.
    clock.shift(DAY)
    twilio.update("accounts", sids(twilio)[1], auth_token=SECRET)
    new = twilio.add("accounts", sids(twilio)[0], friendly_name="New")["sid"]
    late = [add(twilio, "alerts", account, NOW - 9 * DAY)["sid"] for account in (new, new)]
    state = {"alerts": final_state(first, "alerts")}
    second = read(config(twilio, lookback_window=0), "alerts", state=state)
    assert [row["sid"] for row in records(second, "alerts") if row["sid"] in late] == late[::-1]
    ends = dict.fromkeys(sids(twilio), "2026-01-16T11:00:00Z")
    assert cursors(second, "alerts") == ends
    assert problems(first) + problems(second) == []


def test_alerts_of_a_refused_account(some: None, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 9, 14: a subaccount whose token is refused is skipped; its cursor stays."""
    main, refused, other = sids(twilio)
    for account in sids(twilio):
        add(twilio, "alerts", account, NOW - DAY)
    twilio.restrict(refused)
    state = {"alerts": saved("alerts", LAST, sids(twilio))}
    output = read(config(twilio, lookback_window=0), "alerts", state=state)
    assert {row["account_sid"] for row in records(output, "alerts")} == {main, other}
    assert cursors(output, "alerts") == {main: END, refused: LAST, other: END}
    assert problems(output) == [refusal("alerts", refused, 401)]


def test_alerts_of_the_main_account(some: None, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 14: without subaccount_product_data only the configured account is asked."""
    for account in sids(twilio):
        add(twilio, "alerts", account, NOW - DAY)
    output = read(config(twilio, subaccount_product_data=False), "alerts", "keys")
    assert {row["account_sid"] for row in records(output, "alerts")} == {sids(twilio)[0]}
    assert arrived(output, "keys") == shown(twilio, "keys")
    assert problems(output) == []


def test_alerts_without_tokens(
    some: None, twilio: Sandbox, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEHAVIOR 14: accounts whose token is not known are left out, and counted."""
    for account in sids(twilio):
        add(twilio, "alerts", account, NOW - DAY)
        twilio.update("accounts", account, auth_token=twilio.accounts[0].auth_token)
    answer = twilio.answer

    def without(host: str, path: str, *arguments: Any) -> tuple[int, bytes]:
        http, body = answer(host, path, *arguments)
        return http, re.sub(rb'"auth_token":"\w+",', b"", body)

    monkeypatch.setattr(twilio, "answer", without)
    output = read(config(twilio), "alerts", "keys")
    assert {row["account_sid"] for row in records(output, "alerts")} == {sids(twilio)[0]}
    assert arrived(output, "keys") == shown(twilio, "keys")
    assert problems(output) == [
        "accounts: 2 subaccounts are left out of alerts, for Twilio has not given their tokens: "
        "use the Auth Token of the main account, or set subaccount_product_data to false."
    ]


def test_earlier_state_of_alerts(some: None, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 14: our own state of the main account goes on where it was; others begin."""
    main, *others = sids(twilio)
    state = {
        "use_global_cursor": False,
        "states": [{"partition": {"account_sid": main}, "cursor": {"date_generated": LAST}}],
    }
    output = read(config(twilio, lookback_window=0), "alerts", state={"alerts": state})
    first: dict[str, str] = {}
    for account, query in asked(twilio, "alerts"):
        first[account] = min(query["StartDate"], first.get(account, "~"))
    reach = text(NOW - 30 * DAY + 10 * MINUTE)
    assert first == {main: LAST, **dict.fromkeys(others, reach)}
    assert cursors(output, "alerts") == dict.fromkeys(sids(twilio), END)


# --------------------------------------------------------------------------------------------------
# Accounts to read
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        pytest.param({}, [0, 1, 2, 3], id="by default"),
        pytest.param({"account_selection": "all"}, [0, 1, 2, 3], id="all"),
        pytest.param({"account_selection": "main_only"}, [0], id="main only"),
        pytest.param({"account_selection": "listed", "list": [1, 2]}, [1, 2], id="listed"),
        pytest.param({"account_selection": "listed", "list": [0, 3]}, [0, 3], id="listed, closed"),
        pytest.param({"include_inactive_accounts": False}, [0, 1, 2], id="active"),
        pytest.param(
            {"account_selection": "listed", "list": [2, 3], "include_inactive_accounts": False},
            [2],
            id="listed and active",
        ),
        pytest.param({"account_selection": "main_only", "list": [1]}, [0], id="list without use"),
    ],
)
def test_account_selection(
    settings: Row, chosen: list[int], some: None, opened: Make, clock: object
) -> None:
    """The selected accounts are read, and no other is asked for anything."""
    twilio = opened(closed=True)
    settings = dict(settings)
    if "list" in settings:
        settings["account_sids"] = [sids(twilio)[number] for number in settings.pop("list")]
    output = read(config(twilio, **settings), "accounts", "alerts", "queues")
    selected = [sids(twilio)[number] for number in chosen]
    readable = [account for number, account in zip(chosen, selected, strict=True) if number != 3]
    assert {row["sid"] for row in records(output, "accounts")} == set(selected)
    assert len(records(output, "accounts")) == len(selected)
    assert arrived(output, "queues") == shown(twilio, "queues", readable)
    assert arrived(output, "alerts") == shown(twilio, "alerts", readable)
    assert {account for account, _ in asked(twilio, "queues")} == set(selected)
    assert {account for account, _ in asked(twilio, "alerts")} == set(selected)
    assert set(cursors(output, "alerts")) <= set(selected)


def test_split_over_two_connections(some: None, twilio: Sandbox, clock: object) -> None:
    """Two lists that share the accounts out read, together, everything, and nothing twice."""
    main, *others = sids(twilio)
    parts = [
        read(config(twilio, account_selection="listed", account_sids=part), "queues", "alerts")
        for part in ([main], others)
    ]
    for name in ("queues", "alerts"):
        assert arrived(parts[0], name) + arrived(parts[1], name) == shown(twilio, name)


def test_listed_stranger(some: None, twilio: Sandbox, clock: object) -> None:
    """A listed account that Twilio does not show is named, once, and the others are read."""
    found = config(twilio, account_selection="listed", account_sids=[AC, sids(twilio)[1]])
    output = read(found, "queues", "keys", "alerts")
    assert arrived(output, "queues") == shown(twilio, "queues", [sids(twilio)[1]])
    assert problems(output) == [
        f"accounts: account_sids lists {AC}, which Twilio does not show to these credentials: it "
        "is not read."
    ]


# --------------------------------------------------------------------------------------------------
# Regions
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({}, ""),
        ({"region": "us1"}, ""),
        ({"region": "us1", "edge": "frankfurt"}, ".frankfurt.us1"),
        ({"edge": "ashburn"}, ".ashburn.us1"),
        ({"region": "ie1"}, ".dublin.ie1"),
        ({"region": "ie1", "edge": "frankfurt"}, ".frankfurt.ie1"),
        ({"region": "au1"}, ".sydney.au1"),
        ({"region": "au1", "edge": "sao-paulo"}, ".sao-paulo.au1"),
    ],
)
@pytest.mark.parametrize("links_host", [None, "monitor.twilio.com"])
def test_regions(
    settings: Row, place: str, links_host: str | None, some: None, opened: Make, clock: object
) -> None:
    """BEHAVIOR 27: all requests, links included, go to the hosts of the region, and no other."""
    twilio = opened(region=settings.get("region", "us1"), links_host=links_host, page_size_max=2)
    for account in sids(twilio):
        for number in range(5):
            add(twilio, "alerts", account, NOW - DAY - number * MINUTE)
    output = read(config(twilio, **settings), "alerts", "queues", "messages")
    assert {r.host for r in twilio.requests} == {f"{name}{place}.twilio.com" for name in PRODUCTS}
    assert arrived(output, "alerts") == shown(twilio, "alerts")
    assert arrived(output, "queues") == shown(twilio, "queues")
    assert problems(output) == []


PRODUCTS = ("api", "monitor")


def test_key_in_its_region(some: None, opened: Make, clock: object) -> None:
    """BEHAVIOR 27: a key of ie1 reads ie1."""
    twilio = opened(region="ie1")
    found = with_key(twilio, twilio.key(sids(twilio)[0], "standard"), region="ie1")
    output = read(found, "alerts", "queues")
    assert arrived(output, "queues") == shown(twilio, "queues", sids(twilio)[:1])
    assert arrived(output, "alerts") == shown(twilio, "alerts", sids(twilio)[:1])


@pytest.mark.parametrize(
    "address",
    [
        "https://api.twilio.com.evil.example/",
        "https://eviltwilio.com/",
        "https://twilio.com/",
        "https://api.twilio.com@evil.example/",
        "https://user@api.twilio.com/",
        "https://api.twilio.com:8443/",
        "https://a.b.c.d.twilio.com/",
        "https://api_.twilio.com/",
        "https://evil.example/api.twilio.com/",
        "https://evil.example\\.twilio.com/",
        "http://api.twilio.com/",
        "ftp://api.twilio.com/",
    ],
)
def test_no_host_of_twilio(address: str) -> None:
    """BEHAVIOR 11: nothing is signed for another host, another port, or without TLS."""
    request = requests.PreparedRequest()
    request.prepare("GET", "https://x.example/")
    request.url = address
    settings = {"account_sid": AC, "auth_token": SECRET}
    signer = TwilioAuthenticator(AC, settings, {}, SECRET)
    with pytest.raises(AirbyteTracedException, match="Refused to follow a link"):
        signer(request)
    assert request.headers.get("Authorization") is None


@pytest.mark.parametrize("edge", ["evil.example/", "x@evil.example#", "a.b.c", "", "Dublin"])
def test_edge_that_is_none(edge: str) -> None:
    """BEHAVIOR 27: the name of an edge cannot lead to another host."""
    request = requests.PreparedRequest()
    request.prepare("GET", "https://api.twilio.com/")
    settings = {"account_sid": AC, "auth_token": SECRET}
    signer = TwilioAuthenticator(AC, settings, {}, SECRET, f".{edge}.ie1")
    with pytest.raises(AirbyteTracedException, match="is no host: check region and edge"):
        signer(request)
    assert request.headers.get("Authorization") is None


def test_settings_quote_no_secret() -> None:
    """What is wrong with the settings is said without their values."""
    wrong: list[Row] = [
        {"account_sid": SECRET, "auth_token": SECRET},
        {"account_sid": SECRET, "auth_token": AC},
        {"account_sid": AC, "credentials": {"auth_type": "api_key", "api_key_sid": SECRET}},
        {"account_sid": AC, "auth_token": SECRET, "account_sids": [SECRET]},
    ]
    assert [SECRET in problem(settings) for settings in wrong] == [False] * 4
    assert [problem(settings) == "" for settings in wrong] == [False] * 4
    assert problem({"account_sid": AC, "auth_token": SECRET}) == ""
    assert TWILIO_HOST.fullmatch("api.dublin.ie1.twilio.com") is not None


def test_basic_header_is_masked(some: None, twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 2: what signs a subaccount's request is masked before it is sent."""
    read(config(twilio), "alerts")
    account = twilio.accounts[1]
    header = b64encode(f"{account.sid}:{account.auth_token}".encode()).decode()
    assert filter_secrets(header) == "****"
