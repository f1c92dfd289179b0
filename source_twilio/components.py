"""The edge cases of Twilio's API that YAML cannot say; manifest.yaml says everything else.

"BEHAVIOR n" refers to the numbered entry of BEHAVIOR.md that gives the fact and its source.
"""

import logging
import re
import threading
import time
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple, Union
from urllib.parse import urlsplit

import orjson
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.auth.token import BasicHttpAuthenticator
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor
from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.http_logger import format_http_message
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.types import Config, Record, StreamSlice
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

LOGGER = logging.getLogger("airbyte")

Row = Dict[str, Any]

REFUSED = (401, 403, 404)
# A lone 401 from Twilio's edge is reported to pass: ask twice more before believing it (BEHAVIOR 9).
SECONDS_BEFORE_ASKING_AGAIN = (0.5, 1.5)


# --------------------------------------------------------------------------------------------------
# Credentials
# --------------------------------------------------------------------------------------------------


@dataclass
class TwilioAuthenticator(BasicHttpAuthenticator):
    """HTTP Basic that goes to Twilio's hosts only and keeps every token out of what is stored.

    Why not YAML: the CDK caches parent responses on disk and logs bodies at DEBUG. A hook on the
    request is the only place that sees a response before either does, and the accounts list carries
    the live `auth_token` of every subaccount (BEHAVIOR 2).
    """

    def __call__(self, request: requests.PreparedRequest) -> Any:
        """Sign the request; a host that is not Twilio's raises instead of learning the token."""
        host = urlsplit(str(request.url)).hostname or ""
        if not host.endswith(".twilio.com"):
            message = f"Refused to follow a link to '{host}': credentials go to Twilio's hosts only."
            raise AirbyteTracedException(message, message, FailureType.system_error)
        add_to_secrets(self.token.removeprefix("Basic "))
        if read_page not in request.hooks["response"]:
            request.register_hook("response", read_page)
        return super().__call__(request)


def read_page(response: requests.Response, **_: Any) -> None:
    """Parse a 200 once, where a body that is no JSON still counts as a failed request.

    The parsed body is left on the response as `page`, without the tokens of accounts.
    Raises `ContentDecodingError`, which the CDK retries like a broken connection (BEHAVIOR 12).
    """
    if response.status_code != requests.codes.ok:
        return
    try:
        page = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise requests.exceptions.ContentDecodingError(
            f"{describe(response)} answered with a body that is not JSON."
        ) from error
    if isinstance(page, dict) and b'"auth_token"' in response.content:
        for account in page.get("accounts") or []:
            add_to_secrets(account.pop("auth_token", ""))
        response._content = orjson.dumps(page)
    response.page = page  # type: ignore[attr-defined]


def describe(response: requests.Response) -> str:
    """Name the request of a response, e.g. `GET https://api.twilio.com/...json`, without query."""
    return f"{response.request.method} {str(response.url).partition('?')[0]}"


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
    parameters: InitVar[Mapping[str, Any]]

    def extract_records(self, response: requests.Response) -> List[Row]:
        """Return the rows; a page that has no list of them raises, naming the request."""
        page = getattr(response, "page", None) or orjson.loads(response.content)
        rows = page.pop(self.list_key, None) if isinstance(page, dict) else None
        if not isinstance(rows, list):
            message = f"{describe(response)} answered without a list named '{self.list_key}'."
            raise AirbyteTracedException(message, message, FailureType.transient_error)
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
        super().__init__(TransformConfig.NoTransform)
        self._compiled: Dict[int, List[Tuple[str, Callable[[str], Any]]]] = {}

    def transform(self, record_data: Row, schema: Mapping[str, Any]) -> None:
        """Convert the record in place."""
        converters = self._compiled.get(id(schema))
        if converters is None:
            converters = self._compiled[id(schema)] = list(compile_schema(schema))
        for name, convert in converters:
            value = record_data.get(name)
            if value.__class__ is str:
                record_data[name] = convert(value)


def compile_schema(schema: Mapping[str, Any]) -> Iterable[Tuple[str, Callable[[str], Any]]]:
    """Yield (field, converter) for each field that travels as a string and leaves as another type."""
    for name, field_schema in schema.get("properties", {}).items():
        types = field_schema.get("type", ())
        if field_schema.get("format") == "date-time":
            yield name, to_iso8601
        elif "number" in types or "integer" in types:
            yield name, to_number


RFC2822 = re.compile(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d:\d\d:\d\d) \+0000")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


@lru_cache(maxsize=65536)
def to_iso8601(text: str) -> Optional[str]:
    """Return an RFC 2822 or ISO 8601 date-time as `2019-05-24T17:44:46Z`; any other text as it is."""
    usual = RFC2822.fullmatch(text)
    if usual and usual[2] in MONTHS:
        return f"{usual[3]}-{MONTHS.index(usual[2]) + 1:02}-{usual[1]}T{usual[4]}Z"
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text) if "," in text else parse_iso8601(text)
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except ValueError:
        return text


def parse_iso8601(text: str) -> datetime:
    """Read ISO 8601; a time without a zone is UTC, as all of Twilio's are."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


@lru_cache(maxsize=65536)
def to_number(text: str) -> Union[int, float, str, None]:
    """Return the number that a string holds, exactly; what no JSON number can hold stays text."""
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        return text
    exact = Decimal(text)
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


@dataclass
class TwilioRetriever(SimpleRetriever):
    """Reads one window of one account, and moves the cursor only when all of it has arrived.

    Why not YAML, each in its place below:
    - the cursor follows the end of a complete window, not the newest row seen (BEHAVIOR 5);
    - an account that Twilio refuses to show is skipped with a visible warning (BEHAVIOR 9);
    - rows whose filter field is null match no date filter and need a pass of their own (BEHAVIOR 6);
    - lists below a list (`parents`) are read inside the account's own partition, so that one account
      cannot stop the others and state does not grow with the number of parents (BEHAVIOR 8).
    """

    cursor: Optional[Cursor] = None
    # The lists whose items this list hangs under; `stream_partition.parent` holds the item.
    parents: List["TwilioRetriever"] = field(default_factory=list)
    # The field that the date filter acts on.
    cursor_field: str = ""
    # The field can be null, which hides a row from the filter.
    undated_rows: bool = False
    # A 404 says "nothing there" (no usage, no such number type, a parent just deleted).
    missing_is_empty: bool = False
    _undated_read_from: Dict[str, str] = field(init=False, default_factory=dict)
    _refused: Dict[str, bool] = field(init=False, default_factory=dict)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        # The factory gives it to a SimpleRetriever only; the builder shows pages by it.
        self.log_formatter = lambda response: format_http_message(
            response,
            f"Stream '{self.name}' request",
            f"Request performed in order to extract records for stream '{self.name}'",
            self.name,
        )

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: Optional[StreamSlice] = None
    ) -> Iterable[Record]:
        """Yield the records of the slice, then move the cursor to the slice's end."""
        window = stream_slice or StreamSlice(partition={}, cursor_slice={})
        account = window.partition.get("account_sid", "")
        if self._is_refused(account):
            return
        try:
            for record in self._read_window(records_schema, window):
                yield Record(QuietRow(record.data), self.name, window)
        except Exception:
            LOGGER.warning("%s: account %s is incomplete; its cursor stays.", self.name, account)
            raise
        if self.cursor and window.cursor_slice and not self._is_refused(account):
            end = {self.cursor.cursor_field.cursor_field_key: window["end_time"]}
            self.cursor.observe(Record(end, self.name, window))

    def _read_window(self, schema: Mapping[str, Any], window: StreamSlice) -> Iterable[Record]:
        """Yield all that belongs to a window."""
        if self.undated_rows:
            yield from self._read_undated(schema, window)
        for part in self._parts(window):
            for record in super().read_records(schema, part):
                if self.parents or not self._belongs_later(record, window):
                    yield record

    def _belongs_later(self, record: Record, window: StreamSlice) -> bool:
        """Return whether a later window brings the row: windows overlap (BEHAVIOR 1).

        Of the last two days no row does, since none of their windows has an upper bound.
        """
        end = window.get("end_time", "~")
        recent = (datetime.now(timezone.utc) - timedelta(days=2)).isoformat()
        return end < recent and end < self._date(record) < recent

    def _parts(self, window: StreamSlice) -> Iterable[StreamSlice]:
        """Yield what to request: the window itself, or one slice for each item of the parents."""
        if not self.parents:
            yield window
        for parent in self.parents:
            for item in parent.read_records({}, window):
                yield StreamSlice(
                    partition={**window.partition, "parent": item.data},
                    cursor_slice=window.cursor_slice,
                    extra_fields=window.extra_fields,
                )

    def _read_undated(self, schema: Mapping[str, Any], window: StreamSlice) -> Iterable[Record]:
        """Yield the rows whose filter field is null, from the newest down to the window's start.

        The list comes without a date filter and newest first, so the pass ends at the first row
        that is older than the window by every date it has. Of an account's windows only the oldest
        makes the pass: it covers the later ones.
        """
        start, account = window["start_time"], window["account_sid"]
        with self._lock:
            if self._undated_read_from.get(account, "~") <= start:
                return
            self._undated_read_from[account] = start
        undated = StreamSlice(
            partition=window.partition, cursor_slice={}, extra_fields=window.extra_fields
        )
        for record in super().read_records(schema, undated):
            date = self._date(record)
            if max(date, to_iso8601(record["date_created"]) or "") < start:
                return
            if not date:
                yield record

    def _date(self, record: Record) -> str:
        """Return the date that the filter acts on, or "" where the row has none."""
        return to_iso8601(record.data.get(self.cursor_field) or "") or ""

    def _is_refused(self, account: str) -> bool:
        return self._refused.get(account, False) or any(
            parent._is_refused(account) for parent in self.parents
        )

    def _request_params(self, stream_slice=None, next_page_token=None, **kwargs):  # type: ignore[no-untyped-def,override]
        """Follow a link as it is: it carries all its parameters (BEHAVIOR 11)."""
        if next_page_token:
            return {}
        return super()._request_params(stream_slice, next_page_token, **kwargs)

    def _fetch_next_page(
        self,
        stream_slice: StreamSlice,
        next_page_token: Optional[Mapping[str, Any]] = None,
        **kwargs: Any,
    ) -> Optional[requests.Response]:
        """Fetch a page; the manifest lets 401, 403 and 404 through to be judged here."""
        # A refusal of an account that the list calls closed or suspended is no surprise.
        surprising = stream_slice.extra_fields.get("status", "active") == "active"
        for pause in (*(SECONDS_BEFORE_ASKING_AGAIN if surprising else ()), None):
            response = super()._fetch_next_page(stream_slice, next_page_token, **kwargs)
            assert response is not None
            if response.status_code == 404 and self.missing_is_empty and not next_page_token:
                return response
            if response.ok or pause is None:
                break
            time.sleep(pause)
        account = stream_slice.partition.get("account_sid", "")
        refused = not response.ok
        if refused and not account:
            message = (
                f"Twilio refused the credentials (HTTP {response.status_code}): check that account_sid "
                "starts with AC, that auth_token is the current token of that same account, and that "
                "the account is active."
            )
            raise AirbyteTracedException(message, message, FailureType.config_error)
        with self._lock:
            first = account not in self._refused
            if self._refused.setdefault(account, refused) != refused:
                message = f"{describe(response)} was refused in one place and allowed in another."
                raise AirbyteTracedException(message, message, FailureType.transient_error)
        if refused and first:
            LOGGER.warning(
                "%s: Twilio refuses to show account %s (HTTP %s); it is skipped and its cursor stays.",
                self.name,
                account,
                response.status_code,
            )
        return response


# --------------------------------------------------------------------------------------------------
# State
# --------------------------------------------------------------------------------------------------


class PartitionStateMigration(StateMigration):
    """Keeps an account that no sync has reached yet out of the reach of the others' progress.

    Why not YAML: the CDK starts a partition without state at the newest cursor of all the others
    (`state`), so an account that was never read would lose its history (BEHAVIOR 7).
    """

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Return whether the state holds a cursor for all accounts."""
        return "state" in stream_state

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the state without it."""
        return {key: value for key, value in stream_state.items() if key != "state"}
