"""Twilio's own definition of its lists: `fields.json`, which `dev/docs/fields.py` writes.

Each line of the table is one list, by the name of the stream that reads it:

- `url`: server and path, with Twilio's placeholders;
- `list_key`: the field of a body that holds the rows; null where the body is itself the record;
- `paging`: "uri" for links at the top of a body, "meta" for those of the product APIs; the field of
  `meta` that holds the token of the next page (`nextToken`, `next_token`); or null;
- `page_size`: the largest page that Twilio documents, or null;
- `params`: its parameters, but for those of paging;
- `fields`: the fields of a row.

A parameter or field is written `TYPE[?][:FORMAT][ DETAIL]`; "?" is nullable. The detail holds the
letters that a SID begins with (`MG`, `SM|MM`), the values of an enumeration (`active|closed`), or
the properties of an object (`sms,voice`). `any` is a type that Twilio does not tell.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

TABLE = Path(__file__).with_name("fields.json")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
# The parameters of a page's size and of its token, where they have other names than usual.
PAGE_PARAMS = {"nextToken": ("pageSize", "pageToken"), "next_token": ("Size", "Token")}
DATES = ("date", "date-time", "date-time-rfc-2822")


class Field(NamedTuple):
    """A field or parameter: `string?:sid MG` is type string, nullable, format sid, detail MG."""

    type: str
    nullable: bool
    format: str
    detail: str

    @property
    def values(self) -> list[str]:
        """The values of an enumeration."""
        return [] if self.format == "sid" or "|" not in self.detail else self.detail.split("|")

    @property
    def properties(self) -> list[str]:
        """The properties of an object, or of the objects of an array."""
        return self.detail.split(",") if "object" in self.type and self.detail else []


@lru_cache(maxsize=4096)
def field(text: str) -> Field:
    """Return a field or parameter as the table writes it."""
    head, _, detail = text.partition(" ")
    kind, _, formats = head.partition(":")
    return Field(kind.rstrip("?"), kind.endswith("?"), formats, detail)


class Resource:
    """A list of Twilio's, as the table has it.

    Attributes:
        name: of the entry in the table.
        url: server and path, with Twilio's placeholders.
        list_key: the field of a body that holds the rows; None where the body is the record.
        paging: "uri", "meta", the field with the token of the next page, or None.
        page_size: the largest page, or None.
    """

    def __init__(self, name: str, entry: dict[str, Any]) -> None:
        """Take an entry of the table."""
        self.name = name
        self.url: str = entry["url"]
        self.list_key: str | None = entry["list_key"]
        self.paging: str | None = entry["paging"]
        self.page_size: int | None = entry["page_size"]
        self._entry = entry

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields of a row."""
        return {name: field(text) for name, text in self._entry["fields"].items()}

    @cached_property
    def params(self) -> dict[str, Field]:
        """The parameters, but for those of paging."""
        return {name: field(text) for name, text in self._entry["params"].items()}

    @property
    def page_params(self) -> tuple[str, str]:
        """The parameters of a page's size and of its token."""
        return PAGE_PARAMS.get(self.paging or "", ("PageSize", "PageToken"))

    @cached_property
    def product(self) -> str:
        """The first part of the host's name, such as `api` or `messaging`."""
        return urlsplit(self.url).netloc.partition(".")[0]

    @cached_property
    def path(self) -> str:
        """The path, with Twilio's placeholders."""
        return urlsplit(self.url).path

    @cached_property
    def placeholders(self) -> list[str]:
        """The parameters of the path below the account: `["FlowSid", "ExecutionSid"]`."""
        return [name for name in PLACEHOLDER.findall(self.path) if name != "AccountSid"]


def shape(url: str) -> str:
    """Return a URL without its query and without the names of its placeholders."""
    return PLACEHOLDER.sub("{}", url.partition("?")[0])


RESOURCES = {
    name: Resource(name, entry) for name, entry in orjson.loads(TABLE.read_bytes()).items()
}
BY_SHAPE = {shape(resource.url): resource for resource in RESOURCES.values()}
