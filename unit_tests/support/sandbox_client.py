"""Asks the sandbox as a client of Twilio does: with Twilio's own client and with requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

import requests
from twilio.rest import Client  # type: ignore[import-untyped]

from sandbox import Key, Sandbox
from sandbox.api import Account

NOON = datetime(2024, 6, 15, 12, tzinfo=timezone.utc)
HOSTS = {"api": "https://api.twilio.com", "monitor": "https://monitor.twilio.com"}
PARTS = {
    "accounts": lambda client: client.api.accounts,
    "addresses": lambda client: client.addresses,
    "alerts": lambda client: client.monitor.v1.alerts,
    "applications": lambda client: client.applications,
    "available_phone_number_countries": lambda client: client.available_phone_numbers,
    "calls": lambda client: client.calls,
    "conferences": lambda client: client.conferences,
    "incoming_phone_numbers": lambda client: client.incoming_phone_numbers,
    "keys": lambda client: client.keys,
    "messages": lambda client: client.messages,
    "outgoing_caller_ids": lambda client: client.outgoing_caller_ids,
    "queues": lambda client: client.queues,
    "recordings": lambda client: client.recordings,
    "transcriptions": lambda client: client.transcriptions,
    "usage_records": lambda client: client.usage.records.daily,
    "usage_triggers": lambda client: client.usage.triggers,
}
CHILDREN: dict[str, tuple[str, Callable[[Client, str], Any]]] = {
    "available_phone_numbers_local": (
        "available_phone_number_countries",
        lambda client, code: client.available_phone_numbers(code).local,
    ),
    "available_phone_numbers_mobile": (
        "available_phone_number_countries",
        lambda client, code: client.available_phone_numbers(code).mobile,
    ),
    "available_phone_numbers_toll_free": (
        "available_phone_number_countries",
        lambda client, code: client.available_phone_numbers(code).toll_free,
    ),
    "conference_participants": (
        "conferences",
        lambda client, sid: client.conferences(sid).participants,
    ),
    "dependent_phone_numbers": (
        "addresses",
        lambda client, sid: client.addresses(sid).dependent_phone_numbers,
    ),
    "message_media": ("messages", lambda client, sid: client.messages(sid).media),
}


def client_of(twilio: Sandbox, number: int = 0) -> Client:
    """Return Twilio's client with the credentials of an account."""
    account = twilio.accounts[number]
    return Client(account.sid, account.auth_token)


def get(
    twilio: Sandbox,
    path: str,
    query: Mapping[str, Any] | None = None,
    number: int = 0,
    who: Account | Key | None = None,
    place: str = "",
) -> requests.Response:
    """Ask for a URL, or for a path, which begins with a slash or stands below the main account."""
    if path[0] != "/" and not path.startswith("https:"):
        path = f"/2010-04-01/Accounts/{twilio.accounts[0].sid}/{path}.json"
    host = f"{'monitor' if path.startswith('/v1/') else 'api'}{place}.twilio.com"
    url = path if path.startswith("https:") else f"https://{host}{path}"
    auth = (who or twilio.accounts[number])[:2]
    return requests.get(url, params=query, auth=auth, timeout=60)


def follow(twilio: Sandbox, link: str) -> Any:
    """Return what a link leads to."""
    return requests.get(link, auth=twilio.accounts[0][:2], timeout=60).json()


def refusal(response: requests.Response) -> tuple[int, int | None]:
    """Return status and code of an error."""
    return response.status_code, response.json().get("code")


def named(rows: Any) -> list[tuple[Any, ...]]:
    """Return what tells rows apart, for rows of the wire and objects of the client alike."""
    names = ("sid", "call_sid", "phone_number", "country_code", "category", "start_date")
    read = [row if isinstance(row, dict) else vars(row) for row in rows]
    return [tuple(str(row.get(name)) for name in names) for row in read]
