"""Which credentials authenticate which request, and where requests go."""

import re
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.auth.token import BasicHttpAuthenticator
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString

from source_twilio.config import CONFIG_PROBLEM, auth_type
from source_twilio.errors import (
    broken_answer,
    describe,
    error,
    is_transient,
    proxy_problem,
    refusal,
    transient_failure,
    unknown_answer,
    unreachable,
)
from source_twilio.records import read_page, register_secrets
from source_twilio.session import request_scope, session_for

# The product, and where it is asked: nothing, an edge and a region, or one of the two (27).
TWILIO_HOST = re.compile(r"([a-z0-9-]+)(?:\.[a-z0-9-]+){0,2}\.twilio\.com(?::443)?", re.ASCII)

# An OAuth app gives its tokens a minute at least and thirty days at most (BEHAVIOR 56).
LEAST_TOKEN_SECONDS, MOST_TOKEN_SECONDS = 60, 30 * 86_400


@dataclass
class TwilioAuthenticator(BasicHttpAuthenticator):
    """HTTP Basic, or an OAuth app's token, that goes to Twilio's hosts only and is never stored.

    Why not YAML: the account list carries the live `auth_token` of every subaccount (BEHAVIOR 2),
    and the CDK logs bodies at DEBUG. A hook on the request sees a response before that. No
    authenticator of the CDK's takes that token for the requests of a subaccount (14), or sends
    links to the configured region (27). `OAuthAuthenticator` fetches a token for each stream, waits
    minutes where a check has seconds, and does not fetch another after a 401 (BEHAVIOR 56).
    """

    # What stands between the product and `.twilio.com` in the name of a host.
    place: InterpolatedString | str = ""

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Interpolate once: every request asks for it, some of them twice."""
        super().__post_init__(parameters)
        self._session = session_for(self.config)
        place = InterpolatedString.create(self.place, parameters=parameters)
        self._place = str(place.eval(self.config))
        # As text: the CDK would take a token like 123e4 for a number.
        user = self._username.eval(self.config, valid_types=(str,))
        self._secret = str(self._password.eval(self.config, valid_types=(str,)))
        self._user, self._basic = user, basic(user, self._secret)
        self._is_oauth = auth_type(self.config) == "oauth"

    def __call__(self, request: requests.PreparedRequest) -> Any:
        """Address the request to the region, and authenticate it; raise where it must not go."""
        if problem := self.config.get(CONFIG_PROBLEM) or proxy_problem(str(request.url)):
            raise error(problem, FailureType.config_error)
        url = urlsplit(str(request.url))
        host = self._host(url)
        request.url = url._replace(netloc=host).geturl()
        header = self._header(host)
        # Answers quote both (BEHAVIOR 52).
        register_secrets(self._secret, header.partition(" ")[2])
        # A retry authenticates the same request again.
        if self.receive not in request.hooks["response"]:
            request.hooks["response"].append(self.receive)
        request.headers[self.auth_header] = header
        return request

    @property
    def token(self) -> str:
        """Return the header of the configured credentials."""
        # An access token is fetched when the request has been found to be in order.
        return "" if self._is_oauth else self._basic

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
            raise error(
                f"{host} is not a valid Twilio host: check region and edge.",
                FailureType.config_error,
            )
        return host

    def _header(self, host: str) -> str:
        """Return the header of the account that a thread asks for (BEHAVIOR 14)."""
        account = request_scope().account
        if host.startswith("api.") or account in ("", self.config["account_sid"]):
            if self._is_oauth:
                return f"Bearer {self._session.access_token.get(self._fetch_token)}"
            return self._basic
        token = self._session.tokens.get(account)
        if not token:
            raise error(f"No token of account {account} is known, and {host} wants one.")
        return basic(account, token)

    def _fetch_token(self) -> tuple[str, float]:
        """Return an access token of the OAuth app, and how many seconds it lasts (BEHAVIOR 56)."""
        for attempt in range(1 + request_scope().budget.retries):
            time.sleep(2 ** (attempt - 1) if attempt else 0)
            failure_type = FailureType.transient_error
            try:
                response = self._ask_for_token()
            except requests.RequestException as cause:
                message, failure_type = unreachable(cause) or (broken_answer(cause), failure_type)
            else:
                page: Any = getattr(response, "page", None)
                page = page if response.ok and isinstance(page, dict) else {}
                token = page.get("access_token")
                if token and isinstance(token, str):
                    register_secrets(token)
                    return token, lifetime(page.get("expires_in"))
                if response.status_code in (400, 401, 403):
                    message, failure_type = refusal(response, self.config), FailureType.config_error
                elif is_transient(response.status_code):
                    message = transient_failure(response)
                else:
                    message, failure_type = unknown_answer(response), FailureType.system_error
            if failure_type != FailureType.transient_error:
                break
        raise error(message, failure_type)

    def _ask_for_token(self) -> requests.Response:
        """Send the request for an access token; it is in no log, and follows no redirect."""
        url = f"https://{self._host(urlsplit('https://oauth.twilio.com'))}/v2/token"
        response = requests.post(
            url,
            {
                "grant_type": "client_credentials",
                "client_id": self._user,
                "client_secret": self._secret,
            },
            timeout=(3, 20),
            allow_redirects=False,
            stream=True,
        )
        read_body(response, {})
        return response

    def receive(self, response: requests.Response, **_: Any) -> None:
        """Take note of a response before anything else sees it.

        Raises `TooManyRedirects` for a redirect, which may lead away from Twilio. Whatever is
        raised holds the response, so that the error handler can say what came.
        """
        session = self._session
        session.throttle.learn(response.status_code)
        if response.status_code == requests.codes.unauthorized and self._is_oauth:
            headers: Any = response.request.headers
            header = str(headers.get(self.auth_header))
            session.access_token.reject(header.removeprefix("Bearer "))
        if response.is_redirect:
            message = f"{describe(response)} returned a redirect."
            raise requests.TooManyRedirects(message, request=response.request, response=response)
        read_body(response, session.tokens, request_scope().undated_by)


def read_body(response: requests.Response, tokens: dict[str, str], undated_by: str = "") -> None:
    """Read a body in the time that this thread allows; what is raised holds the response."""
    try:
        read_page(response, tokens, request_scope().budget.body_seconds, undated_by)
    except requests.RequestException as failure:
        failure.request, failure.response = response.request, response
        raise


def basic(user: str, password: str) -> str:
    """Return the header of HTTP Basic."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def lifetime(expires_in: Any) -> float:
    """Return how many seconds a token lasts: the least that Twilio gives one if it does not say."""
    usable = isinstance(expires_in, (int, float)) and expires_in > 0
    return min(float(expires_in), MOST_TOKEN_SECONDS) if usable else LEAST_TOKEN_SECONDS
