"""The messages and calls of an account: outcomes, phone numbers and prices."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import NamedTuple


class Message(NamedTuple):
    """The outcome of a message: whether it has a `date_sent` and a price, and its error code."""

    status: str
    direction: str
    sent: bool
    priced: bool
    error: int | None = None


class Call(NamedTuple):
    """The outcome of a call: whether it has a `start_time` and an `end_time`."""

    status: str
    started: bool
    ended: bool


LIVE_MESSAGES = [
    Message(status, "outbound-api", sent=False, priced=False)
    for status in ("scheduled", "accepted", "queued", "sending")
]
DELIVERED = Message("delivered", "outbound-api", sent=True, priced=True)
RECEIVED = Message("received", "inbound", sent=True, priced=True)
UNREACHABLE = Message("undelivered", "outbound-reply", True, True, 30003)
FILTERED = Message("failed", "outbound-api", False, False, 30007)
UNKNOWN = Message("failed", "outbound-api", True, True, 30005)
SENT = Message("sent", "outbound-call", sent=True, priced=False)
CANCELED = Message("canceled", "outbound-api", sent=False, priced=False)
# Each once, then with these weights.
MESSAGES = [DELIVERED, RECEIVED, FILTERED, CANCELED, UNREACHABLE, SENT, UNKNOWN]
WEIGHTS = [58, 35, 2, 1, 2, 1, 1]
ERRORS = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30007: "Carrier violation",
    11200: "HTTP retrieval failure",
}

LIVE_CALLS = [
    Call("queued", started=False, ended=False),
    Call("ringing", started=False, ended=False),
    Call("in-progress", started=True, ended=False),
]
CALLS = [
    Call("completed", started=True, ended=True),
    Call("busy", started=True, ended=True),
    Call("failed", started=False, ended=False),
    Call("no-answer", started=True, ended=False),
    Call("canceled", started=False, ended=False),
    Call("no-answer", started=True, ended=True),
    *[Call("completed", started=True, ended=True)] * 14,
]

# Prefixes that are reserved for examples; the number of digits that follow; the weight.
PHONES = {
    "+1212555": (4, 60),
    "+447700900": (3, 20),
    "+3363998": (4, 10),
    "+61491570": (3, 6),
    "+467017406": (2, 4),
}


def outcome(number: int, rng: random.Random) -> Message:
    """Return the outcome of a message; the first ones are all different."""
    if number < len(LIVE_MESSAGES):
        return LIVE_MESSAGES[number]
    number -= len(LIVE_MESSAGES)
    return MESSAGES[number] if number < len(MESSAGES) else rng.choices(MESSAGES, WEIGHTS)[0]


def random_phone(rng: random.Random) -> str:
    """Return a phone number of a customer."""
    [prefix] = rng.choices([*PHONES], [weight for _, weight in PHONES.values()])
    digits = PHONES[prefix][0]
    return f"{prefix}{rng.randrange(10**digits):0{digits}}"


def format_phone(phone: str) -> str:
    """Return a US phone number in the national format; others as they are."""
    is_us = phone.startswith("+1")
    return f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}" if is_us else phone


def message_price(outcome: Message, to: str, media: int) -> str | None:
    """Return the price of a message of one segment."""
    if not outcome.priced:
        return None
    if media:
        return "-0.02000"
    return "-0.00790" if to.startswith("+1") or outcome.direction == "inbound" else "-0.04630"


def call_price(inbound: bool, to: str, seconds: int) -> str:
    """Return the price of a call, by started minutes."""
    per_minute = "0.0085" if inbound else "0.0140" if to.startswith("+1") else "0.0470"
    return price_by_minute(per_minute, seconds)


def price_by_minute(price: str, seconds: int) -> str:
    """Return the price of the started minutes, as Twilio writes it."""
    return f"{-Decimal(price) * -(-seconds // 60):.5f}"
