"""A body becomes rows: it is parsed, secrets are taken out, and strings get their types."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson
import requests
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets, filter_secrets

from source_twilio.dates import to_iso8601
from source_twilio.errors import describe, error

Row = dict[str, Any]
Converter = Callable[[str], Any]


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


NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
# A double holds any number of fifteen digits (IEEE 754), and these are all that Twilio sends.
SHORT_NUMBER = re.compile(r"-?\d{1,7}(\.\d{1,8})?", re.ASCII)


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
