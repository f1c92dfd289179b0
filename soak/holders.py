"""Whose credentials the connector has, and how Twilio reads its filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sandbox import Sandbox
from sandbox.streams import STREAMS
from soak.warehouse import Row

PACKAGE = Path(__file__).parents[1] / "source_twilio"


class Holder(NamedTuple):
    """Whose credentials the connector has, with which settings, and what these show (BEHAVIOR 26).

    Accounts are given as slices of all that there are, the main one first.
    """

    name: str
    config: Callable[[Sandbox], Row]
    reads: slice = slice(None)
    # Of the stream accounts; None where the list is refused, and the SID is all that is known.
    lists: slice | None = slice(None)
    alerts: slice | None = None
    # Streams that are refused.
    blind: frozenset[str] = frozenset()
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
    """Return a configuration with the token of an account, the main one being 0."""

    def config(twilio: Sandbox) -> Row:
        account = twilio.accounts[number]
        pair = {"account_sid": account.sid, "auth_token": account.auth_token}
        return {**twilio.config, **pair, **settings}

    return config


def listed(twilio: Sandbox) -> Row:
    """Return a configuration of two subaccounts out of all."""
    chosen = [account.sid for account in twilio.accounts[1:3]]
    return {**twilio.config, "account_selection": "listed", "account_sids": chosen}


GRANTED = ("calls", "messages", "message_media")


OWN, SECOND, LISTED = slice(0, 1), slice(1, 2), slice(1, 3)
HOLDERS = [
    Holder("Auth Token", token()),
    Holder(
        "Main key that opens subaccounts", key("main"), sandbox={"main_keys_open": "subaccounts"}
    ),
    # What Twilio tells of the subaccounts' tokens it tells every holder of the list.
    Holder("Main key that does not", key("main"), OWN, product_apis=slice(None)),
    Holder("Standard key", key("standard"), OWN, None, blind=frozenset({"keys"})),
    Holder(
        *("Restricted key for calls and messages", key("restricted", *GRANTED), OWN, None),
        blind=frozenset(STREAMS) - {"accounts", *GRANTED},
    ),
    Holder("Auth Token of a subaccount", token(1), SECOND, SECOND),
    Holder(
        *("Auth Token in ie1", token(region="ie1")),
        sandbox={"region": "ie1", "links_host": "monitor.twilio.com"},
    ),
    Holder("Auth Token, two accounts listed", listed, LISTED, LISTED),
]


class Reading(NamedTuple):
    """How Twilio reads filters where it does not say (BEHAVIOR 1, 6), and what it has rolled out.

    The fields are settings of the sandbox, which explains them.
    """

    upper_bound: str
    null_dates: str
    time_of_day: bool
    conferences_without_status: str
    conference_dates: str


# The dates of conferences are days and never null, so their two readings need no histories of their
# own. The first history has the strictest readings, the last the laxest.
READINGS = [
    Reading(upper_bound, null_dates, time_of_day, without_status, conference_dates)
    for upper_bound in ("exclusive", "inclusive")
    for null_dates, without_status in (("hidden", "in-progress"), ("shown", "all"))
    for time_of_day, conference_dates in ((True, "combined"), (False, "ignored"))
]
