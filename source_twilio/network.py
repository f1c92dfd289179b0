"""What is tried again, and what is wrong with the way to Twilio."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit
from weakref import WeakKeyDictionary

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers.response_models import (
    SUCCESS_RESOLUTION,
    ErrorResolution,
    ResponseAction,
)
from requests.utils import get_environ_proxies, select_proxy

from source_twilio.errors import content_type, unknown_answer
from source_twilio.memory import ONCE, PATIENCE, UNDER_WAY

TOO_MANY_REQUESTS = 429
# These can pass, and so can all that begin with a 5 (BEHAVIOR 31).
CAN_PASS = {408, 425, TOO_MANY_REQUESTS}


@dataclass
class TwilioErrorHandler(DefaultErrorHandler):
    """Decides which answers are asked again, how often, and what is said in the end (BEHAVIOR 31).

    Why not YAML: response filters see responses and no exceptions, and the CDK asks again whatever
    it does not know. Nor can they tell the first request, which is tried less often so that a check
    fails within ten seconds, from those of a sync that has got going.
    """

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Note how often a request has failed, and how long it was told to wait."""
        super().__post_init__(parameters)
        self._failures: WeakKeyDictionary[requests.PreparedRequest, tuple[int, float]] = (
            WeakKeyDictionary()
        )

    def interpret_response(
        self, response_or_exception: requests.Response | Exception | None
    ) -> ErrorResolution:
        """Return what to do, and what to say."""
        came = response_or_exception
        if isinstance(came, requests.TooManyRedirects) and came.response is not None:
            came = came.response
        if isinstance(came, requests.Response):
            if came.status_code // 100 == 2:
                return SUCCESS_RESOLUTION
            usual = super().interpret_response(came)
            if came.status_code >= 400 and usual.response_action == ResponseAction.SUCCESS:
                return usual
            if came.status_code not in CAN_PASS and came.status_code < 500:
                return failed(unknown_answer(came), FailureType.system_error)
            limited = came.status_code == TOO_MANY_REQUESTS
            action = ResponseAction.RATE_LIMITED if limited else ResponseAction.RETRY
            return self._again(came.request, failed(no_answer(came)), action, retry_after(came))
        usual = super().interpret_response(came)
        if not isinstance(came, requests.RequestException) or not came.request:
            return usual
        wrong = unreachable(came, urlsplit(str(came.request.url))) or failed(broken(came))
        # Another attempt would not help, or takes too long: each address of the host was tried.
        final = wrong.failure_type == FailureType.config_error or isinstance(came, requests.Timeout)
        if final and PATIENCE.get() is not UNDER_WAY:
            return wrong
        return self._again(came.request, wrong, ResponseAction.RETRY)

    def _again(
        self, request: Any, wrong: ErrorResolution, action: ResponseAction, wait: float = 0
    ) -> ErrorResolution:
        """Return that a request is sent again after a failure, or what is wrong."""
        failures, waited = self._failures.get(request, (0, 0.0))
        self._failures[request] = failures + 1, waited + wait
        patience = PATIENCE.get()
        if patience is ONCE and action == ResponseAction.RATE_LIMITED:
            patience = UNDER_WAY
        if failures >= patience.retries or waited + wait > patience.seconds:
            return wrong
        return ErrorResolution(action, wrong.failure_type, wrong.error_message)


def failed(
    message: str, failure_type: FailureType = FailureType.transient_error
) -> ErrorResolution:
    """Return that a request has failed, and why."""
    return ErrorResolution(ResponseAction.FAIL, failure_type, message)


def retry_after(response: requests.Response) -> float:
    """Return the seconds that Retry-After asks to wait, 0 if it does not say.

    A date becomes a number of seconds in the response too: the CDK's WaitTimeFromHeader reads only
    numbers.
    """
    said = response.headers.get("Retry-After", "")
    if re.fullmatch(r"\d+(\.\d+)?", said):
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return 0
    now = datetime.now(timezone.utc)
    seconds = max(0.0, (moment.replace(tzinfo=moment.tzinfo or timezone.utc) - now).total_seconds())
    response.headers["Retry-After"] = str(seconds)
    return seconds


def no_answer(response: requests.Response) -> str:
    """Return what to do about a status that can pass and did not."""
    wait = retry_after(response)
    asked = f", Retry-After {wait:.0f} seconds" if wait else ""
    if response.status_code == TOO_MANY_REQUESTS:
        return (
            f"Twilio limits the requests of this account (HTTP 429{asked}): run fewer syncs of it "
            "at a time, lower num_workers, or try again later."
        )
    return (
        f"{urlsplit(response.url).hostname} answers HTTP {response.status_code} "
        f"({content_type(response)}{asked}): try again later, and see https://status.twilio.com "
        "and the proxy, if there is one."
    )


def broken(cause: requests.RequestException) -> str:
    """Return what to do where no whole answer came."""
    host, came = urlsplit(str(cause.request.url if cause.request else "")).hostname, cause.response
    if came is not None and isinstance(cause, requests.exceptions.ContentDecodingError):
        body = "a body that is no JSON" if came.content else "an empty body"
        return (
            f"{host} answers HTTP {came.status_code} ({content_type(came)}) with {body}: if a "
            "proxy or a login page of the network answers in Twilio's place, have *.twilio.com "
            "let through."
        )
    if isinstance(cause, requests.Timeout):
        return f"{host} does not answer in time: try again later, and check proxies and firewalls."
    return f"The connection to {host} breaks: try again later, and check proxies and firewalls."


def unreachable(cause: Exception, url: SplitResult) -> ErrorResolution | None:
    """Return why a request could not be sent, or None if it was, or may have been."""
    said, host = str(cause), url.hostname
    tunnel = re.search(r"Tunnel connection failed: (\d{3})", said)
    failure_type = FailureType.config_error
    if tunnel and tunnel[1] == "407":
        message = (
            "The proxy wants a user name and a password (HTTP 407): put them into HTTPS_PROXY, as "
            "in http://user:password@host:port."
        )
    elif tunnel and tunnel[1] == "403":
        message = f"The proxy refuses connections to {host} (HTTP 403): have *.twilio.com allowed."
    elif isinstance(cause, requests.exceptions.SSLError):
        message = (
            f"The certificate that {host} shows is not trusted: if a proxy or firewall reads "
            "along, add its authority to the file that REQUESTS_CA_BUNDLE names."
        )
        if "CERTIFICATE_VERIFY_FAILED" not in said:
            failure_type = FailureType.transient_error
            message = f"There is no TLS connection to {host}: check proxies and firewalls."
    elif isinstance(cause, requests.exceptions.ProxyError):
        failure_type = FailureType.transient_error
        message = f"The proxy does not connect to {host}: check HTTPS_PROXY, and the proxy."
    elif (
        isinstance(cause, requests.exceptions.ConnectTimeout)
        or "NewConnectionError" in said
        or "NameResolutionError" in said
    ):
        failure_type = FailureType.transient_error
        message = (
            f"There is no connection to {host}: check network, DNS and firewall, the edge if one "
            "is set, and HTTPS_PROXY if the way out is a proxy."
        )
    else:
        return None
    return failed(message, failure_type)


def proxy_problem(address: str) -> str:
    """Return what is wrong with the proxy that a request would take, "" if nothing is.

    urllib3 takes what follows a bare # or / for no part of the host, and quotes the rest of the
    URL, with the password or a part of it, in its errors (BEHAVIOR 52).
    """
    proxy = select_proxy(address, get_environ_proxies(address))
    if not proxy or is_proxy(proxy):
        return ""
    return (
        "HTTPS_PROXY is not the URL of a proxy: write it as http://user:password@host:port, with "
        "%23 for #, %2F for /, %3F for ? and %40 for @ in user name and password."
    )


@lru_cache
def is_proxy(text: str) -> bool:
    """Return whether a text is a URL of a host, perhaps with a user name and a port, no more."""
    if "@" in text and "://" not in text:
        return False
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(host) and not (parts.path.strip("/") or parts.query or parts.fragment)
