"""A body becomes rows: it is parsed, secrets are taken out, and strings get their types."""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson
import requests
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor
from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from airbyte_cdk.utils import airbyte_secrets_utils

from source_twilio.errors import LOGGER, describe, error
from source_twilio.timestamps import COMMON_TIME, common_day, read_date, to_iso8601

Row = dict[str, Any]
Converter = Callable[[str], Any]

# A token in text that is not JSON, or in a text inside JSON, however it is quoted.
TOKEN_IN_TEXT = re.compile(
    rb"""(auth[_-]?token(?:[\\"'\s]|&\w+;)*[:=](?:[\\"'\s]|&\w+;)*)[^\\"'\s,;&<>{}\[\]]+""",
    re.IGNORECASE,
)
# How a key ends that holds a token, in lower case and without what joins its words (BEHAVIOR 2).
TOKEN_KEY = "authtoken"
# And a one-time code, which is too short to be masked elsewhere.
SECRET_KEYS = (TOKEN_KEY, "verificationcode")
# A shorter text is no token, and may well be a part of others.
SHORTEST_TOKEN = 8
# JSON can spell a letter of a key so. Nobody does, so a search costs less than a look at all keys.
ESCAPED_LETTER = re.compile(rb"\\u00[5-7]")
# A number of more than fifteen digits, which a double may not hold, once all digits are 0 and all
# that can stand before a number is a colon. A regular expression takes seven times as long.
LONG_NUMBER = b":" + b"0" * 16
NUMBERS = bytes.maketrans(b"123456789.+-eE,[ \t\r\n", b"0" * 14 + b":" * 6)
STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
LOWER_CASE = bytes(range(256)).lower()
# How the first row of a page begins, and so all others do.
FIRST_ROW = re.compile(rb'\[\s*(\{\s*"\w+"\s*:)')
# A field with a date as the 2010 API spells it: the day, and the time.
COMMON_DATE = rb'"%b": ?"(\w{3}, \d\d \w{3} \d{4} )' + COMMON_TIME.pattern.encode() + b'"'
# The CDK's list that a secret is in, by the secret. A new run in this process makes a new list.
REGISTERED: dict[str, Any] = {}


def register_secrets(*found: str) -> None:
    """Have logs mask secrets: once, because the CDK searches its whole list for each log line."""
    secrets = vars(airbyte_secrets_utils)["__SECRETS_FROM_CONFIG"]
    for secret in found:
        if REGISTERED.get(secret) is not secrets:
            airbyte_secrets_utils.add_to_secrets(secret)
            REGISTERED[secret] = secrets


@dataclass
class Arriving:
    """A body that is passed on as it arrives, until its time is over (BEHAVIOR 53).

    Each piece that urllib3 makes itself waits until it is full: of bytes that come one by one there
    would be no piece for hours, and no read times out.
    """

    raw: Any
    seconds: float

    def stream(self, size: int, decode_content: bool = True) -> Iterator[bytes]:
        """Yield pieces of at most `size` bytes; raise `ReadTimeout` when the time is over."""
        over = time.monotonic() + self.seconds
        while piece := self.raw.read1(size, decode_content=decode_content):
            yield piece
            if time.monotonic() > over:
                raise requests.ReadTimeout(f"No whole body came in {self.seconds:.0f} seconds.")


def read_page(
    response: requests.Response, tokens: dict[str, str], seconds: float, undated_by: str = ""
) -> None:
    """Parse a body once, and take every `auth_token` out of it, whatever its status (BEHAVIOR 30).

    The tokens of a list of accounts go to `tokens`, by SID. Rows with a date in `undated_by` are
    left out. A parsed body stays on the response as `page`. Raises `ReadTimeout` for a body that
    takes longer than `seconds`, and `ContentDecodingError` for a 2xx that is not JSON: the CDK asks
    again as it does for a broken connection (BEHAVIOR 12).
    """
    raw = response.raw
    response.raw = Arriving(raw, seconds)
    try:
        # In large pieces: requests' own are of 10 KB, which costs as much as parsing.
        content = response._content = b"".join(response.iter_content(1 << 16))
    finally:
        response.raw = raw
    served = 200 <= response.status_code < 300
    if served and undated_by:
        content = response._content = without_dated(content, undated_by)
    try:
        page = parse(content)
    except (ValueError, RecursionError) as cause:
        response._content = without_secrets(content)
        if not served:
            return
        raise requests.exceptions.ContentDecodingError(
            f"{describe(response)} returned invalid JSON."
        ) from cause
    # Also an error without a token: messages quote it, and must not hold broken characters.
    keys = content.translate(LOWER_CASE, b"_-")
    named = any(key.encode() in keys for key in SECRET_KEYS)
    if named or ESCAPED_LETTER.search(content) or not served:
        found: dict[str, str] = {}
        remove_tokens(page, found)
        if served and isinstance(page, dict) and isinstance(page.get("accounts"), list):
            tokens.update(found)
        response._content = TOKEN_IN_TEXT.sub(rb"\1****", orjson.dumps(page))
    if not served:
        response._content = without_secrets(response._content)
        page = orjson.loads(response._content)
    response.page = page  # type: ignore[attr-defined]


def without_dated(content: bytes, field: str) -> bytes:
    """Return the body of a page without the rows that have a date, other than the last.

    To find those rows takes a third of the time that it takes to read them. A body that does not
    look as Twilio's do is returned as it is, and so is a row whose date is not spelled as usual.
    """
    first = FIRST_ROW.search(content)
    if not first:
        return content
    begin, *rows = content.split(first[1])
    last, date = rows.pop(), re.compile(COMMON_DATE % field.encode())
    # What begins so within a row would follow something else.
    if not all(row.endswith((b"},", b"}, ")) for row in rows):
        return content
    kept = [
        row for row in rows if not ((found := date.search(row)) and common_day(found[1].decode()))
    ]
    return first[1].join([begin, *kept, last])


def without_secrets(content: bytes) -> bytes:
    """Return the body of an error without any secret that is known: messages quote it (52)."""
    text = TOKEN_IN_TEXT.sub(rb"\1****", content).decode("utf-8", "surrogateescape")
    return airbyte_secrets_utils.filter_secrets(text).encode("utf-8", "surrogateescape")


def parse(content: bytes) -> Any:
    """Return what a JSON body holds, or raise ValueError or RecursionError.

    Bytes that are not UTF-8 and halves of a surrogate pair become U+FFFD, and a byte order mark is
    passed over (BEHAVIOR 29). A number stays exact, if need be as text (BEHAVIOR 4).
    """
    try:
        # Most that look so are texts, such as the number of a parcel.
        if not has_long_number(content) or not has_long_number(STRING.sub(b"", content)):
            return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    lenient = json.JSONDecoder(
        parse_int=to_number, parse_float=to_number, parse_constant=str, strict=False
    )
    text = json.dumps(lenient.decode(content.decode("utf-8-sig", "replace")), ensure_ascii=False)
    return orjson.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def has_long_number(content: bytes) -> bool:
    """Return whether JSON may hold a number that a double does not."""
    return LONG_NUMBER in content.translate(NUMBERS)


def remove_tokens(value: Any, found: dict[str, str]) -> None:
    """Move each `auth_token` of what was parsed to `found`, by the SID beside it, and mask it.

    So are other spellings of the key, and a second token. What else of an object quotes one of its
    tokens is masked too. One-time codes are dropped.
    """
    if isinstance(value, dict):
        for key in [key for key in value if plain(key).endswith(SECRET_KEYS)]:
            token = value.pop(key)
            if not token or not isinstance(token, str) or not plain(key).endswith(TOKEN_KEY):
                continue
            register_secrets(token)
            if plain(key) == TOKEN_KEY:
                found[str(value.get("sid"))] = token
            replace_token(value, token)
        value = [*value.values()]
    for item in value if isinstance(value, list) else ():
        remove_tokens(item, found)


def plain(key: str) -> str:
    """Return a key in lower case and without what joins its words."""
    return key.lower().replace("_", "").replace("-", "")


def replace_token(value: Row, token: str) -> None:
    """Mask a token wherever an object quotes it."""
    quoted, content = orjson.dumps(token)[1:-1], orjson.dumps(value)
    if len(token) >= SHORTEST_TOKEN and quoted in content:
        value.clear()
        value.update(orjson.loads(content.replace(quoted, b"****")))


@dataclass
class PageExtractor(RecordExtractor):
    """The rows under `list_key` of the page that `read_page` parsed; without one, the page itself.

    Why not YAML: DpathExtractor parses the body again, takes a page without its list for an empty
    one (rows lost in silence), and visits every leaf of a page to find one key.
    """

    list_key: str = ""

    def extract_records(self, response: requests.Response) -> list[Row]:
        """Return the rows; a page that has no list of them raises, naming the request."""
        page = getattr(response, "page", None)
        rows: Any = [page]
        if self.list_key:
            rows = page.pop(self.list_key, None) if isinstance(page, dict) else None
        wanted = {dict, type(None)} if self.list_key else {dict}
        if not isinstance(rows, list) or not wanted.issuperset(map(type, rows)):
            raise error(f"{describe(response)} returned no list of '{self.list_key}'.")
        if not all(rows):
            # The CDK's queue takes an empty record for the end of all streams (BEHAVIOR 29).
            LOGGER.warning("%s returned empty records: skipped.", describe(response))
            rows = [row for row in rows if row]
        # The paginator parses the body once more for its link: leave it nothing but that.
        response._content = orjson.dumps(page)
        return list[Row](rows)


@dataclass
class UpdatedSince(RecordFilter):
    """Passes on the rows that changed since the slice began (BEHAVIOR 13).

    Why not YAML: format_datetime reads one spelling of a date, and raises where it finds another.
    `is_client_side_incremental` also drops what is newer than the slice, which ends an hour before
    the sync. A row whose `date_updated` is absent or no date is passed on: its age is unknown
    (BEHAVIOR 3). A `condition` drops rows besides.
    """

    def filter_records(
        self,
        records: Iterable[Mapping[str, Any]],
        stream_state: Mapping[str, Any],
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> Iterable[Mapping[str, Any]]:
        """Yield the rows that may have changed."""
        if self.condition:
            records = super().filter_records(records, stream_state, stream_slice, next_page_token)
        since = stream_slice["start_time"] if stream_slice else ""
        for row in records:
            if (read_date(row.get("date_updated")) or since) >= since:
                yield row


class SchemaNormalization(TypeTransformer):
    """Turns Twilio's strings into the types of the stream's schema, field by field.

    Why not YAML: `schema_normalization: Default` walks the schema for each record (about 750 us)
    and cannot read RFC 2822. Here a schema is compiled once into (field, converter) pairs; a field
    that the schema calls a string is never touched, whatever it looks like (BEHAVIOR 3, 4).
    """

    def __init__(self) -> None:
        # Not the CDK's constructor: it makes a class of validators that is not used, in 0.4 ms.
        self._config = TransformConfig.NoTransform
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
        elif "number" in types:
            yield name, to_number
        elif "integer" in types:
            yield name, to_integer
        elif "boolean" in types:
            yield name, to_boolean


# An exponent of thousands would fill the memory with digits, and is no figure of Twilio's.
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
# A double holds any number of fifteen digits (IEEE 754), and these are all that Twilio sends.
SHORT_NUMBER = re.compile(r"-?\d{1,7}(\.\d{1,8})?", re.ASCII)


@lru_cache(maxsize=65536)
def to_number(text: str) -> int | float | str | None:
    """Return exactly the number that a string holds; text that no number holds exactly stays.

    Integers are of 64 bits and other numbers doubles, as in destinations (BEHAVIOR 4).
    """
    if not text:
        return None
    if SHORT_NUMBER.fullmatch(text):
        short = float(text)
        return int(short) if short.is_integer() else short
    if not NUMBER.fullmatch(text):
        return text
    exact = Decimal(text)
    if exact == exact.to_integral_value():
        return int(exact) if -(2**63) <= exact < 2**63 else text
    number = float(exact)
    return number if Decimal(repr(number)) == exact else text


@lru_cache(maxsize=65536)
def to_integer(text: str) -> int | str | None:
    """Return the integer that a string holds; other text stays (BEHAVIOR 4)."""
    number = to_number(text)
    return text if isinstance(number, float) else number


BOOLEANS = {"": None, "true": True, "1": True, "yes": True}
BOOLEANS |= {"false": False, "0": False, "no": False}


def to_boolean(text: str) -> bool | str | None:
    """Return what a string says; other text stays (BEHAVIOR 4)."""
    return BOOLEANS.get(text.lower(), text)
