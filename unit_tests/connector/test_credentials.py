"""Every kind of credentials, against the embedded Twilio: what is read, asked and said."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections import Counter

import pytest
from airbyte_cdk.models import Level
from airbyte_cdk.sources.declarative.checks.check_stream import CHECK_STREAM_NAMES_CONFIG_KEY
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

from dev.docs import credential_matrix
from dev.soak.credential_cases import DOCUMENTED_CASES
from sandbox import Sandbox
from sandbox.streams import STREAMS
from source_twilio import SourceTwilio
from unit_tests.conftest import NOW
from unit_tests.support.access import ALL, SECRET, keyed, slept, with_key
from unit_tests.support.contract import (
    DAY,
    END,
    ROOT,
    Make,
    arrived,
    config,
    cursors,
    errors,
    opened,
    refusal,
    shown,
    sids,
    status,
    twilio,
)
from unit_tests.support.reading import check, logged, problems, read, records

__all__ = ["opened", "slept", "twilio"]


@pytest.mark.parametrize("kind", ["token", "main", "standard", "restricted", "none"])
def test_discover(kind: str, twilio: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """The catalog is the same with whatever credentials; what a key does not open is said (26)."""
    main = sids(twilio)[0]
    found = config(twilio)
    if kind in ("main", "standard", "restricted"):
        found = with_key(twilio, twilio.key(main, kind))  # type: ignore[arg-type]
    elif kind == "none":
        del found["auth_token"]
    catalog = SourceTwilio(config=found).discover(logging.getLogger("airbyte"), found)
    assert [stream.name for stream in catalog.streams] == ALL
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    wanted = {"standard": [f"{ONLY_OWN.format(main)}; nor may it read keys."]}
    if kind == "restricted":
        assert warnings[0].startswith("Stream accounts is not available: The API key may read no")
    else:
        assert warnings == wanted.get(kind, [])


def test_both_forms_of_the_token(twilio: Sandbox, clock: object) -> None:
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


def test_leftovers_of_the_other_choice(twilio: Sandbox, clock: object) -> None:
    """What is left of another choice, under credentials or at the top, is not used."""
    token = twilio.accounts[0].auth_token
    credentials = {"auth_type": "auth_token", "auth_token": token, "api_key_secret": SECRET}
    found = {**config(twilio), "credentials": credentials, "auth_token": SECRET}
    assert status(read(found, "queues"), "queues") == "COMPLETE"
    found = {**config(twilio), **keyed(twilio.key(sids(twilio)[0])), "auth_token": SECRET}
    assert status(read(found, "queues"), "queues") == "COMPLETE"


def test_token_that_looks_like_a_number(twilio: Sandbox, clock: object) -> None:
    """A token such as 1234e56 is sent as it is written."""
    token = "1" * 29 + "e12"
    twilio.update("accounts", sids(twilio)[0], auth_token=token)
    assert status(read(config(twilio), "queues"), "queues") == "COMPLETE"


ONLY_OWN = "accounts: this API key may not list accounts, so only account {} is read"


@pytest.mark.parametrize("opens", ["account", "subaccounts"])
def test_main_key(opens: str, opened: Make, clock: object) -> None:
    """BEHAVIOR 26: a Main key reads subaccounts where Twilio lets it, else skips them."""
    twilio = opened(main_keys_open=opens)
    main, *others = sids(twilio)
    output = read(with_key(twilio, twilio.key(main)), "accounts", "keys", "calls")
    visible = sids(twilio) if opens == "subaccounts" else [main]
    assert arrived(output, "accounts") == shown(twilio, "accounts")
    assert arrived(output, "calls") == shown(twilio, "calls", visible, since=NOW - 75 * DAY)
    assert arrived(output, "keys") == shown(twilio, "keys", visible)
    skipped = [] if opens == "subaccounts" else others
    # One line for each account, by whichever stream met it first.
    found = {re.sub("^(calls|keys): ", "calls: ", line) for line in problems(output)}
    assert found == {refusal("calls", account, 401) for account in skipped}
    assert {status(output, name) for name in ("accounts", "keys", "calls")} == {"COMPLETE"}


def test_standard_key(twilio: Sandbox, clock: object) -> None:
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
def test_restricted_key(not_permitted: tuple[int, int], opened: Make, clock: object) -> None:
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


def test_probe_that_fails(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 26: a list that fails while a key is tried is asked once, and named."""
    twilio.fail("Calls.json", 500)
    found = with_key(twilio, twilio.key(sids(twilio)[0], "standard"))
    output = read(found, "queues", "calls")
    assert {status(output, name) for name in ("queues", "calls")} == {"COMPLETE"}
    assert logged(output, Level.WARN) == [
        f"{ONLY_OWN.format(sids(twilio)[0])}; nor may it read keys; Twilio failed to say if it may "
        "read calls."
    ]


def test_only_failing_probes(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 26: where no list opens and some fail, the key is not blamed."""
    twilio.fail("Queues.json", 500, times=None)
    found = with_key(twilio, twilio.key(sids(twilio)[0], "restricted"))
    assert check(found) == (
        "FAILED",
        "'Stream accounts is not available: api.twilio.com returned HTTP 500 (application/json): "
        "try again later, and see https://status.twilio.com and the proxy, if there is one.'",
    )
    paths = Counter(request.path.rpartition("/")[2] for request in twilio.requests)
    assert (paths["Accounts.json"], paths["Queues.json"], paths.total()) == (3, 1, 3 + len(PROBED))


PROBES = dict(STREAMS["accounts"].retriever["probes"])
PROBED = [*PROBES]


def test_list_refused_midway(opened: Make, clock: object, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_token_of_a_subaccount(twilio: Sandbox, clock: object) -> None:
    """A subaccount's own token reads that account, and nothing is missing."""
    account = twilio.accounts[1]
    found = {**config(twilio), "account_sid": account.sid, "auth_token": account.auth_token}
    output = read(found, "accounts", "alerts", "keys")
    assert [row["sid"] for row in records(output, "accounts")] == [account.sid]
    assert arrived(output, "alerts") == shown(twilio, "alerts", [account.sid])
    assert arrived(output, "keys") == shown(twilio, "keys", [account.sid])
    assert problems(output) == []


@pytest.mark.parametrize(
    "number", range(len(DOCUMENTED_CASES)), ids=[case.name for case in DOCUMENTED_CASES]
)
def test_matrix(number: int) -> None:
    """BEHAVIOR 26: the table of docs/twilio.md is what happens, and each dash has its sentence."""
    found = credential_matrix.read(DOCUMENTED_CASES[number])
    page = (ROOT / "docs" / "twilio.md").read_text("utf-8")
    written = {name: row[number] for name, row in credential_matrix.cells(page).items()}
    assert written.pop("Streams") == DOCUMENTED_CASES[number].name
    assert written == found.cells
    closed = {name for name, cell in found.cells.items() if cell == "-"}
    assert closed == DOCUMENTED_CASES[number].refused_streams
    explained = {
        name
        for sentence, streams in found.sentences.items()
        for name in streams
        if sentence.startswith("these credentials may not read it (HTTP 401, code ")
    }
    assert explained == closed


def test_probes_are_lists_of_streams() -> None:
    """BEHAVIOR 26: a key is tried on lists of the 2010 API, and on one of the product APIs."""
    account = "https://api.twilio.com/2010-04-01/Accounts/{account_sid}/"
    assert {name: STREAMS[name].url.removeprefix(account) for name in PROBED} == PROBES
    assert [name for name in PROBED if STREAMS[name].of_product_api] == ["alerts"]


def test_basic_header_is_masked(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 2: what signs a subaccount's request is masked before it is sent."""
    read(config(twilio), "alerts")
    account = twilio.accounts[1]
    header = b64encode(f"{account.sid}:{account.auth_token}".encode()).decode()
    assert filter_secrets(header) == "****"
