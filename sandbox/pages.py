"""Pages, and the links between them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

import orjson

from sandbox.errors import ApiError
from sandbox.tables import Match, Row, Table
from sandbox.wire import Wire

Pairs = list[tuple[str, str]]


class Link(NamedTuple):
    """The address of a list's pages."""

    host: str
    path: str
    kept: Pairs
    size: int

    def to(self, page: int, token: str = "") -> str:
        """Return the link to a page."""
        pairs = [*self.kept, ("PageSize", str(self.size)), ("Page", str(page))]
        if token:
            pairs.append(("PageToken", token))
        query = "&".join(f"{quote(name, '')}={quote(value, ':')}" for name, value in pairs)
        return (f"https://{self.host}" if self.host else "") + f"{self.path}?{query}"


def start_of(match: Match, table: Table, token: str, page: int, size: int) -> int:
    """Return the index of the page's first row in the match."""
    if not token:
        if page:
            raise ApiError(400, 70002, "Pages are reached by their PageToken")
        return 0
    row = table.rows.get(token[2:])
    if row is None or token[:2] not in ("PA", "PB"):
        raise ApiError(400, 21481, "Invalid PageToken")
    if token.startswith("PA"):
        return bisect_right(match.order, row.order)
    return max(0, bisect_left(match.order, row.order) - size)


def number(query: Mapping[str, str], name: str, default: int, least: int) -> int:
    """Return a number of the query."""
    value = query.get(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise ApiError(400, 20001, f"Invalid {name} value: {value}")
    return int(value)


def body_of(head: Wire, key: str, rows: list[Row]) -> bytes:
    """Return the body of a page."""
    raws = b",".join([row.raw for row in rows])
    return b'%b,"%b":[%b]}' % (orjson.dumps(head)[:-1], key.encode(), raws)
