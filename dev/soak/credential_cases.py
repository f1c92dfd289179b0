"""The kinds of credentials, and the accounts and streams that each can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dev.soak.streams import Row
from sandbox import Sandbox
from sandbox.streams import STREAMS

PACKAGE = Path(__file__).parents[2] / "source_twilio"


class CredentialCase(NamedTuple):
    """Credentials, and what they can read (BEHAVIOR 26).

    A slice selects from the list of all accounts; the main account comes first.
    """

    name: str
    # Returns the connector's config.
    config: Callable[[Sandbox], Row]
    # The accounts whose rows are read.
    reads: slice = slice(None)
    # The rows of the stream `accounts`. None: Twilio refuses the list, only the SID is known.
    lists: slice | None = slice(None)
    # The accounts whose lists of product APIs are read (BEHAVIOR 14). None: the same as `reads`.
    product_apis: slice | None = None
    # The index of the configured account.
    own: int = 0
    # The streams that Twilio refuses.
    refused_streams: frozenset[str] = frozenset()
    sandbox_settings: Mapping[str, Any] = {}


def key(kind: Any, *streams: str) -> Callable[[Sandbox], Row]:
    """Return the config of the main account with an API key."""

    def config(twilio: Sandbox) -> Row:
        created = twilio.key(twilio.accounts[0].sid, kind, streams)
        secret = {"api_key_sid": created.sid, "api_key_secret": created.secret}
        return with_credentials(twilio, "api_key", secret)

    return config


def oauth_app(*streams: str) -> Callable[[Sandbox], Row]:
    """Return the config of the main account with an OAuth app."""

    def config(twilio: Sandbox) -> Row:
        created = twilio.key(twilio.accounts[0].sid, "oauth", streams, token_seconds=60)
        secret = {"client_id": created.sid, "client_secret": created.secret}
        return with_credentials(twilio, "oauth", secret)

    return config


def with_credentials(twilio: Sandbox, auth_type: str, secret: Row) -> Row:
    """Return the config of the main account with these credentials instead of the token."""
    config = {k: v for k, v in twilio.config.items() if k != "auth_token"}
    return {**config, "credentials": {"auth_type": auth_type, **secret}}


def token(number: int = 0, **settings: Any) -> Callable[[Sandbox], Row]:
    """Return the config with the Auth Token of an account; the main account is number 0."""

    def config(twilio: Sandbox) -> Row:
        account = twilio.accounts[number]
        credentials = {"account_sid": account.sid, "auth_token": account.auth_token}
        return {**twilio.config, **credentials, **settings}

    return config


def listed(twilio: Sandbox) -> Row:
    """Return a config that selects two subaccounts."""
    selected = [account.sid for account in twilio.accounts[1:3]]
    return {**twilio.config, "account_selection": "listed", "account_sids": selected}


OWN, SECOND, LISTED = slice(0, 1), slice(1, 2), slice(1, 3)
GRANTED = ("calls", "messages", "message_media")
CASES = [
    CredentialCase("Auth Token", token()),
    CredentialCase(
        "Main key that opens subaccounts",
        key("main"),
        sandbox_settings={"main_keys_open": "subaccounts"},
    ),
    # The list of accounts has their Auth Tokens, which the product APIs accept (BEHAVIOR 14).
    CredentialCase("Main key that does not", key("main"), OWN, product_apis=slice(None)),
    CredentialCase(
        "Standard key", key("standard"), OWN, None, refused_streams=frozenset({"iam_keys", "keys"})
    ),
    CredentialCase(
        *("Restricted key for calls and messages", key("restricted", *GRANTED), OWN, None),
        refused_streams=frozenset(STREAMS) - {"accounts", *GRANTED},
    ),
    CredentialCase("Auth Token of a subaccount", token(1), SECOND, SECOND, own=1),
    CredentialCase(
        *("Auth Token in ie1", token(region="ie1")),
        sandbox_settings={"region": "ie1", "links_host": "monitor.twilio.com"},
    ),
    CredentialCase("Auth Token, two accounts listed", listed, LISTED, LISTED),
]
# Those of the table in docs/twilio.md. An OAuth app reads what a restricted key does.
DOCUMENTED_CASES = [
    *CASES,
    CredentialCase(
        *("OAuth app for calls and messages", oauth_app(*GRANTED), OWN, None),
        refused_streams=frozenset(STREAMS) - {"accounts", *GRANTED},
    ),
]
