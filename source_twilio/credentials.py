"""Who signs which request, what the credentials open, and what a process learns of them."""

import json
import re
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.auth.token import BasicHttpAuthenticator
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString

from source_twilio.dates import to_text
from source_twilio.errors import LOGGER, body_of, code_of, error
from source_twilio.rows import mask, read_page
from source_twilio.skipped import Skipped


class Throttle:
    """Lets as many requests of an account be under way as Twilio lets through (BEHAVIOR 22).

    Why not YAML: the CDK's api_budget counts requests by time, and Twilio those that run at once,
    against a limit that it does not publish. A `with` block holds one place, also while a request
    waits to be sent again. Places are added as answers come in, quickly until the first 429, then
    slowly, and each 429 takes one away.
    """

    def __init__(self) -> None:
        """Begin with the places that the default number of workers needs."""
        self._changed = threading.Condition()
        self._places = 5
        self._taken = 0
        self._answers = 0
        self._answers_per_place = 2

    def __enter__(self) -> None:
        """Wait for a place, and take it."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken < self._places)
            self._taken += 1

    def __exit__(self, *_: object) -> None:
        """Give the place back."""
        with self._changed:
            self._taken -= 1
            self._changed.notify()

    def learn(self, status: int) -> None:
        """Take note of the status of a response."""
        with self._changed:
            if status == requests.codes.too_many_requests:
                self._places = max(1, self._places - 1)
                self._answers, self._answers_per_place = 0, 100
            # What was not used to the full says nothing of what more would do.
            elif self._taken >= self._places:
                self._answers += 1
                if self._answers >= self._answers_per_place:
                    self._places += 1
                    self._answers = 0
                    self._changed.notify()


# The account whose list a thread is asking for: an authenticator sees nothing but the request.
ASKED: ContextVar[str] = ContextVar("ASKED", default="")

ACCOUNT_SID = re.compile("AC[0-9a-fA-F]{32}")
API_KEY_SID = re.compile("SK[0-9a-fA-F]{32}")
# The product, and where it is asked: nothing, an edge and a region, or one of the two (27).
TWILIO_HOST = re.compile(r"([a-z0-9-]+)(?:\.[a-z0-9-]+){0,2}\.twilio\.com(?::443)?", re.ASCII)


@contextmanager
def asking_for(account: str) -> Iterator[None]:
    """Sign what this thread sends for the account."""
    before = ASKED.set(account)
    try:
        yield
    finally:
        ASKED.reset(before)


@dataclass
class Known:
    """What this process has learnt with one set of credentials. It is kept in memory only."""

    # The subaccounts' own tokens, by their SIDs (BEHAVIOR 2, 14).
    tokens: dict[str, str] = field(default_factory=dict)
    # Whether Twilio has answered anything, if only with an error.
    answered: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    # The credentials may not list the accounts, but they open the configured one (BEHAVIOR 26).
    own_account_only: bool = False
    # They open nothing, why, and since when.
    refused: str = ""
    refused_at: float = 0.0
    said: set[str] = field(default_factory=set)
    throttle: Throttle = field(default_factory=Throttle)
    skipped: Skipped = field(default_factory=Skipped)
    num_workers: int = 5
    # How many slices are being read.
    readers: int = 0
    # What the state of a stream and account says to warn of, once the account has been read.
    gaps: dict[tuple[str, str], str] = field(default_factory=dict)

    @contextmanager
    def reading(self, slices: int = 1) -> Iterator[None]:
        """Count a slice as being read; or, with -1, as waiting for another."""
        with self.lock:
            self.readers += slices
        try:
            yield
        finally:
            with self.lock:
                self.readers -= slices

    def still_refused(self) -> str:
        """Return why they open nothing; a minute later, in a server perhaps, they may again."""
        return self.refused if time.monotonic() - self.refused_at < 60 else ""

    def warn(self, message: str) -> None:
        """Log a warning that every stream has reason to give, once."""
        with self.lock:
            if message not in self.said:
                LOGGER.warning(message)
            self.said.add(message)


def known(config: Mapping[str, Any]) -> Known:
    """Return what all streams know that are read with the credentials of a configuration."""
    return known_to(json.dumps([config.get(name) for name in CREDENTIALS], sort_keys=True))


CREDENTIALS = ("account_sid", "auth_token", "credentials", "region", "edge")


@lru_cache(maxsize=256)
def known_to(credentials: str) -> Known:
    """Return the same object for the same credentials."""
    return Known()


@dataclass
class TwilioAuthenticator(BasicHttpAuthenticator):
    """HTTP Basic that goes to Twilio's hosts only and keeps every token out of what is stored.

    Why not YAML: the CDK caches parent responses on disk and logs bodies at DEBUG. A hook on the
    request is the only place that sees a response before either does, and the account list carries
    the live `auth_token` of every subaccount (BEHAVIOR 2). No authenticator of the CDK's signs the
    requests for a subaccount with that token (14), or sends links to the configured region (27).
    """

    # What stands between the product and `.twilio.com` in the name of a host.
    place: InterpolatedString | str = ""

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Interpolate once: every request asks for it, some of them twice."""
        super().__post_init__(parameters)
        place = InterpolatedString.create(self.place, parameters=parameters)
        self._place = str(place.eval(self.config))
        # As text: the CDK would take a token like 123e4 for a number.
        user = self._username.eval(self.config, valid_types=(str,))
        self._basic = basic(user, self._password.eval(self.config, valid_types=(str,)))

    def __call__(self, request: requests.PreparedRequest) -> Any:
        """Address the request to the region, and sign it; raise where it must not be sent."""
        if wrong := problem(self.config):
            raise error(wrong, FailureType.config_error)
        url = urlsplit(str(request.url))
        host = self._host(url)
        request.url = url._replace(netloc=host).geturl()
        signature = self._signature(host)
        mask(signature.removeprefix("Basic "))
        # A retry signs the same request again.
        if self.receive not in request.hooks["response"]:
            request.hooks["response"].append(self.receive)
        request.headers[self.auth_header] = signature
        return request

    @property
    def token(self) -> str:
        """Return the header of the configured credentials."""
        return self._basic

    def _host(self, url: SplitResult) -> str:
        """Return the host of the same product in the configured region (BEHAVIOR 11, 27)."""
        twilio = TWILIO_HOST.fullmatch(url.netloc.lower())
        if url.scheme != "https" or not twilio:
            raise error(
                f"Refused to follow a link to {url.scheme}://{url.hostname}: credentials go to "
                "Twilio's hosts only, and encrypted.",
                FailureType.system_error,
            )
        host = f"{twilio[1]}{self._place}.twilio.com"
        if not TWILIO_HOST.fullmatch(host):
            raise error(f"{host} is no host: check region and edge.", FailureType.config_error)
        return host

    def _signature(self, host: str) -> str:
        """Return the header of the account that a thread asks for (BEHAVIOR 14)."""
        account = ASKED.get()
        if host.startswith("api.") or account in ("", self.config["account_sid"]):
            return self.token
        token = known(self.config).tokens.get(account)
        if not token:
            raise error(f"No token of account {account} is known, and {host} wants one.")
        return basic(account, token)

    def receive(self, response: requests.Response, **_: Any) -> None:
        """Take note of a response before anything else sees it."""
        known(self.config).answered = True
        known(self.config).throttle.learn(response.status_code)
        read_page(response, known(self.config).tokens)


def basic(user: str, password: str) -> str:
    """Return the header of HTTP Basic."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def has_key(config: Mapping[str, Any]) -> bool:
    """Return whether the credentials are an API key."""
    return bool((config.get("credentials") or {}).get("auth_type") == "api_key")


def problem(config: Mapping[str, Any]) -> str:
    """Return what is wrong with settings that fit the spec, or nothing; quote no credentials."""
    given = config.get("credentials") or {"auth_token": config.get("auth_token")}
    key, token = has_key(config), str(given.get("auth_token") or "")
    sid, key_sid = str(config["account_sid"]), str(given.get("api_key_sid") or "")
    listed = config.get("account_sids") or []
    if not ACCOUNT_SID.fullmatch(sid):
        if ACCOUNT_SID.fullmatch(token):
            return "account_sid and auth_token are swapped: the one that starts with AC is the SID."
        if API_KEY_SID.fullmatch(sid):
            return "account_sid must start with AC: an API key (SK...) goes into credentials."
        return "account_sid must be AC and 32 hexadecimal digits, as the Twilio Console shows it."
    if key and not API_KEY_SID.fullmatch(key_sid):
        if API_KEY_SID.fullmatch(str(given.get("api_key_secret"))):
            return "api_key_sid and api_key_secret are swapped: the one with SK is the SID."
        return "api_key_sid must be SK and 32 hexadecimal digits, as the Twilio Console shows it."
    if key and not given.get("api_key_secret"):
        return "api_key_secret is missing: Twilio shows it once only, so make a new key if need be."
    if not key and not token:
        return "Set credentials: the Auth Token of account_sid, or an API key and its secret."
    if config.get("account_selection") == "listed" and not listed:
        return "account_sids is empty: list the accounts to read, or set account_selection to all."
    for number, account in enumerate(listed, 1):
        if not ACCOUNT_SID.fullmatch(str(account)):
            return f"Entry {number} of account_sids must be AC and 32 hexadecimal digits."
    now = to_text(datetime.now(timezone.utc))
    if (start := str(config.get("start_date") or "")) > now:
        return f"start_date {start} is in the future, for it is {now}: set it to a past moment."
    return ""


TEST_CREDENTIALS = {20008}
NOT_ACTIVE = {20005, 10001, 90010}
NO_PERMISSION = {70051, 20403}
HOPELESS = TEST_CREDENTIALS | NOT_ACTIVE


def refusal(response: requests.Response, config: Mapping[str, Any]) -> str:
    """Return what to change where the credentials open nothing (BEHAVIOR 28)."""
    code, said = body_of(response).get("code"), f"({code_of(response)})"
    region = config.get("region") or "us1"
    if code in TEST_CREDENTIALS:
        return f"These are test credentials {said}: take the live Account SID and Auth Token."
    if code in NOT_ACTIVE:
        return f"The account of account_sid is not active {said}: have Twilio reactivate it."
    if code in NO_PERMISSION:
        return (
            f"The API key may read nothing that the connector reads {said}: give it permissions to "
            "read, or take a Main key or the Auth Token."
        )
    if has_key(config):
        return (
            f"Twilio refused the API key {said}: check that api_key_secret is that of api_key_sid, "
            f"and that the key belongs to account_sid and to region {region} and is not revoked."
        )
    return (
        f"Twilio refused account_sid and auth_token {said}: take the current Auth Token of that "
        f"account in region {region}; the account must be active."
    )


def may_not_read(response: requests.Response, config: Mapping[str, Any]) -> str:
    """Return what to do about a list that the credentials do not open (BEHAVIOR 26)."""
    advice = "use the Auth Token or a Main API key" if has_key(config) else "ask Twilio why"
    if body_of(response).get("code") in NO_PERMISSION:
        advice = "give them the permission"
    return (
        f"these credentials may not read it ({code_of(response)}): {advice}, or deselect the stream"
    )
