"""Twilio's list endpoints as a function of a request, over a data set and a clock.

Lists come newest first, by date_created (usage by start_date). Pages follow a key, not a number:
`PageToken` is "PA" and the SID of the last row seen, so rows that arrive meanwhile shift nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox import rules
from sandbox.credentials import Account, Credentials, Key
from sandbox.data import AS_OF
from sandbox.endpoints import ENDPOINTS, HOSTS, REGIONS, ROUTES, STREAMS, Endpoint
from sandbox.errors import ApiError, missing
from sandbox.fields import PAGE_PARAMS
from sandbox.pages import Link, Pairs, body_of, number, start_of
from sandbox.tables import Match, Table
from sandbox.wire import Wire, iso8601, rfc2822, seconds_of

__all__ = ["ENDPOINTS", "HOSTS", "REGIONS", "ROUTES", "STREAMS", "Account", "Api", "Key"]

Response = tuple[int, bytes]

ONE_ACCOUNT = re.compile(r"/2010-04-01/Accounts/([^/]+)\.json")


@dataclass(kw_only=True, eq=False, repr=False)
class Api(Credentials):
    """Twilio's responses, and its data to read and change."""

    def rows(
        self, stream: str, account_sid: str, query: Mapping[str, str] | None = None
    ) -> list[Wire]:
        """Return an account's rows as Twilio would list them now, newest first.

        A stream with a parent gives the rows of all parents. The query is that of a request
        without its paging, say `{"IncludeSoftDeleted": "true"}`. Unlike a request, conferences
        come in every status unless the query names one: no request lists them all.
        """
        endpoint, query = STREAMS[stream], dict(query or {})
        with self._lock:
            found = [
                row.wire
                for above in self._above(endpoint, account_sid)
                for row in self._select(endpoint, account_sid, (above or [""])[-1], query).rows
            ]
            if stream == "usage_records":
                return [wire | {"as_of": self._as_of()} for wire in found]
            return found

    def add(self, stream: str, account_sid: str, parent: str = "", **fields: Any) -> Wire:
        """Add a row and return it; `parent` is the SID or country in its path.

        Other fields follow a pattern, dates the clock. Dates may be given as datetime.
        """
        with self._lock:
            fields = {name: _wired(stream, value) for name, value in fields.items()}
            created = fields.get("date_created") or fields.get("start_date")
            when = seconds_of(created) if created else self._seconds()
            return self._store.add(stream, account_sid, when, parent, **fields).wire

    def update(self, stream: str, sid: str, **fields: Any) -> None:
        """Change a row, wherever it is listed; date_updated is now unless given."""
        with self._lock:
            fields = {name: _wired(stream, value) for name, value in fields.items()}
            for table in self._tables_with(stream, sid):
                row = table.rows[sid]
                if "date_updated" in row.wire:
                    row.update({"date_updated": _wired(stream, self.now())})
                row.update(fields)

    def delete(self, stream: str, sid: str) -> None:
        """Remove a row permanently; a recording that stays listed is `status="deleted"`."""
        with self._lock:
            for table in self._tables_with(stream, sid):
                del table.rows[sid]

    def _tables_with(self, stream: str, sid: str) -> list[Table]:
        tables = list(self._store.tables_with(stream, sid))
        if not tables:
            raise KeyError(f"{stream}: {sid}")
        return tables

    def answer(self, host: str, path: str, pairs: Pairs, user: str, password: str) -> Response:
        """Return status and body for a GET request."""
        with self._lock:
            try:
                return self._answer(host, path, pairs, user, password)
            except ApiError as error:
                return error.status, error.body

    def _answer(self, host: str, path: str, pairs: Pairs, user: str, password: str) -> Response:
        product, region = HOSTS[host]
        key = self._key(user)
        if key is None or (key.secret, key.region) != (password, region):
            raise ApiError(401)
        for sid in (self._store.main, key.account_sid):
            if sid in self._restricted:
                raise self._restricted[sid]
        if key.kind == "test":
            raise ApiError(403, 20008)
        if product == "api" and (one := ONE_ACCOUNT.fullmatch(path)):
            self._authorise(key, "accounts", one[1], path)
            return 200, self._store.accounts[one[1]].raw
        for owner, pattern, endpoint in ROUTES:
            if owner == product and (found := pattern.fullmatch(path)):
                account = found.groupdict().get("account", key.account_sid)
                self._authorise(key, endpoint.stream, account, path)
                if account in self._restricted:
                    raise self._restricted[account]
                if region != self.region and endpoint.stream != "accounts":
                    account = ""  # It has no rows.
                above = [*found.groups()[-len(endpoint.parents) :]] if endpoint.parents else []
                if above and not self._has(endpoint, account, above):
                    raise missing(path)
                link_to = host
                if self.links_host:
                    link_to = f"{product}.{self.links_host.partition('.')[2]}"
                return self._list(endpoint, link_to, path, pairs, account, (above or [""])[-1])
        raise missing(path)

    def _list(
        self, endpoint: Endpoint, host: str, path: str, pairs: Pairs, account: str, parent: str
    ) -> Response:
        query = dict(pairs)
        effective = rules.effective_query(self, endpoint, query, self._seconds())
        match = self._select(endpoint, account, parent, effective)
        usage = endpoint.stream.startswith("usage_records")
        if usage and not match.rows and self.empty_usage == "404":
            raise missing(path)
        key = endpoint.key
        if key is None:
            if not match.rows:
                raise missing(path)
            return 200, match.rows[0].raw
        if not endpoint.paged:
            return 200, body_of({"uri": path}, key, match.rows)

        size_name, token_name = endpoint.resource.page_params
        page, size = number(query, "Page", 0, 0), number(query, size_name, 50, 1)
        if endpoint.stream == "taskrouter_events":
            match = Match(match.rows[:size], match.order[:size])
        size = min(size, self.page_size_max)
        if usage and self.usage_page_limit and size > self.usage_page_limit:
            raise ApiError(500)
        if endpoint.stream == "alerts" and page * size >= self.alerts_cap:
            limit = f"data is limited to {self.alerts_cap:,} results"
            raise ApiError(400, 0, f"Invalid page and pageSize combination, {limit}")
        token = query.get(token_name, "")
        start = start_of(match, self._table(endpoint, account, parent, query), token, page, size)
        rows = match.rows[start : start + size]
        if (field := endpoint.resource.paging) in PAGE_PARAMS:
            more = rows and start + size < len(match.rows)
            next_token = {field: "PA" + rows[-1].key} if more else {}
            return 200, body_of({"meta": {"key": key, size_name: size, **next_token}}, key, rows)

        kept = [pair for pair in pairs if pair[0] not in ("Page", "PageSize", "PageToken")]
        in_meta = endpoint.resource.paging == "meta"
        link = Link(host if in_meta else "", path, kept, size)
        back = forth = None
        if rows and start + size < len(match.rows):
            forth = link.to(page + 1, "PA" + rows[-1].key)
        if rows and start and page:
            back = link.to(page - 1, "PB" + rows[0].key)
        first, here = link.to(0), link.to(page, token)
        numbers = {"page": page, "page_size": size}
        if in_meta:
            links = {"first_page_url": first, "next_page_url": forth, "previous_page_url": back}
            meta = numbers | links | {"url": here, "key": key}
            return 200, body_of({"meta": meta}, key, rows)
        links = {"first_page_uri": first, "next_page_uri": forth, "previous_page_uri": back}
        end = page * size + max(len(rows) - 1, 0)
        head = numbers | links | {"uri": here, "start": page * size, "end": end}
        body = body_of(head, key, rows)
        return 200, body.replace(AS_OF.encode(), self._as_of().encode()) if usage else body


def _wired(stream: str, value: Any) -> Any:
    """Return a field as the wire has it."""
    if not isinstance(value, datetime):
        return value
    return (iso8601 if stream == "alerts" else rfc2822)(int(value.timestamp()))
