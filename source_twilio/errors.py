"""How a response is named and judged, and the errors that come of it."""

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

LOGGER = logging.getLogger("airbyte")


def error(message: str, failure_type: FailureType = FailureType.transient_error) -> Exception:
    """Return an error that users see as it is, but for secrets that it quotes (BEHAVIOR 52)."""
    masked = filter_secrets(message)
    return AirbyteTracedException(masked, masked, failure_type)


def describe(response: requests.Response) -> str:
    """Name the request of a response, e.g. `GET https://api.twilio.com/...json`, without query."""
    return f"{response.request.method} {str(response.url).partition('?')[0]}"


def code_of(response: requests.Response) -> str:
    """Name status and code of a refusal, e.g. `HTTP 401, code 20003`."""
    return f"HTTP {response.status_code}, code {body_of(response).get('code', 'none')}"


def body_of(response: requests.Response) -> Mapping[str, Any]:
    """Return the body of an error; one that is no JSON object is empty."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    return body if isinstance(body, dict) else {}


def is_gone(response: requests.Response) -> bool:
    """Return whether Twilio itself says that nothing is there (BEHAVIOR 48)."""
    is_missing = response.status_code == requests.codes.not_found
    return is_missing and body_of(response).get("code") == NOT_FOUND


NOT_FOUND = 20404

# What a product API answers to accounts that have not got the product (BEHAVIOR 34).
NOT_ENABLED = {17000, 17007, 20003, 20006, 20403, 20404, 70051}


def is_not_enabled(response: requests.Response) -> bool:
    """Return whether an answer is that to accounts which have not got the product (BEHAVIOR 34)."""
    return body_of(response).get("code") in NOT_ENABLED


class RefusedError(Exception):
    """Twilio refuses to show a list: the answer is a 401, a 403 or a 404 (BEHAVIOR 9)."""

    def __init__(self, response: requests.Response) -> None:
        """Keep the answer."""
        super().__init__(f"{describe(response)} was answered {code_of(response)}.")
        self.response = response


class BadRequestError(AirbyteTracedException):
    """A request that Twilio calls wrong: the answer is a 400."""

    def __init__(self, response: requests.Response) -> None:
        """Say what came, and keep the answer."""
        sentence = unknown_answer(response)
        super().__init__(sentence, sentence, FailureType.system_error)
        self.response = response


class OutOfReachError(BadRequestError):
    """The window begins before what the account shows: `days` back from now (BEHAVIOR 10)."""

    def __init__(self, response: requests.Response, days: int) -> None:
        """Keep the number of days."""
        super().__init__(response)
        self.days = days


class TooManyRowsError(BadRequestError):
    """The query has more rows than Twilio shows of one query (BEHAVIOR 23)."""


# How many rows Twilio shows of one query of alerts.
MOST_ROWS = 10_000


def bad_request(response: requests.Response) -> BadRequestError:
    """Return what a 400 says, which the CDK's error handlers cannot act on.

    An answer about too many rows is known by either half of its sentence, or by the page that was
    asked for: Twilio's own links lead there (BEHAVIOR 23).
    """
    body = body_of(response)
    message = str(body.get("message") or body.get("detail"))
    # More days than calendars have are no answer.
    days = re.search(r"\b(\d{1,5})[ -]*day", message)
    if body.get("code") == 20004 and days:
        return OutOfReachError(response, int(days[1]))
    query = dict(parse_qsl(urlsplit(str(response.url)).query))
    page, size = (query.get(name, "") for name in ("Page", "PageSize"))
    beyond = page.isdecimal() and size.isdecimal() and int(page) * int(size) >= MOST_ROWS
    if beyond or re.search(r"page and page ?size|data is limited to", message, re.IGNORECASE):
        return TooManyRowsError(response)
    return BadRequestError(response)


def unknown_answer(response: requests.Response) -> str:
    """Return the sentence about an answer that the connector knows nothing to do about."""
    body = body_of(response)
    text = body.get("message") or body.get("detail") or f"{content_type(response)}, no reason given"
    if response.is_redirect:
        text = f"a redirect to {urlsplit(response.headers['Location']).hostname}, not followed"
    return f"{describe(response)} was answered {code_of(response)}: {text}"


def content_type(response: requests.Response) -> str:
    """Return what a response calls its body, e.g. `text/html`."""
    return response.headers.get("Content-Type", "").partition(";")[0] or "no content type"
