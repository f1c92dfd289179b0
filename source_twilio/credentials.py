"""Who signs which request, what the credentials open, and what a source learns while it lives."""

import re
import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.auth.token import BasicHttpAuthenticator
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString

from source_twilio.errors import LOGGER, body_of, code_of, describe, error
from source_twilio.rows import mask, read_page
from source_twilio.settings import PROBLEM, has_key
from source_twilio.shared import Answer, SharedLists
from source_twilio.skipped import Skipped


class Throttle:
    """Lets as many requests of an account be under way as Twilio lets through (BEHAVIOR 22).

    Why not YAML: the CDK's api_budget counts requests by time, and Twilio those that run at once,
    against a limit that it does not publish. A `with` block holds one place, also while a request
    waits to be sent again. Places are added as answers come in, quickly until the first 429, then
    slowly, and each 429 takes one away. There are never more than `most`.
    """

    def __init__(self, most: int) -> None:
        """Begin with no more places than the default number of workers needs."""
        self._changed = threading.Condition()
        self._most = most
        self._places = min(5, most)
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
            # Answers count while all places are taken: only then would one more be used.
            elif self._taken >= self._places < self._most:
                self._answers += 1
                if self._answers >= self._answers_per_place:
                    self._places += 1
                    self._answers = 0
                    self._changed.notify()


# The account whose list a thread is asking for: an authenticator sees nothing but the request.
ASKED: ContextVar[str] = ContextVar("ASKED", default="")

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


class Patience(NamedTuple):
    """How often a failed request is asked again, and the seconds that it may be told to wait."""

    retries: int
    seconds: float


# Until the accounts are known, so that a check fails within ten seconds (BEHAVIOR 31).
AT_THE_START = Patience(2, 4)
# While the lists are tried that a key may open: there are others to try.
PROBING = Patience(0, 0)
UNDER_WAY = Patience(5, 600)


@dataclass
class Memory:
    """What the streams of one source share while it lives. None of it is ever on disk."""

    num_workers: int
    throttle: Throttle
    # The subaccounts' own tokens, by their SIDs (BEHAVIOR 2, 14).
    tokens: dict[str, str] = field(default_factory=dict)
    patience: Patience = AT_THE_START
    skipped: Skipped = field(default_factory=Skipped)
    # How many slices are being read.
    readers: int = 0
    # What the state of a stream and account says to warn of, once the account has been read.
    gaps: dict[tuple[str, str], str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    accounts: Answer = field(default_factory=Answer)
    lists: SharedLists = field(default_factory=SharedLists)
    _warned: set[str] = field(default_factory=set)

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

    def warn(self, message: str) -> None:
        """Log a warning once, although every stream has reason to give it."""
        with self.lock:
            if message not in self._warned:
                LOGGER.warning(message)
            self._warned.add(message)


# By the identity of the configuration, which is kept so that no other takes its place.
MEMORIES: OrderedDict[int, tuple[Mapping[str, Any], Memory]] = OrderedDict()
MEMORIES_LOCK = threading.Lock()


def known(config: Mapping[str, Any]) -> Memory:
    """Return the memory of the source that a configuration belongs to.

    The CDK copies the configuration when it makes a source, and gives this one object to all parts
    of the source.
    """
    with MEMORIES_LOCK:
        if id(config) not in MEMORIES:
            workers = int(config.get("num_workers") or 5)
            MEMORIES[id(config)] = config, Memory(workers, Throttle(workers))
        MEMORIES.move_to_end(id(config))
        if len(MEMORIES) > 256:
            MEMORIES.popitem(last=False)
        return MEMORIES[id(config)][1]


@dataclass
class TwilioAuthenticator(BasicHttpAuthenticator):
    """HTTP Basic that goes to Twilio's hosts only and keeps every token out of what is stored.

    Why not YAML: the account list carries the live `auth_token` of every subaccount (BEHAVIOR 2),
    and the CDK logs bodies at DEBUG. A hook on the request sees a response before that. No
    authenticator of the CDK's signs the requests for a subaccount with that token (14), or sends
    links to the configured region (27).
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
        if wrong := self.config.get(PROBLEM):
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
        """Take note of a response before anything else sees it.

        Raises `TooManyRedirects` for a redirect, which may lead away from Twilio. Whatever is
        raised holds the response, so that the error handler can say what came.
        """
        memory = known(self.config)
        memory.throttle.learn(response.status_code)
        try:
            if response.is_redirect:
                raise requests.TooManyRedirects(f"{describe(response)} was answered a redirect.")
            read_page(response, memory.tokens)
        except requests.RequestException as wrong:
            wrong.request, wrong.response = response.request, response
            raise


def basic(user: str, password: str) -> str:
    """Return the header of HTTP Basic."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


TEST_CREDENTIALS = {20008}
NOT_ACTIVE = {20005, 10001, 90010}
NO_PERMISSION = {70051, 20403}
UNRECOVERABLE = TEST_CREDENTIALS | NOT_ACTIVE


def refusal(response: requests.Response, config: Mapping[str, Any]) -> str:
    """Return what to change where the credentials open nothing (BEHAVIOR 28)."""
    code, said = body_of(response).get("code"), f"({code_of(response)})"
    region = config.get("region") or "us1"
    if code in TEST_CREDENTIALS:
        return f"These are test credentials {said}: take the live Account SID and Auth Token."
    if code in NOT_ACTIVE:
        return f"The account of account_sid is not active {said}: have Twilio reactivate it."
    if code in NO_PERMISSION and has_key(config):
        return (
            f"The API key may read nothing that the connector reads {said}: give it permissions to "
            "read, or take a Main key or the Auth Token."
        )
    if response.status_code == requests.codes.not_found:
        return (
            f"Twilio knows no account list {said}: check region and edge, and whether a proxy "
            "answers in Twilio's place."
        )
    if has_key(config):
        return (
            f"Twilio refused the API key {said}: check that api_key_secret is that of api_key_sid, "
            f"and that the key belongs to account_sid and to region {region} and is not revoked."
        )
    if code in NO_PERMISSION or response.status_code == requests.codes.forbidden:
        return (
            f"Twilio does not let account_sid and auth_token list the accounts {said}: ask "
            "Twilio's support why."
        )
    return (
        f"Twilio refused account_sid and auth_token {said}: take the current Auth Token of that "
        f"account in region {region}; the account must be active."
    )


def lacks_permission(response: requests.Response, config: Mapping[str, Any]) -> bool:
    """Return whether an API key was not given what a list needs (BEHAVIOR 26)."""
    return has_key(config) and body_of(response).get("code") in NO_PERMISSION


def may_not_read(response: requests.Response, config: Mapping[str, Any]) -> str:
    """Return what to do about a list that the credentials do not open (BEHAVIOR 26)."""
    advice = "use the Auth Token or a Main API key" if has_key(config) else "ask Twilio why"
    if body_of(response).get("code") in NO_PERMISSION:
        advice = "give them the permission"
    return (
        f"these credentials may not read it ({code_of(response)}): {advice}, or deselect the stream"
    )
