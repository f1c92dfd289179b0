"""The edge cases of Twilio's API that YAML cannot say; manifest.yaml says everything else.

"BEHAVIOR n" refers to the numbered entry of BEHAVIOR.md that gives the fact and its source.
"""

import json
import logging
import random
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit
from weakref import WeakSet

import orjson
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.auth.token import BasicHttpAuthenticator
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor
from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.http_logger import format_http_message
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.http.error_handlers import BackoffStrategy
from airbyte_cdk.sources.streams.http.error_handlers.response_models import (
    ErrorResolution,
    ResponseAction,
)
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets, filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

LOGGER = logging.getLogger("airbyte")

Row = dict[str, Any]
Converter = Callable[[str], Any]

# How long before now the newest window ends (`end_datetime` in the manifest; BEHAVIOR 5).
CLOCK_MARGIN = timedelta(hours=1)
# How long after the oldest moment that an account shows a request begins (as in the manifest).
REACH_MARGIN = timedelta(minutes=10)
# The pauses before a refusal is asked again: Twilio's edge is reported to send lone 401s.
REFUSAL_PAUSES_SECONDS = (0.5, 1.5)


def error(message: str, failure_type: FailureType = FailureType.transient_error) -> Exception:
    """Return an error that users see as it is."""
    return AirbyteTracedException(message, message, failure_type)


def describe(response: requests.Response) -> str:
    """Name the request of a response, e.g. `GET https://api.twilio.com/...json`, without query."""
    return f"{response.request.method} {str(response.url).partition('?')[0]}"


# --------------------------------------------------------------------------------------------------
# Rate limits
# --------------------------------------------------------------------------------------------------


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


# --------------------------------------------------------------------------------------------------
# Credentials
# --------------------------------------------------------------------------------------------------


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


def mask(secret: str) -> None:
    """Have logs mask a secret; the CDK's list of them only ever grows, so each is added once."""
    if filter_secrets(secret) == secret:
        add_to_secrets(secret)


def read_page(response: requests.Response, tokens: dict[str, str]) -> None:
    """Parse a 200 once, and move the tokens out of a list of accounts.

    The parsed body stays on the response as `page`. Raises `ContentDecodingError` for a body that
    is not JSON: the CDK asks again as it does for a broken connection (BEHAVIOR 12).
    """
    if response.status_code != requests.codes.ok:
        return
    # In few large pieces: requests' own are of 10 KB, which costs as much as parsing.
    response._content = b"".join(response.iter_content(1 << 20))
    try:
        page = orjson.loads(response.content)
    except orjson.JSONDecodeError as cause:
        raise requests.exceptions.ContentDecodingError(
            f"{describe(response)} answered with a body that is not JSON."
        ) from cause
    if b'"auth_token"' in response.content and isinstance(page, dict):
        for account in page.get("accounts", []):
            token = account.pop("auth_token", "")
            mask(token)
            tokens[str(account.get("sid"))] = token
        response._content = orjson.dumps(page)
    response.page = page  # type: ignore[attr-defined]


# --------------------------------------------------------------------------------------------------
# Errors
# --------------------------------------------------------------------------------------------------


class JitteredBackoff(BackoffStrategy):
    """Waits as long as Retry-After says, else 1, 2, 4, ... seconds, and up to half as much again.

    Why not YAML: the CDK's strategies have no such jitter, so requests that were refused together
    would come back together; and they take `Retry-After: 0` for no answer.
    """

    def backoff_time(
        self,
        response_or_exception: requests.Response | requests.RequestException | None,
        attempt_count: int,
    ) -> float:
        """Return the seconds to wait, to which the CDK adds one."""
        seconds: float = 2 ** (attempt_count - 1)
        if isinstance(response_or_exception, requests.Response):
            said = response_or_exception.headers.get("Retry-After", "")
            seconds = float(said) if re.fullmatch(r"\d+(\.\d+)?", said) else seconds
        return seconds * random.uniform(1, 1.5) + random.uniform(0.01, 0.1)


@dataclass
class TwilioErrorHandler(DefaultErrorHandler):
    """Says at once what is wrong with the network, if it was never right.

    Why not YAML: response filters see responses, not exceptions, which the CDK asks again five
    times, for half a minute. A sync that has got going keeps these retries; before anything was
    answered, a request that cannot be sent fails after one more attempt, or none where another
    attempt cannot help.
    """

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Note which requests have failed."""
        super().__post_init__(parameters)
        self._failed: WeakSet[requests.PreparedRequest] = WeakSet()

    def interpret_response(
        self, response_or_exception: requests.Response | Exception | None
    ) -> ErrorResolution:
        """Return what to do, and what to say."""
        usual = super().interpret_response(response_or_exception)
        request = getattr(response_or_exception, "request", None)
        if not isinstance(response_or_exception, Exception) or known(self.config).answered:
            return usual
        wrong = unreachable(response_or_exception, urlsplit(str(getattr(request, "url", ""))))
        if not wrong or request is None:
            return usual
        final = wrong.failure_type == FailureType.config_error or request in self._failed
        # A time-out has had its second chance: each address of the host was tried.
        if final or isinstance(response_or_exception, requests.exceptions.ConnectTimeout):
            return wrong
        self._failed.add(request)
        return ErrorResolution(ResponseAction.RETRY, wrong.failure_type, wrong.error_message)


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
    return ErrorResolution(ResponseAction.FAIL, failure_type, message)


# --------------------------------------------------------------------------------------------------
# Records
# --------------------------------------------------------------------------------------------------


@dataclass
class PageExtractor(RecordExtractor):
    """The rows under `list_key` of the page that `read_page` parsed.

    Why not YAML: DpathExtractor parses the body again, takes a page without its list for an empty
    one (rows lost in silence), and visits every leaf of a page to find one key.
    """

    list_key: str

    def extract_records(self, response: requests.Response) -> list[Row]:
        """Return the rows; a page that has no list of them raises, naming the request."""
        page = getattr(response, "page", None) or orjson.loads(response.content)
        rows = page.pop(self.list_key, None) if isinstance(page, dict) else None
        if not isinstance(rows, list) or any(row.__class__ is not dict for row in rows):
            raise error(f"{describe(response)} answered without a list of '{self.list_key}'.")
        # The paginator parses the body once more for its link: leave it nothing but that.
        response._content = orjson.dumps(page)
        return rows


class WireNormalization(TypeTransformer):
    """Turns Twilio's strings into the types of the stream's schema, field by field.

    Why not YAML: `schema_normalization: Default` walks the schema for each record (about 750 us)
    and cannot read RFC 2822. Here a schema is compiled once into (field, converter) pairs; a field
    that the schema calls a string is never touched, whatever it looks like (BEHAVIOR 3, 4).
    """

    def __init__(self) -> None:
        """Compile nothing yet: the schema comes with the first record."""
        super().__init__(TransformConfig.NoTransform)
        self._compiled: dict[int, list[tuple[str, Converter]]] = {}

    def transform(self, record_data: Row, schema: Mapping[str, Any]) -> None:
        """Convert the record in place."""
        converters = self._compiled.get(id(schema))
        if converters is None:
            converters = self._compiled[id(schema)] = list(compile_schema(schema))
        for name, convert in converters:
            value = record_data.get(name)
            if value.__class__ is str:
                record_data[name] = convert(value)


def compile_schema(schema: Mapping[str, Any]) -> Iterable[tuple[str, Converter]]:
    """Yield (field, converter) for each field that leaves as something other than a string."""
    for name, field_schema in schema.get("properties", {}).items():
        types = field_schema.get("type", [])
        if field_schema.get("format") == "date-time":
            yield name, to_iso8601
        elif {"number", "integer"}.intersection([types] if isinstance(types, str) else types):
            yield name, to_number


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
RFC2822_DAY = re.compile(rf"\w{{3}}, (\d\d) ({'|'.join(MONTHS)}) (\d{{4}}) ", re.ASCII)
ISO8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
# A double holds any number of fifteen digits (IEEE 754), and these are all that Twilio sends.
SHORT_NUMBER = re.compile(r"-?\d{1,7}(\.\d{1,8})?", re.ASCII)


def to_iso8601(text: str) -> str | None:
    """Return an RFC 2822 or ISO 8601 date-time as `2019-05-24T17:44:46Z`, other text as it is."""
    try:
        return DAYS[text[:17]] + MINUTES[text[17:23]] + SECONDS[text[23:]]
    except KeyError:
        return other_date(text)


class Days(dict[str, str]):
    """`2019-05-24T` by `Fri, 24 May 2019 `, for each day that has been asked for."""

    def __missing__(self, text: str) -> str:
        """Add a day; raise KeyError for what is none."""
        usual = RFC2822_DAY.fullmatch(text)
        if not usual:
            raise KeyError(text)
        self[text] = f"{usual[3]}-{MONTHS.index(usual[2]) + 1:02}-{usual[1]}T"
        return self[text]


DAYS = Days()
MINUTES = {text: text for text in (f"{n // 60:02}:{n % 60:02}:" for n in range(24 * 60))}
SECONDS = {f"{n:02} +0000": f"{n:02}Z" for n in range(60)}


@lru_cache(maxsize=8192)
def other_date(text: str) -> str | None:
    """Return a date-time that is not of the 2010 API's usual form, as to_iso8601 does."""
    if not text:
        return None
    if ISO8601.fullmatch(text):
        return text
    try:
        if "," in text:
            moment = parsedate_to_datetime(text)
        else:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        # A time without a zone is UTC, as all of Twilio's are.
        moment = moment.replace(tzinfo=moment.tzinfo or timezone.utc)
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return text


@lru_cache(maxsize=65536)
def to_number(text: str) -> int | float | str | None:
    """Return exactly the number that a string holds; what a double cannot hold stays text."""
    if not text:
        return None
    if SHORT_NUMBER.fullmatch(text):
        short = float(text)
        return int(short) if short.is_integer() else short
    if not NUMBER.fullmatch(text):
        return text
    exact = Decimal(text)
    # An exponent of thousands would fill the memory with digits, and is no figure of Twilio's.
    if abs(exact.adjusted()) > 300:
        return text
    if exact == exact.to_integral_value():
        return int(exact)
    number = float(exact)
    return number if Decimal(repr(number)) == exact else text


class QuietRow(Row):
    """A row that the CDK's cursor overlooks, because TwilioRetriever moves the cursor itself.

    The CDK asks a row for its cursor value with `get`, and nothing else does.
    """

    def get(self, key: str, default: Any = None) -> Any:
        """Return the default: this row has no say in the cursor's position."""
        return default


# --------------------------------------------------------------------------------------------------
# Reading
# --------------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """One page: its rows as Twilio sent them, the slice they belong to, whether it is the last."""

    rows: list[Any]
    part: StreamSlice
    last: bool


@dataclass
class TwilioRetriever(SimpleRetriever):
    """Reads one window of one account, and moves the cursor only when all of it has arrived.

    Why not YAML, each in its place below:
    - the cursor follows the end of a complete window, not the newest row seen (BEHAVIOR 5);
    - an account that Twilio refuses to show is skipped with a visible warning (BEHAVIOR 9);
    - rows whose filter field is null match no date filter and need a pass of their own (6);
    - lists below a list (`parents`) are read inside the account's own partition, so that one
      account cannot stop the others, and state does not grow with the number of parents (8).
    """

    record_selector: RecordSelector
    cursor: Cursor | None = None
    # The lists whose items this list hangs under; `stream_partition.parent` holds the item.
    parents: list["TwilioRetriever"] = field(default_factory=list)
    # Which of their items to ask. A filter of their own would hide the rows that end a pass.
    parent_filter: RecordFilter | None = None
    # The field that the date filter acts on.
    cursor_field: str = ""
    # The field can be null, which hides a row from the filter (BEHAVIOR 6).
    undated_rows: bool = False
    # A sync of several windows begins with one request for all of them (BEHAVIOR 25).
    first_page_first: bool = False
    # A 404 says "nothing there" (no usage, no such number type, a parent just deleted). A cursor
    # does not move by it: it could be a refusal too.
    missing_is_empty: bool = False
    # The page size to fall back to where the server fails at the usual one (BEHAVIOR 16).
    smaller_page_size: int | None = None
    # A query shows so many rows and no more: windows that hold more are split (BEHAVIOR 23).
    capped: bool = False
    # How far a window is requested beyond its end, unless that is in the future (BEHAVIOR 1).
    overlap_hours: int = 48
    _empty: set[tuple[str, Any]] = field(init=False, default_factory=set)
    _days_shown: dict[str, int] = field(init=False, default_factory=dict)
    _asked_first: dict[str, tuple[str, bool]] = field(init=False, default_factory=dict)
    _locks: dict[str, threading.Lock] = field(init=False, default_factory=dict)
    _refused: dict[str, bool] = field(init=False, default_factory=dict)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Show the pages in the builder: the factory arranges that for a SimpleRetriever only."""
        super().__post_init__(parameters)
        self._newest_end = to_text(datetime.now(timezone.utc) - CLOCK_MARGIN)
        self.log_formatter = lambda response: format_http_message(
            response,
            f"Stream '{self.name}' request",
            f"Request performed in order to extract records for stream '{self.name}'",
            self.name,
        )

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Record]:
        """Yield the records of the slice, then move the cursor to the slice's end."""
        window = stream_slice or StreamSlice(partition={}, cursor_slice={})
        account, name = window.partition.get("account_sid", ""), self.name
        if self._is_refused(account):
            return
        try:
            for page in self._read_slice(window):
                for row in self._converted(page, records_schema):
                    yield Record(QuietRow(row), name, window)
        except Exception:
            if account and not self._is_refused(account):
                LOGGER.warning("%s: account %s is incomplete; its cursor stays.", name, account)
            raise
        cursor_field = getattr(self.cursor, "cursor_field", None)
        unproven = self._is_refused(account) or (account, window.get("start_time")) in self._empty
        if self.cursor and cursor_field and not unproven:
            end = {cursor_field.cursor_field_key: window["end_time"]}
            self.cursor.observe(Record(end, name, window))

    def _converted(self, page: Page, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a page as they leave.

        Without filters and transformations the selector would still pass each row through six
        generators and two copies, a tenth of what a record costs: only its conversion is called.
        """
        selector = self.record_selector
        if selector.record_filter or selector.transformations:
            for record in selector.filter_and_transform(page.rows, {}, schema, page.part):
                yield record.data
            return
        for row in page.rows:
            selector.schema_normalization.transform(row, schema)
            yield row

    def _read_slice(self, window: StreamSlice) -> Iterator[Page]:
        """Yield all rows of a slice."""
        asked_first = self.undated_rows or self.first_page_first
        if asked_first and (yield from self._read_first(window)):
            return
        yield from self._read_window(window)

    def _pages(self, part: StreamSlice) -> Iterator[Page]:
        """Yield one list page by page, on failure once more with smaller pages."""
        token = None
        try:
            while True:
                response = self._fetch_next_page(part, token)
                if not response:
                    yield Page([], part, True)
                    return
                rows = list(self.record_selector.extractor.extract_records(response))
                token = self._next_page_token(response, len(rows), None, None)
                yield Page(rows, part, not token)
                if not token:
                    return
        except AirbyteTracedException as failed:
            helps = failed.failure_type != FailureType.config_error and self.smaller_page_size
            if not helps or "page_size" in part.extra_fields:
                raise
            smaller = {**part.extra_fields, "page_size": self.smaller_page_size}
            yield from self._pages(replaced(part, extra_fields=smaller))

    def _read_window(self, window: StreamSlice) -> Iterator[Page]:
        """Yield what the window's requests bring, less what a later window of this sync brings.

        Windows overlap (BEHAVIOR 1), and the newest has no end: it is the one that ends no earlier
        than CLOCK_MARGIN before this retriever was made.
        """
        if self.parents:
            yield from self._read_below(window)
            return
        window = self._within_reach(window)
        if not self.cursor_field or "end_time" not in window:
            yield from self._pages(window)
            return
        end = window["end_time"]
        if end < window["start_time"]:
            return
        has_successor = end < self._newest_end or "until" in window
        held: list[Page] = []
        oldest = ""
        try:
            for page in self._pages(window):
                if self.capped:
                    oldest = min(filter(None, [oldest, *map(self._date, page.rows)]), default="")
                if has_successor:
                    rows = [row for row in page.rows if self._date(row) <= end]
                    page = page._replace(rows=rows)
                if self.capped:
                    held.append(page)
                else:
                    yield page
        except OutOfReachError as limit:
            self._set_reach(window, limit.days)
            yield from self._read_window(window)
        except TooManyRowsError:
            late = from_text(end) + timedelta(hours=self.overlap_hours)
            late = min(late, datetime.now(timezone.utc))
            # What comes after the newest window is in the newest of its parts.
            whole = window if has_successor else limited(window, end_time=to_text(late))
            for half in split(whole, late, oldest):
                yield from self._read_window(half)
        else:
            yield from held

    def _read_below(self, window: StreamSlice) -> Iterator[Page]:
        """Yield the rows of the lists below the items that the parents show."""
        for parent in self.parents:
            for items, _, _ in parent._read_slice(window):
                if self.parent_filter:
                    items = list(self.parent_filter.filter_records(items, {}, window))
                for item in items:
                    partition = {**window.partition, "parent": item}
                    yield from self._pages(replaced(window, partition=partition))

    def _within_reach(self, window: StreamSlice) -> StreamSlice:
        """Return the window less the days that the account no longer shows (BEHAVIOR 10)."""
        days = self._days_shown.get(window.partition.get("account_sid", ""))
        if days is None:
            return window
        first = to_text(datetime.now(timezone.utc) - timedelta(days=days) + REACH_MARGIN)
        return limited(window, start_time=max(window["start_time"], first))

    def _set_reach(self, window: StreamSlice, days: int) -> None:
        """Note how many days the account of a window shows, which began before them."""
        account = window["account_sid"]
        with self._lock:
            first = self._days_shown.get(account) != days
            self._days_shown[account] = days
        if self._within_reach(window)["start_time"] == window["start_time"]:
            raise error(f"{self.name}: account {account} shows {days} days, and yet refuses them.")
        if first:
            LOGGER.warning(
                "%s: account %s shows its last %s days only; older rows are out of reach.",
                self.name,
                account,
                days,
            )

    def _read_first(self, window: StreamSlice) -> Generator[Page, None, bool]:
        """Ask for all windows of the account at once; return whether that brought all their rows.

        It does where the first page is the last (BEHAVIOR 25), so the other windows wait for it.
        The oldest window asks, on behalf of those after it.

        A list with rows whose filter field is null is asked without the filter, and read on for
        these rows. It comes newest first, so that ends at the first page whose last row is older
        than the window by every date it has (BEHAVIOR 6).
        """
        start, account = window["start_time"], window["account_sid"]
        everything = {} if self.undated_rows else {"start_time": start}
        pages = self._pages(replaced(window, cursor_slice=everything))
        with self._locks.setdefault(account, threading.Lock()):
            covered_from, whole = self._asked_first.get(account, ("~", False))
            if covered_from <= start:
                return whole
            self._asked_first[account] = start, False
            if not self.undated_rows and window["end_time"] >= self._newest_end:
                return False
            page = next(pages)
            whole = page.last
            self._asked_first[account] = start, whole
        since = start if self.undated_rows else ""
        while whole or self.undated_rows:
            rows = page.rows if whole else [row for row in page.rows if not row[self.cursor_field]]
            wanted = [row for row in rows if since <= self._age(row) < covered_from]
            yield page._replace(rows=wanted)
            if page.last or (page.rows and self._age(page.rows[-1]) < start):
                break
            page = next(pages)
        return whole

    def _age(self, row: Row) -> str:
        """Return the latest date that says how old a row is, for its filter field can be null."""
        return max(self._date(row), to_iso8601(row["date_created"] or "") or "")

    def _date(self, row: Row) -> str:
        """Return the date that the filter acts on, or "" where the row has none."""
        return to_iso8601(row[self.cursor_field] or "") or ""

    def _is_refused(self, account: str) -> bool:
        """Return whether Twilio refuses to show the account, to this list or to its parents."""
        return self._refused.get(account, False) or any(
            parent._is_refused(account) for parent in self.parents
        )

    def _request_params(
        self,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
        page_size_override: int | None = None,
    ) -> Mapping[str, Any]:
        """Return nothing for a link, which carries all its parameters (BEHAVIOR 11)."""
        if next_page_token:
            return {}
        return super()._request_params(stream_slice, next_page_token, page_size_override)

    def _fetch_next_page(
        self,
        stream_slice: StreamSlice,
        next_page_token: Mapping[str, Any] | None = None,
        page_size_override: int | None = None,
    ) -> requests.Response | None:
        """Fetch a page; the manifest lets 400, 401, 403 and 404 through to be judged here."""
        page_size_override = stream_slice.extra_fields.get("page_size", page_size_override)
        account = stream_slice.partition.get("account_sid", "")
        # A refusal of an account that the list calls closed or suspended is no surprise.
        expected = (stream_slice.extra_fields.get("status") or "active") != "active"
        pauses = iter(() if expected else REFUSAL_PAUSES_SECONDS)
        while True:
            with known(self.config).throttle, asking_for(account):
                response = super()._fetch_next_page(
                    stream_slice, next_page_token, page_size_override
                )
            if response is None:
                return None
            if response.status_code == 404 and self.missing_is_empty and not next_page_token:
                if "parent" not in stream_slice.partition:
                    self._empty.add((account, stream_slice.get("start_time")))
                return response
            if response.status_code == 400:
                raise bad_request(response)
            pause = None if response.ok else next(pauses, None)
            if pause is None:
                self._judge(response, account)
                return response
            time.sleep(pause)

    def _judge(self, response: requests.Response, account: str) -> None:
        """Note whether the account is shown or refused; raise where that cannot be skipped."""
        refused = not response.ok
        with self._lock:
            first = account not in self._refused
            if self._refused.setdefault(account, refused) != refused:
                raise error(f"{describe(response)}: now refused, now allowed. Rows may be missing.")
        if refused and first:
            own = account == self.config["account_sid"]
            if own and response.status_code in (401, 403):
                sentence = f"{self.name}: {may_not_read(response, self.config)}."
                raise error(sentence, FailureType.config_error)
            LOGGER.warning(
                "%s: Twilio refuses to show account %s (HTTP %s): skipped, its cursor stays.",
                self.name,
                account,
                response.status_code,
            )


class MayNotListError(Exception):
    """The credentials may not list the accounts."""

    def __init__(self, response: requests.Response) -> None:
        """Keep the answer."""
        super().__init__(code_of(response))
        self.response = response


@dataclass
class AccountsRetriever(TwilioRetriever):
    """The accounts to read, of those that Twilio shows; the manifest's filter selects them.

    Why not YAML: a filter can neither say that it selects nothing, nor which of the listed accounts
    do not exist. And a key that may not list accounts can still read its own (BEHAVIOR 26).
    """

    # Lists of an account, by the streams that read them.
    probes: Mapping[str, str] = field(default_factory=dict)
    # The stream that the accounts are for is of a product API (BEHAVIOR 14).
    of_product_api: bool = False

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Record]:
        """Yield the selected accounts, of which there must be one."""
        records = [*super().read_records(records_schema, stream_slice)]
        if not records:
            raise error(
                "No account is left to read: check account_selection, account_sids and "
                "include_inactive_accounts against the accounts that Twilio shows.",
                FailureType.config_error,
            )
        if self.of_product_api:
            own, tokens = self.config["account_sid"], known(self.config).tokens
            whole = len(records)
            records = [r for r in records if r.data["sid"] == own or tokens.get(r.data["sid"])]
            if whole > len(records):
                known(self.config).warn(
                    f"accounts: {whole - len(records)} subaccounts are left out of alerts, for "
                    "Twilio has not given their tokens: use the Auth Token of the main account, or "
                    "set subaccount_product_data to false."
                )
        yield from records

    def _read_slice(self, window: StreamSlice) -> Iterator[Page]:
        """Yield the account list once all of it is there, or the configured account alone."""
        memory = known(self.config)
        pages: list[Page] = []
        wrong = memory.still_refused()
        try:
            if not wrong and not memory.own_account_only:
                for page in self._pages(window):
                    pages.append(page)
        except MayNotListError as refused:
            if pages:
                raise error("Twilio refused the rest of the account list.") from refused
            with memory.lock:
                wrong = memory.still_refused()
                if not wrong and not memory.own_account_only:
                    wrong = memory.refused = self._prove(refused.response)
                    memory.refused_at = time.monotonic()
                    memory.own_account_only = not wrong
        if wrong:
            raise error(wrong, FailureType.config_error)
        pages = pages or [Page([{"sid": self.config["account_sid"]}], window, True)]
        self._verify({row.get("sid"): row for page in pages for row in page.rows})
        yield from pages

    def _judge(self, response: requests.Response, account: str) -> None:
        """Raise if the list is refused; there is no account to skip."""
        if not response.ok:
            raise MayNotListError(response)

    def _prove(self, refused: requests.Response) -> str:
        """Return why they open nothing; or warn that they open one account only."""
        if not has_key(self.config) or body_of(refused).get("code") in HOPELESS:
            return refusal(refused, self.config)
        account = self.config["account_sid"]
        with ThreadPoolExecutor(max_workers=5) as pool:
            answers = dict(
                zip(self.probes, pool.map(self._probe, self.probes.values()), strict=True)
            )
        refusals = {name: a for name, a in answers.items() if a.status_code in (401, 403)}
        if not any(answer.ok for answer in answers.values()):
            return refusal([refused, *refusals.values()][-1], self.config)
        closed = [*refusals]
        nor = f"; nor may it read {', '.join(closed)}" if closed else ""
        known(self.config).warn(
            f"accounts: this API key may not list accounts, so only account {account} is read{nor}."
        )
        return ""

    def _probe(self, path: str) -> requests.Response:
        """Ask a list of the configured account for one row."""
        account = self.config["account_sid"]
        url = urljoin(f"https://api.twilio.com/2010-04-01/Accounts/{account}/", path)
        with known(self.config).throttle:
            answer = self.requester.send_request(path=url, request_params={"PageSize": 1})
        return answer if answer is not None else requests.Response()

    def _verify(self, shown: Mapping[str, Row]) -> None:
        """Warn of listed accounts that are not shown; raise if the configured one is not."""
        own = self.config["account_sid"]
        if own not in shown:
            raise error(
                f"Account {own} is not among those that these credentials show: set account_sid to "
                "the account that the API key belongs to.",
                FailureType.config_error,
            )
        owner = shown[own].get("owner_account_sid", own)
        if owner != own and owner in shown:
            raise error(
                f"The API key belongs to the main account {owner}: set account_sid to it, and "
                "select the subaccount with account_sids.",
                FailureType.config_error,
            )
        if self.config.get("account_selection") == "listed":
            for account in self.config["account_sids"]:
                if account not in shown:
                    known(self.config).warn(
                        f"accounts: account_sids lists {account}, which Twilio does not show to "
                        "these credentials: it is not read."
                    )


class OutOfReachError(Exception):
    """The window begins before what the account shows: `days` back from now (BEHAVIOR 10)."""

    def __init__(self, days: int) -> None:
        """Keep the number of days."""
        super().__init__(days)
        self.days = days


class TooManyRowsError(Exception):
    """The query has more rows than Twilio shows of one query (BEHAVIOR 23)."""


def bad_request(response: requests.Response) -> Exception:
    """Return what a 400 says, which the CDK's error handlers cannot act on."""
    body = body_of(response)
    message = str(body.get("message") or body.get("detail") or "no reason given")
    days = re.search(r"(\d+)\s*days", message)
    if body.get("code") == 20004 and days:
        return OutOfReachError(int(days[1]))
    if "data is limited to" in message:
        return TooManyRowsError()
    return error(f"{describe(response)} was answered 400/{body.get('code')}: {message}")


def replaced(window: StreamSlice, **changes: Any) -> StreamSlice:
    """Return the slice with another `partition`, `cursor_slice` or `extra_fields`."""
    return StreamSlice(
        **{
            "partition": window.partition,
            "cursor_slice": window.cursor_slice,
            "extra_fields": window.extra_fields,
            **changes,
        }
    )


def limited(window: StreamSlice, **changes: str) -> StreamSlice:
    """Return the slice with other bounds: `start_time`, `end_time`, and `until`, as requested."""
    return replaced(window, cursor_slice={**window.cursor_slice, **changes})


def split(window: StreamSlice, late: datetime, oldest: str) -> list[StreamSlice]:
    """Return two windows instead of one that holds too many rows.

    `late` is where the window ended as requested, unless it says so itself (`until`). `oldest` is
    the oldest of the rows that the query did show: if they came newest first, the later window is
    small enough. If they did not, the middle at least halves the window.
    """
    start = from_text(window["start_time"])
    if window.get("until"):
        late = from_text(window["until"])
    at = max(start + (late - start) // 2, from_text(oldest) if oldest else start)
    if not start < at.replace(microsecond=0) < late:
        raise error("There are more rows in one second than Twilio shows of one query.")
    end = min(window["end_time"], to_text(at - timedelta(seconds=1)))
    return [
        limited(window, end_time=end, until=to_text(at)),
        limited(window, start_time=to_text(at)),
    ]


def from_text(text: str) -> datetime:
    """Return the moment that cursors and slices spell so."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def to_text(moment: datetime) -> str:
    """Return a moment as cursors and slices spell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# --------------------------------------------------------------------------------------------------
# State
# --------------------------------------------------------------------------------------------------


# Older connectors' cursors: back by the longest that Twilio takes to finalise a record (20).
LEGACY_STEP_BACK = timedelta(days=15)


@dataclass
class AccountStateMigration(StateMigration):
    """One cursor per account, whatever release or connector has left the state (BEHAVIOR 7, 24).

    Why not YAML: LegacyToPerPartitionStateMigration knows one of the formats and leaves keys that
    match no partition. And the CDK starts a partition without state at the newest cursor of all the
    others (`state`): an account that no sync has reached yet would lose its history.
    """

    declarative_stream: Any
    config: Mapping[str, Any]

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Return whether there is a state at all."""
        return bool(stream_state)

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the state in this connector's format."""
        cursor_field = self.declarative_stream.incremental_sync.cursor_field
        accounts: dict[str, datetime] = {}
        everywhere = first_moment(stream_state.get("state", stream_state))
        for entry in stream_state.get("states", []):
            partition, cursor = entry["partition"], first_moment(entry.get("cursor"))
            account = re.search(r"AC\w{32}", str(partition))
            if not account or not cursor:
                everywhere = everywhere or (cursor if not partition else None)
                continue
            # Ours has exactly these keys and cursors of the form that to_text writes.
            ours = set(partition) <= {"account_sid", "parent_slice"}
            if not ours or to_text(cursor) not in entry["cursor"].values():
                cursor -= LEGACY_STEP_BACK
            # Some formats have a partition per message or status: the one furthest behind counts.
            accounts[account[0]] = min(cursor, accounts.get(account[0], cursor))
        if self.declarative_stream.parameters.get("of_product_api") and everywhere:
            # Other connectors read the configured account's rows only (14).
            accounts.setdefault(self.config["account_sid"], everywhere - LEGACY_STEP_BACK)
        migrated = {
            "use_global_cursor": False,
            "states": [
                {
                    "partition": {"account_sid": account, "parent_slice": {}},
                    "cursor": {cursor_field: self._checked(cursor, account)},
                }
                for account, cursor in accounts.items()
            ],
        }
        if not accounts and everywhere:
            start = self._checked(everywhere - LEGACY_STEP_BACK, "")
            migrated |= {"state": {cursor_field: start}, "lookback_window": 0}
        return migrated

    def _checked(self, cursor: datetime, account: str) -> str:
        """Return the cursor as text, not later than now; warn if Twilio shows less by now."""
        now = datetime.now(timezone.utc)
        kept_for = re.fullmatch(r"P(\d+)D", self.declarative_stream.parameters.get("kept_for", ""))
        if kept_for and cursor < now - timedelta(days=int(kept_for[1])):
            LOGGER.warning(
                "%s: the last sync%s reached %s, and Twilio shows %s days only: what lies between "
                "is out of reach (BEHAVIOR 10).",
                self.declarative_stream.name,
                f" of account {account}" if account else "",
                to_text(cursor),
                kept_for[1],
            )
        return to_text(min(cursor, now))


def first_moment(cursor: Any) -> datetime | None:
    """Return the first value of a cursor that is a moment."""
    for value in cursor.values() if isinstance(cursor, Mapping) else ():
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
            text = to_iso8601(value) or ""
            return from_text(text[:19] + "Z")
    return None
