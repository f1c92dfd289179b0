"""One list of one account: its pages, refusals, and the lists below its parents' items."""

import time
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.partition_routers.substream_partition_router import (
    SubstreamPartitionRouter,
)
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import (
    PaginatorTestReadDecorator,
)
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.http_logger import format_http_message
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.credentials import asking_for, known, lacks_permission, may_not_read
from source_twilio.errors import LOGGER, RefusedError, bad_request, describe, error
from source_twilio.nested import Below
from source_twilio.rows import QuietRow
from source_twilio.shared import KEPT_ROWS
from source_twilio.side_by_side import side_by_side
from source_twilio.skipped import Account
from source_twilio.windows import Page, replaced

# The pauses before a refusal is asked again: Twilio's edge is reported to send lone 401s.
REFUSAL_PAUSES_SECONDS = (0.5, 1.5)


class Closed(NamedTuple):
    """A window that has arrived, as the CDK's cursors take it."""

    window: StreamSlice

    def to_slice(self) -> StreamSlice:
        """Return the window."""
        return self.window


class Part(NamedTuple):
    """A part of a slice: its pages, and the window to close when all of them have arrived."""

    pages: Iterator[Page]
    window: StreamSlice | None = None


@dataclass
class TwilioRetriever(SimpleRetriever):
    """Reads one list of one account, and moves the cursor only when all of it has arrived.

    Why not YAML:
    - the cursor follows the end of a complete window, not the newest row seen (BEHAVIOR 5);
    - an account that Twilio refuses to show is skipped with a visible warning (BEHAVIOR 9);
    - lists below a list are read inside the account's own partition, so that one account cannot
      stop the others, and state does not grow with the number of parents (BEHAVIOR 8).
    """

    record_selector: RecordSelector
    cursor: Cursor | None = None
    # The streams whose items this list hangs under. They are read inside the account's partition.
    nested_router: SubstreamPartitionRouter | None = None
    # A 404 says "nothing there" (no usage, no such number type). The cursor does not move by it.
    missing_is_empty: bool = False
    # The page size to fall back to where the server fails at the usual one (BEHAVIOR 16).
    smaller_page_size: int | None = None
    # The configured account's own list may not be read, which is said once.
    _denied: bool = field(init=False, default=False)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Show the pages in the builder: the factory arranges that for a SimpleRetriever only."""
        super().__post_init__(parameters)
        self._resource = str(parameters.get("resource", ""))
        # A list of a product API is asked with the account's own credentials (BEHAVIOR 14).
        self._of_product_api = is_of_product_api(self._resource)
        for _, retriever in self._parents():
            # What is missing in a parent is missing in the stream that is read through it.
            retriever.name = self.name
        self.log_formatter = lambda response: format_http_message(
            response,
            f"Stream '{self.name}' request",
            f"Request performed in order to extract records for stream '{self.name}'",
            self.name,
        )

    # ------------------------------------------------------------------------- slices and records

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Record]:
        """Yield the records of the slice, then move the cursor to the slice's end."""
        part = stream_slice or StreamSlice(partition={}, cursor_slice={})
        memory, account = known(self.config), self._account(part)
        denied = self._denied and account.sid == self.config["account_sid"]
        if denied or memory.skipped.is_refused(account):
            return
        proven, begun = True, False
        try:
            with memory.reading():
                for page in self._read(part):
                    begun, proven = True, proven and page.proven
                    for row in self._converted(page, records_schema):
                        yield Record(QuietRow(row), self.name, part)
        except RefusedError as refused:
            if begun:
                sentence = f"{describe(refused.response)}: now refused, now allowed."
                raise error(f"{sentence} Rows may be missing.") from refused
            self._skip(part, refused.response)
        except Exception:
            if account.sid:
                memory.warn(f"{self.name}: account {account.sid} is incomplete; its cursor stays.")
            raise
        else:
            if gap := memory.gaps.pop((self.name, account.sid), ""):
                LOGGER.warning(gap)
            if proven:
                self._observe(part)

    def _skip(self, part: StreamSlice, response: requests.Response) -> None:
        """Leave the account out; raise if it is the configured one, and should show the list."""
        memory, account, status = known(self.config), self._account(part), response.status_code
        # A product API refuses whoever does not use the product (BEHAVIOR 34).
        unused = account.of_product_api and not lacks_permission(response, self.config)
        if account.sid == self.config["account_sid"] and status in (401, 403) and not unused:
            with memory.lock:
                said, self._denied = self._denied, True
            if said:
                return
            sentence = f"{self.name}: {may_not_read(response, self.config)}."
            raise error(sentence, FailureType.config_error)
        memory.skipped.note(self.name, account, status, is_active(part.extra_fields))

    def _account(self, part: StreamSlice) -> Account:
        """Return the account of a slice, as it is asked."""
        return Account(part.partition.get("account_sid", ""), self._of_product_api)

    def _observe(self, part: StreamSlice) -> None:
        """Tell the cursor that the slice has arrived up to its end."""
        cursor_field = getattr(self.cursor, "cursor_field", None)
        if self.cursor and cursor_field and "end_time" in part:
            end = {cursor_field.cursor_field_key: part["end_time"]}
            self.cursor.observe(Record(end, self.name, part))

    def _close(self, window: StreamSlice) -> None:
        """Have the next state say that this part of a slice has arrived.

        The CDK saves what is complete for whole slices only. A slice is all that a sync reads of a
        list, so a first sync that is killed would begin again.
        """
        self._observe(window)
        cursor: Any = self.cursor
        if not hasattr(cursor, "_cursor_per_partition"):
            return
        with cursor._lock:
            key = cursor._to_partition_key(window.partition)
            cursor._cursor_per_partition[key].close_partition(Closed(window))
            cursor._emit_state_message()

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

    def _read(self, part: StreamSlice) -> Iterator[Page]:
        """Yield all pages of a slice, part by part; a part that fails does not stop the others."""
        failed: Exception | None = None
        windows: list[StreamSlice] = []
        closed: list[StreamSlice | None] = []
        missing: list[StreamSlice | None] = []

        def listed() -> Iterator[tuple[StreamSlice | None, Iterator[Page]]]:
            for one in self._parts(part):
                windows.extend([one.window] if one.window else [])
                yield one.window, one.pages

        # The lists below a part are side by side, so the parts are not.
        width = (lambda: 0) if self.nested_router else self._width
        for window, page, failure in side_by_side(listed(), width):
            if isinstance(failure, RefusedError):
                raise failure
            failed = failed or failure
            if page:
                missing += [] if page.proven else [window]
                yield page
            elif window and not failure and window not in missing:
                closed.append(window)
                # From the oldest on, and none after one that is missing.
                while windows and windows[0] in closed:
                    self._close(windows.pop(0))
        if failed:
            raise failed

    def _parts(self, part: StreamSlice) -> Iterator[Part]:
        """Yield the parts of a slice: all of it, or what hangs below each part of a parent."""
        if not self.nested_router:
            yield Part(self._shared(part))
            return
        below, parents = Below(self._pages, self._width), [*self._parents()]
        seen: set[str] | None = set() if len(parents) > 1 else None
        for parent, retriever in parents:
            for one in retriever._parts(part):
                items = self._items(parent, retriever, one.pages, seen)
                yield Part(below.read(items, one.window), one.window)

    def _width(self) -> int:
        """Return how many lists to ask at a time: a share of what the slices being read may ask.

        More would all be half done when a sync is killed. The builder counts pages, so it asks for
        one list after the other.
        """
        if isinstance(self._paginator, PaginatorTestReadDecorator):
            return 0
        memory = known(self.config)
        return max(1, memory.num_workers // max(1, memory.readers))

    # -------------------------------------------------------------------------- lists below a list

    def _parents(self) -> Iterator[tuple[Any, "TwilioRetriever"]]:
        """Yield each parent with its retriever, which the CDK's streams do not show."""
        for parent in self.nested_router.parent_stream_configs if self.nested_router else ():
            stream: Any = parent.stream
            yield parent, stream._stream_partition_generator._partition_factory._retriever

    def _items(
        self,
        parent: Any,
        retriever: "TwilioRetriever",
        pages: Iterator[Page],
        seen: set[str] | None,
    ) -> Iterator[StreamSlice]:
        """Yield a slice for each row of a parent, once where several parents show it."""
        key, name = (text.eval(self.config) for text in (parent.parent_key, parent.partition_field))
        keep = retriever.record_selector.record_filter
        for page in pages:
            rows = keep.filter_records(page.rows, {}, page.part) if keep else page.rows
            for row in rows:
                if not row.get(key):
                    raise error(f"{self.name}: a row of {parent.stream.name} has no {key}.")
                if seen is not None:
                    if row[key] in seen:
                        continue
                    seen.add(row[key])
                yield replaced(page.part, partition={**page.part.partition, name: row[key]})

    # -------------------------------------------------------------------------- pages and answers

    def _shared(self, part: StreamSlice) -> Iterator[Page]:
        """Yield one list page by page; a short one is asked once for all streams that want it.

        Each stream changes rows of its own.
        """
        pages, asked = self._pages(part), list[Page]()

        def ask() -> Page | None:
            asked.append(next(pages))
            return asked[0] if asked[0].last and len(asked[0].rows) <= KEPT_ROWS else None

        key = self._resource.format(**part.partition) + str(part.partition)
        if page := known(self.config).lists.get(key, ask):
            yield page._replace(rows=[{**row} for row in page.rows], part=part)
        else:
            yield from asked
            yield from pages

    def _pages(self, part: StreamSlice) -> Iterator[Page]:
        """Yield one list page by page, on failure once more with smaller pages."""
        # Of its own: the one that a test read counts with counts the pages of all lists together.
        paginator = copy(self._paginator)
        token: Mapping[str, Any] | None = None
        links = set[str]()
        try:
            while True:
                response = self._fetch_next_page(part, token)
                if response is None or not response.ok:
                    yield Page([], part, True, self._is_believed(part))
                    return
                rows: list[Any] = [*self.record_selector.extractor.extract_records(response)]
                token = paginator.next_page_token(response, len(rows), None, None)
                yield Page(rows, part, not token)
                if not token:
                    return
                link = str(token["next_page_token"])
                if link in links:
                    raise error(
                        f"{describe(response)} links to a page that was read before: {link}"
                    )
                links.add(link)
        except AirbyteTracedException as failed:
            helps = failed.failure_type != FailureType.config_error and self.smaller_page_size
            if not helps or "page_size" in part.extra_fields:
                raise
            smaller = {**part.extra_fields, "page_size": self.smaller_page_size}
            yield from self._pages(replaced(part, extra_fields=smaller))

    def _is_believed(self, part: StreamSlice) -> bool:
        """Return whether a 404 means that nothing is there: the item above is gone."""
        return self.nested_router is not None

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
        account, memory = self._account(stream_slice), known(self.config)
        # A refusal of an account that the list calls closed or suspended is no surprise.
        once = stream_slice.extra_fields.get("ask_once") or not is_active(stream_slice.extra_fields)
        pauses = iter(() if once else REFUSAL_PAUSES_SECONDS)
        while True:
            with memory.throttle, asking_for(account.sid):
                response = super()._fetch_next_page(
                    stream_slice, next_page_token, page_size_override
                )
            if response is None or response.ok:
                memory.skipped.opened(account)
                return response
            missing_is_empty = self.missing_is_empty or self.nested_router
            if response.status_code == 404 and missing_is_empty and not next_page_token:
                return response
            if response.status_code == 400:
                raise bad_request(response)
            pause = next(pauses, None)
            if pause is None:
                raise RefusedError(response)
            time.sleep(pause)


def is_active(account: Mapping[str, Any]) -> bool:
    """Return whether Twilio calls an account active."""
    return bool((account.get("status") or "active") == "active")


def is_of_product_api(resource: str) -> bool:
    """Return whether a resource is a whole URL, and not one of the 2010 API."""
    return resource.startswith("https:") and not resource.startswith("https://api.twilio.com/")
