"""One list of one account: its records, its cursor, and the lists below its parents' items."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import (
    PaginatorTestReadDecorator,
)
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.types import Record, StreamSlice

from source_twilio.credentials import lacks_permission, may_not_read
from source_twilio.dates import read_date
from source_twilio.errors import LOGGER, RefusedError, describe, error, is_not_enabled
from source_twilio.memory import known
from source_twilio.nested import Below
from source_twilio.pages import ListRetriever, is_active
from source_twilio.side_by_side import side_by_side
from source_twilio.windows import Page, replaced


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
class TwilioRetriever(ListRetriever):
    """Reads one list of one account, and moves the cursor only when all of it has arrived.

    Why not YAML:
    - the cursor follows the end of a complete window, not the newest row seen (BEHAVIOR 5);
    - an account that Twilio refuses to show is skipped with a visible warning (BEHAVIOR 9);
    - lists below a list are read inside the account's own partition, so that one account cannot
      stop the others, and state does not grow with the number of parents (BEHAVIOR 8).
    """

    cursor: Cursor | None = None
    # The lists below the items are asked for in that order.
    newest_first: bool = False
    # The configured account's own list may not be read, which is said once.
    _denied: bool = field(init=False, default=False)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Name the parents: what is missing in one is missing in the stream that is read by it."""
        super().__post_init__(parameters)
        for _, retriever in self._parents():
            retriever.name = self.name

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
                    memory.progress.page(account.sid, len(page.rows))
                    rows = self._converted(page, records_schema)
                    yield from memory.records(rows, self.name, part)
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
            memory.progress.complete(account.sid)
            if proven:
                self._observe(part)

    def _skip(self, part: StreamSlice, response: requests.Response) -> None:
        """Leave the account out; raise if it is the configured one, and should show the list."""
        memory, account, status = known(self.config), self._account(part), response.status_code
        # A product API refuses whoever does not use the product (BEHAVIOR 34).
        unused = account.of_product_api and is_not_enabled(response)
        denied = not unused or lacks_permission(response, self.config)
        if account.sid == self.config["account_sid"] and status in (401, 403) and denied:
            with memory.lock:
                said, self._denied = self._denied, True
            if said:
                return
            sentence = f"{self.name}: {may_not_read(response, self.config)}."
            raise error(sentence, FailureType.config_error)
        memory.skipped.note(self.name, account, status, is_active(part.extra_fields), unused)

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
        below, parents = Below(self._below, self._width), [*self._parents()]
        seen: set[str] | None = set() if len(parents) > 1 else None
        for parent, retriever in parents:
            for one in retriever._parts(part):
                items = self._items(parent, retriever, one.pages, seen)
                yield Part(below.read(items, one.window), one.window)

    def _below(self, item: StreamSlice) -> Iterator[Page]:
        """Yield the list below an item; one that is newest first to the slice's start (36)."""
        since = str(item.get("start_time") or "") if self.newest_first else ""
        for page in self._pages(item):
            yield page
            if since and page.rows:
                dates = (read_date(row.get("date_created")) or since for row in page.rows)
                if max(dates) < since:
                    return

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
        """Yield a slice for each row of a parent, once where several parents show it.

        Fields of the row that the child wants (`extra_fields`) are in its partition.
        """
        extra_fields = [path[-1] for path in parent.extra_fields or ()]
        texts = [parent.parent_key, parent.partition_field, *extra_fields]
        key, name, *extra = (text.eval(self.config) for text in texts)
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
                wanted = {field: row.get(field) for field in extra}
                yield replaced(
                    page.part, partition={**page.part.partition, **wanted, name: row[key]}
                )
