"""Whose credentials the connector has, and which accounts and streams these show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dev.soak.streams import Row
from sandbox import Sandbox
from sandbox.streams import STREAMS

PACKAGE = Path(__file__).parents[2] / "source_twilio"


class Holder(NamedTuple):
    """Whose credentials the connector has, and what these show (BEHAVIOR 26).

    A slice stands for accounts. It selects from the list of all accounts; the main one comes first.
    """

    name: str
    # Makes the connector's configuration.
    config: Callable[[Sandbox], Row]
    # The accounts whose rows are read.
    reads: slice = slice(None)
    # The rows of the stream `accounts`. None: Twilio refuses the list, and only the SID is known.
    lists: slice | None = slice(None)
    # The accounts whose lists of product APIs are read (BEHAVIOR 14). None: the same as `reads`.
    product_apis: slice | None = None
    # The number of the configured account.
    own: int = 0
    # The streams that Twilio refuses.
    blind: frozenset[str] = frozenset()
    # Settings of the sandbox.
    sandbox: Mapping[str, Any] = {}


def key(kind: Any, *streams: str) -> Callable[[Sandbox], Row]:
    """Return a configuration of the main account with an API key."""

    def config(twilio: Sandbox) -> Row:
        made = twilio.key(twilio.accounts[0].sid, kind, streams)
        secret = {"api_key_sid": made.sid, "api_key_secret": made.secret}
        given = {k: v for k, v in twilio.config.items() if k != "auth_token"}
        return {**given, "credentials": {"auth_type": "api_key", **secret}}

    return config


def token(number: int = 0, **settings: Any) -> Callable[[Sandbox], Row]:
    """Return a configuration with the Auth Token of an account. The main account is number 0."""

    def config(twilio: Sandbox) -> Row:
        account = twilio.accounts[number]
        pair = {"account_sid": account.sid, "auth_token": account.auth_token}
        return {**twilio.config, **pair, **settings}

    return config


def listed(twilio: Sandbox) -> Row:
    """Return a configuration of two subaccounts out of all."""
    chosen = [account.sid for account in twilio.accounts[1:3]]
    return {**twilio.config, "account_selection": "listed", "account_sids": chosen}


OWN, SECOND, LISTED = slice(0, 1), slice(1, 2), slice(1, 3)
GRANTED = ("calls", "messages", "message_media")
HOLDERS = [
    Holder("Auth Token", token()),
    Holder(
        "Main key that opens subaccounts", key("main"), sandbox={"main_keys_open": "subaccounts"}
    ),
    # Whoever may list the accounts gets their tokens, which open the product APIs (BEHAVIOR 14).
    Holder("Main key that does not", key("main"), OWN, product_apis=slice(None)),
    Holder("Standard key", key("standard"), OWN, None, blind=frozenset({"iam_keys", "keys"})),
    Holder(
        *("Restricted key for calls and messages", key("restricted", *GRANTED), OWN, None),
        blind=frozenset(STREAMS) - {"accounts", *GRANTED},
    ),
    Holder("Auth Token of a subaccount", token(1), SECOND, SECOND, own=1),
    Holder(
        *("Auth Token in ie1", token(region="ie1")),
        sandbox={"region": "ie1", "links_host": "monitor.twilio.com"},
    ),
    Holder("Auth Token, two accounts listed", listed, LISTED, LISTED),
]
