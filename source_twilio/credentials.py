"""Who signs which request, and what the credentials open."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.auth.token import BasicHttpAuthenticator
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString

from source_twilio.errors import body_of, code_of, describe, error
from source_twilio.memory import PATIENCE, known
from source_twilio.network import proxy_problem
from source_twilio.rows import mask, read_page
from source_twilio.settings import PROBLEM, has_key

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
        self._secret = str(self._password.eval(self.config, valid_types=(str,)))
        self._basic = basic(user, self._secret)

    def __call__(self, request: requests.PreparedRequest) -> Any:
        """Address the request to the region, and sign it; raise where it must not be sent."""
        if wrong := self.config.get(PROBLEM):
            raise error(wrong, FailureType.config_error)
        if wrong := proxy_problem(str(request.url)):
            raise error(wrong, FailureType.config_error)
        url = urlsplit(str(request.url))
        host = self._host(url)
        request.url = url._replace(netloc=host).geturl()
        signature = self._signature(host)
        # Answers quote both (BEHAVIOR 52).
        mask(self._secret)
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
            read_page(response, memory.tokens, PATIENCE.get().body_seconds)
        except requests.RequestException as wrong:
            wrong.request, wrong.response = response.request, response
            raise


def basic(user: str, password: str) -> str:
    """Return the header of HTTP Basic."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


TEST_CREDENTIALS = {20008}
NOT_ACTIVE = {20005, 10001, 90010}
NO_PERMISSION = {70051, 20006, 20403}
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
