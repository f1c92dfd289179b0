"""What Twilio's answers mean, and every sentence that a user reads about them."""

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from requests.utils import get_environ_proxies, select_proxy

from source_twilio.config import PAIRS, auth_type, credential_name, is_scoped

LOGGER = logging.getLogger("airbyte")

# Twilio's error codes, by what they mean.
NOT_FOUND = 20404
TOO_MANY_DAYS = 20004
# Of credentials (BEHAVIOR 28).
TEST_CREDENTIALS = {20008}
NOT_ACTIVE = {20005, 10001, 90010}
NO_PERMISSION = {70051, 20006, 20403}
UNRECOVERABLE = TEST_CREDENTIALS | NOT_ACTIVE
# What a product API answers to accounts that have not got the product (BEHAVIOR 34).
NOT_ENABLED = {17000, 17007, 20003, 20006, 20403, NOT_FOUND, 70051}

# These can pass, and so can all that begin with a 5 (BEHAVIOR 31).
TRANSIENT_STATUSES = {408, 425, 429}

# How many rows Twilio shows of one query of alerts (BEHAVIOR 23).
MOST_ROWS = 10_000


def error(message: str, failure_type: FailureType = FailureType.transient_error) -> Exception:
    """Return an error that users see as it is, but for secrets that it quotes (BEHAVIOR 52)."""
    masked = filter_secrets(message)
    return AirbyteTracedException(masked, masked, failure_type)


# ------------------------------------------------------------------------------ parts of an answer


def describe(response: requests.Response) -> str:
    """Name the request of a response, e.g. `GET https://api.twilio.com/...json`, without query."""
    return f"{response.request.method} {str(response.url).partition('?')[0]}"


def body_of(response: requests.Response) -> Mapping[str, Any]:
    """Return the body of an error; one that is not a JSON object is empty."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    return body if isinstance(body, dict) else {}


def code_of(response: requests.Response) -> str:
    """Name status and code of a refusal, e.g. `HTTP 401, code 20003`."""
    return f"HTTP {response.status_code}, code {body_of(response).get('code', 'none')}"


def content_type(response: requests.Response) -> str:
    """Return what a response calls its body, e.g. `text/html`."""
    return response.headers.get("Content-Type", "").partition(";")[0] or "no content type"


def retry_after(response: requests.Response) -> float | None:
    """Return the seconds that Retry-After asks to wait, None if it does not say."""
    value = response.headers.get("Retry-After", "")
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=moment.tzinfo or timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def is_transient(status: int) -> bool:
    """Return whether a status can pass, so that asking again may help (BEHAVIOR 31)."""
    return status in TRANSIENT_STATUSES or status >= 500


def is_gone(response: requests.Response) -> bool:
    """Return whether Twilio itself says that nothing is there (BEHAVIOR 48)."""
    is_missing = response.status_code == requests.codes.not_found
    return is_missing and body_of(response).get("code") == NOT_FOUND


def is_not_enabled(response: requests.Response) -> bool:
    """Return whether an answer is that to accounts which have not got the product (BEHAVIOR 34)."""
    return body_of(response).get("code") in NOT_ENABLED


def lacks_permission(response: requests.Response, config: Mapping[str, Any]) -> bool:
    """Return whether a key or an OAuth app was not given what a list needs (BEHAVIOR 26)."""
    return is_scoped(config) and body_of(response).get("code") in NO_PERMISSION


# ------------------------------------------------------------------------- answers that are errors


class RefusedError(Exception):
    """Twilio refuses to show a list: the answer is a 401, a 403 or a 404 (BEHAVIOR 9)."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"{describe(response)} returned {code_of(response)}.")
        self.response = response


class BadRequestError(AirbyteTracedException):
    """A request that Twilio calls wrong: the answer is a 400."""

    def __init__(self, response: requests.Response) -> None:
        message = unknown_answer(response)
        super().__init__(message, message, FailureType.system_error)
        self.response = response


class OutOfReachError(BadRequestError):
    """The window begins before what the account shows: `days` back from now (BEHAVIOR 10)."""

    def __init__(self, response: requests.Response, days: int) -> None:
        super().__init__(response)
        self.days = days


class TooManyRowsError(BadRequestError):
    """The query has more rows than Twilio shows of one query (BEHAVIOR 23)."""


def bad_request(response: requests.Response) -> BadRequestError:
    """Return what a 400 says, which the CDK's error handlers cannot act on.

    An answer about too many rows is known by either half of its sentence, or by the page that was
    asked for: Twilio's own links lead there (BEHAVIOR 23).
    """
    body = body_of(response)
    message = str(body.get("message") or body.get("detail"))
    # More days than calendars have are no answer.
    days = re.search(r"\b(\d{1,5})[ -]*day", message)
    if body.get("code") == TOO_MANY_DAYS and days:
        return OutOfReachError(response, int(days[1]))
    query = dict(parse_qsl(urlsplit(str(response.url)).query))
    page, size = (query.get(name, "") for name in ("Page", "PageSize"))
    beyond = page.isdecimal() and size.isdecimal() and int(page) * int(size) >= MOST_ROWS
    if beyond or re.search(r"page and page ?size|data is limited to", message, re.IGNORECASE):
        return TooManyRowsError(response)
    return BadRequestError(response)


# -------------------------------------------------------------------------------- what to do about


def unknown_answer(response: requests.Response) -> str:
    """Return the sentence about an answer that the connector knows nothing to do about."""
    body = body_of(response)
    text = body.get("message") or body.get("detail") or f"{content_type(response)}, no reason given"
    if response.is_redirect:
        text = f"a redirect to {urlsplit(response.headers['Location']).hostname}, not followed"
    return f"{describe(response)} returned {code_of(response)}: {text}"


def refusal(response: requests.Response, config: Mapping[str, Any]) -> str:
    """Return what to change where the credentials open nothing (BEHAVIOR 28)."""
    code, answer = body_of(response).get("code"), f"({code_of(response)})"
    region = config.get("region") or "us1"
    if code in TEST_CREDENTIALS:
        return f"These are test credentials {answer}: take the live Account SID and Auth Token."
    if code in NOT_ACTIVE:
        return f"The account of account_sid is not active {answer}: have Twilio reactivate it."
    name = credential_name(config)
    if code in NO_PERMISSION and is_scoped(config):
        return (
            f"The {name} may read nothing that the connector reads {answer}: give it permissions "
            "to read, or take a Main key or the Auth Token."
        )
    if response.status_code == requests.codes.not_found:
        return (
            f"Twilio knows no account list {answer}: check region and edge, and whether a proxy "
            "answers in Twilio's place."
        )
    if is_scoped(config):
        sid, secret, *_ = PAIRS[auth_type(config)]
        return (
            f"Twilio refused the {name} {answer}: check that {secret} is that of {sid}, and that "
            f"the {name.rpartition(' ')[2]} belongs to account_sid and to region {region} and is "
            "not revoked."
        )
    if code in NO_PERMISSION or response.status_code == requests.codes.forbidden:
        return (
            f"Twilio does not let account_sid and auth_token list the accounts {answer}: ask "
            "Twilio's support why."
        )
    return (
        f"Twilio refused account_sid and auth_token {answer}: take the current Auth Token of that "
        f"account in region {region}; the account must be active."
    )


def may_not_read(response: requests.Response, config: Mapping[str, Any]) -> str:
    """Return what to do about a list that the credentials do not open (BEHAVIOR 26)."""
    advice = "use the Auth Token or a Main API key" if is_scoped(config) else "ask Twilio why"
    body = body_of(response)
    if body.get("code") in NO_PERMISSION:
        # Twilio may name it, as in /twilio/messaging/messages/list.
        named = re.search(r"/twilio/[\w/.-]*\w", str(body.get("message") or body.get("detail")))
        advice = f"give them the permission{f' {named[0]}' if named else ''}"
    return (
        f"these credentials may not read it ({code_of(response)}): {advice}, or deselect the stream"
    )


def transient_failure(response: requests.Response) -> str:
    """Return what to do about a status that can pass and did not."""
    wait = retry_after(response)
    asked = f", Retry-After {wait:.0f} seconds" if wait else ""
    if response.status_code == requests.codes.too_many_requests:
        return (
            f"Twilio limits the requests of this account (HTTP 429{asked}): run fewer syncs of it "
            "at a time, lower num_workers, or try again later."
        )
    return (
        f"{urlsplit(response.url).hostname} returned HTTP {response.status_code} "
        f"({content_type(response)}{asked}): try again later, and see https://status.twilio.com "
        "and the proxy, if there is one."
    )


def broken_answer(cause: requests.RequestException) -> str:
    """Return what to do where no whole answer came."""
    host = urlsplit(str(cause.request.url if cause.request else "")).hostname
    response = cause.response
    if response is not None and isinstance(cause, requests.exceptions.ContentDecodingError):
        body = "invalid JSON" if response.content else "an empty body"
        return (
            f"{host} returned {body} (HTTP {response.status_code}, {content_type(response)}): if a "
            "proxy or a login page of the network answers in Twilio's place, have *.twilio.com "
            "let through."
        )
    if isinstance(cause, requests.Timeout):
        return f"{host} does not answer in time: try again later, and check proxies and firewalls."
    return (
        f"The connection to {host} was interrupted: try again later, and check proxies and "
        "firewalls."
    )


def unreachable(cause: requests.RequestException) -> tuple[str, FailureType] | None:
    """Return why a request could not be sent, or None if it was, or may have been."""
    text = str(cause)
    host = urlsplit(str(cause.request.url if cause.request else "")).hostname
    tunnel = re.search(r"Tunnel connection failed: (\d{3})", text)
    if tunnel and tunnel[1] == "407":
        return (
            "The proxy requires authentication (HTTP 407): put user name and password into "
            "HTTPS_PROXY, as in http://user:password@host:port."
        ), FailureType.config_error
    if tunnel and tunnel[1] == "403":
        return (
            f"The proxy refuses connections to {host} (HTTP 403): have *.twilio.com allowed."
        ), FailureType.config_error
    if isinstance(cause, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" not in text:
            return (
                f"There is no TLS connection to {host}: check proxies and firewalls."
            ), FailureType.transient_error
        return (
            f"The certificate that {host} shows is not trusted: if a proxy intercepts TLS, add its "
            "authority to the file that REQUESTS_CA_BUNDLE names."
        ), FailureType.config_error
    if isinstance(cause, requests.exceptions.ProxyError):
        return (
            f"The proxy does not connect to {host}: check HTTPS_PROXY, and the proxy."
        ), FailureType.transient_error
    unconnected = "NewConnectionError" in text or "NameResolutionError" in text
    if isinstance(cause, requests.exceptions.ConnectTimeout) or unconnected:
        return (
            f"There is no connection to {host}: check network, DNS and firewall, the edge if one "
            "is set, and HTTPS_PROXY if the way out is a proxy."
        ), FailureType.transient_error
    return None


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
