"""One list of one account, read page by page and window by window."""

import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.http_logger import format_http_message
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.credentials import asking_for, known, may_not_read
from source_twilio.dates import from_text, to_iso8601, to_text
from source_twilio.errors import (
    LOGGER,
    OutOfReachError,
    TooManyRowsError,
    bad_request,
    describe,
    error,
)
from source_twilio.rows import QuietRow, Row
from source_twilio.windows import (
    CLOCK_MARGIN,
    REACH_MARGIN,
    Page,
    limited,
    replaced,
    split,
)

# The pauses before a refusal is asked again: Twilio's edge is reported to send lone 401s.
REFUSAL_PAUSES_SECONDS = (0.5, 1.5)


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
