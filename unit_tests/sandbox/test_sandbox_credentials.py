"""Who may ask the sandbox for what."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from sandbox import Key, Sandbox
from sandbox.api import Account
from unit_tests.support.sandbox_client import (
    HOSTS,
    PARTS,
    get,
    named,
    refusal,
)


def test_credentials(twilio: Sandbox) -> None:
    """The main token opens all accounts but the closed one, a subaccount's only its own."""
    codes = {}
    for user in (0, 1, 5):
        for target in (0, 1, 4, 5):
            path = f"/2010-04-01/Accounts/{twilio.accounts[target].sid}/Keys.json"
            codes[user, target] = get(twilio, path, number=user).status_code
    opened = {pair for pair, status in codes.items() if status == 200}
    assert (opened, set(codes.values())) == ({(0, 0), (0, 1), (0, 4), (1, 1)}, {200, 401})
    account, url = twilio.accounts[0], f"{HOSTS['api']}/2010-04-01/Accounts.json"
    for auth in (None, ("", ""), (account.sid, "wrong"), ("AC0", account.auth_token)):
        response = requests.get(url, auth=auth, timeout=60)
        more = "https://www.twilio.com/docs/errors/20003"
        assert response.json() == {
            "code": 20003,
            "message": "Authenticate",
            "more_info": more,
            "status": 401,
        }
    with pytest.raises(TwilioException, match="20003"):
        Client(account.sid, "wrong").calls.list()


# Who asks, and the code for each of PATHS; none is an answer.
PATHS = ("Accounts", "main", "sub", "main/Calls", "main/Keys", "sub/Calls", "/v1/Alerts")
OPENED: dict[str, list[int | None]] = {
    "token": [None] * 7,
    "main": [None, None, 20003, None, None, 20003, None],
    "main that opens subaccounts": [None] * 7,
    "standard": [20003, 20003, 20003, None, 20003, 20003, None],
    "restricted": [70051, 70051, 20003, None, 70051, 20003, 70051],
    "restricted to alerts": [70051, 70051, 20003, 70051, 70051, 20003, None],
    "test": [20008] * 7,
    "sub token": [None, 20003, None, 20003, 20003, None, None],
    "sub main": [None, 20003, None, 20003, 20003, None, None],
    "sub standard": [20003, 20003, 20003, 20003, 20003, None, None],
}


def holder(twilio: Sandbox, name: str) -> Account | Key:
    """Return the credentials that OPENED calls by a name."""
    main, sub, *_ = twilio.accounts
    account = sub if name.startswith("sub ") else main
    kind: Any = name.removeprefix("sub ").split()[0]
    if kind == "token":
        return account
    streams = {"restricted": ("calls",), "restricted to alerts": ("alerts",)}.get(name, ())
    if name == "main that opens subaccounts":
        twilio.main_keys_open = "subaccounts"
    return twilio.key(account.sid, kind, streams)


@pytest.mark.parametrize("name", OPENED)
def test_kinds_of_credentials(twilio: Sandbox, name: str) -> None:
    """What each kind opens: to a subaccount's credentials nothing but that subaccount."""
    main, sub, *_ = twilio.accounts
    who, found = holder(twilio, name), []
    for path in PATHS:
        if path[0] != "/":
            path = path.replace("main", f"Accounts/{main.sid}").replace(
                "sub", f"Accounts/{sub.sid}"
            )
            path = f"/2010-04-01/{path}.json"
        found.append(refusal(get(twilio, path, who=who)))
    status = {None: 200, 20003: 401, 70051: 401, 20008: 403}
    assert found == [(status[code], code) for code in OPENED[name]]
    assert {request[-2:] for request in twilio.requests} == {
        (sub.sid if name.startswith("sub ") else main.sid, who.sid)
    }


def test_refusals_of_keys(twilio: Sandbox) -> None:
    """What a restricted key, whose refusal is a setting, test credentials and a revoked key say."""
    sid = twilio.accounts[0].sid
    key, test = twilio.key(sid, "restricted"), twilio.key(sid, "test")
    said = []
    for who, code in ((key, None), (key, (403, 20403)), (test, None)):
        twilio.not_permitted = code or twilio.not_permitted
        body = get(twilio, "Calls", who=who).json()
        said.append((body["status"], body["code"], body["message"]))
    twilio.revoke(key)
    body = get(twilio, "Calls", who=key).json()
    assert [*said, (body["status"], body["code"], body["message"])] == [
        (401, 70051, "Authorization Failed"),
        (403, 20403, "Forbidden"),
        (403, 20008, "Resource not accessible with Test Account Credentials"),
        (401, 20003, "Authenticate"),
    ]
    listed = key.sid in [row["sid"] for row in twilio.rows("keys", sid)]
    assert (key.sid[:2], test.sid[:2], listed) == ("SK", "AC", False)
    with pytest.raises(ValueError, match="us1 only"):
        twilio.key(sid, "restricted", region="ie1")


@pytest.mark.parametrize("kind", ["token", "main", "standard"])
def test_credentials_act_for_their_account(twilio: Sandbox, kind: Any) -> None:
    """Each account has alerts of its own, which only its own token or key shows."""
    seen: dict[str, str] = {}
    for account in twilio.accounts[:-1]:
        who = account if kind == "token" else twilio.key(account.sid, kind)
        client = Client(who[0], who[1], account.sid)
        for part in ("alerts", "calls"):
            found = PARTS[part](client).list(page_size=50)
            assert named(found) == named(twilio.rows(part, account.sid))
            seen |= {row.sid: row.account_sid for row in found}
        if kind != "standard":
            listed = {row.sid for row in client.api.accounts.list()}
            whole = account == twilio.accounts[0]
            assert listed == {a.sid for a in twilio.accounts if whole or a == account}
    counts = [len(twilio.rows(p, a.sid)) for a in twilio.accounts[:-1] for p in ("alerts", "calls")]
    assert (min(counts) > 0, sum(counts)) == (True, len(seen))
    assert set(seen.values()) == {account.sid for account in twilio.accounts[:-1]}


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, 20003, "Authenticate"),
        (403, 20005, "Account not active"),
        (403, 20403, "Forbidden"),
    ],
)
def test_main_account_suspended(twilio: Sandbox, status: int, code: int, message: str) -> None:
    """It takes all credentials with it, those of its subaccounts too."""
    names = ("token", "main", "standard", "restricted", "test", "sub token", "sub main")
    holders = [holder(twilio, name) for name in names]
    twilio.restrict(twilio.accounts[0].sid, status, code)
    for who in holders:
        for path in ("/2010-04-01/Accounts.json", "/v1/Alerts"):
            body = get(twilio, path, who=who).json()
            assert (body["status"], body["code"], body["message"]) == (status, code, message)
    twilio.restrict(twilio.accounts[0].sid, None)
    assert get(twilio, "Calls").status_code == 200


def test_restrict(twilio: Sandbox) -> None:
    """An account can be barred, and let in again."""
    path = f"/2010-04-01/Accounts/{twilio.accounts[1].sid}/Calls.json"
    seen = []
    for status in (403, None):
        twilio.restrict(twilio.accounts[1].sid, status, 20006)
        seen.append(get(twilio, path).json().get("code"))
    assert seen == [20006, None]
    assert get(twilio, f"/2010-04-01/Accounts/{twilio.accounts[5].sid}.json").json()["status"] == (
        "closed"
    )
