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
from source_twilio.cursors import forget, keep_all, reached, save
from source_twilio.dates import read_date
from source_twilio.errors import (
    LOGGER,
    RefusedError,
    body_of,
    code_of,
    describe,
    error,
    is_not_enabled,
    unknown_answer,
)
from source_twilio.memory import known
from source_twilio.nested import Below
from source_twilio.pages import ListRetriever, is_active
from source_twilio.settings import has_key
from source_twilio.side_by_side import side_by_side
from source_twilio.skipped import Account
from source_twilio.windows import Page, replaced


class Closed(NamedTuple):
    """A window that has arrived, as the CDK's cursors take it."""

    window: StreamSlice

    def to_slice(self) -> StreamSlice:
        """Return the window."""
        return self.window


class Part(NamedTuple):
    """A part of a slice: its pages, and the window to close when all of them have arrived."""

    pages: Iterator[Page] | None
    window: StreamSlice | None = None


# Stands between parts: those after it are made when all before it have been read.
ROUND_ENDS = Part(None)


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
    # The configured account's own list may not be read: it is not asked for again.
    _denied: bool = field(init=False, default=False)
    # It has been raised that accounts are refused, which is said once.
    _said: bool = field(init=False, default=False)
    # Accounts that are not shown any more have left the state.
    _forgot: bool = field(init=False, default=False)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Name the parents: what is missing in one is missing in the stream that is read by it."""
        super().__post_init__(parameters)
        keep_all(self.cursor)
        for _, retriever in self._parents():
            retriever.name = self.name
            known(self.config).parents.add(retriever._resource)

    # ------------------------------------------------------------------------- slices and records

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Record]:
        """Yield the records of the slice, then move the cursor to the slice's end."""
        part = stream_slice or StreamSlice(partition={}, cursor_slice={})
        memory, account = known(self.config), self._account(part)
        if account.sid and memory.shown and not self._forgot:
            forget(self.cursor, memory.shown)
            self._forgot = True
        if self._denied and account.sid == self.config["account_sid"]:
            return
        if memory.skipped.is_refused(account):
            self._miss(part)
            return
        proven, begun = True, False
        try:
            with memory.reading(self._weight(part)):
                for page in self._read(part):
                    begun, proven = True, proven and page.proven
                    memory.progress.page(account.sid, len(page.rows))
                    save(self.cursor, memory.began)
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
        """Leave the account out; raise where its rows should be shown (BEHAVIOR 9, 34, 48)."""
        memory, account, status = known(self.config), self._account(part), response.status_code
        if status == requests.codes.not_found and "code" not in body_of(response):
            # Not Twilio's: a proxy's, perhaps.
            raise error(unknown_answer(response))
        is_own = account.sid == self.config["account_sid"]
        # A product API refuses whoever does not use the product.
        unused = account.of_product_api and is_not_enabled(response)
        if unused and status == requests.codes.unauthorized:
            unused = not memory.skipped.is_opened(account) and not (is_own and self._is_revoked())
        if is_own and (not unused or lacks_permission(response, self.config)):
            self._denied = True
            sentence = f"{self.name}: {may_not_read(response, self.config)}."
            self._raise_once(sentence, FailureType.config_error)
            return
        memory.skipped.note(self.name, account, status, is_active(part.extra_fields), unused)
        if not unused:
            self._miss(part, f" ({code_of(response)})")

    def _miss(self, part: StreamSlice, said: str = "") -> None:
        """Raise, once, if an account that is left out is one whose rows the list should show.

        A list with a cursor shows them later. One that is read in full stands for all there is, so
        what takes its place must not be without them. API keys open no subaccounts (BEHAVIOR 26),
        and never did.
        """
        whose = self._account(part)
        never = has_key(self.config) and not known(self.config).skipped.is_opened(whose)
        if "end_time" in part or never or not is_active(part.extra_fields):
            return
        self._raise_once(
            f"{self.name}: the rows of account {whose.sid} are missing, and perhaps those of other "
            f"accounts, because Twilio refuses to show them{said}: ask Twilio why, or choose the "
            "accounts to read with account_selection and account_sids."
        )

    def _raise_once(
        self, sentence: str, failure_type: FailureType = FailureType.transient_error
    ) -> None:
        """Raise the error unless the stream has raised one of accounts that are refused."""
        with known(self.config).lock:
            said, self._said = self._said, True
        if not said:
            raise error(sentence, failure_type)

    def _is_revoked(self) -> bool:
        """Return whether the credentials have shown the accounts, and do so no more."""
        opened = known(self.config).skipped.is_opened
        if not any(opened(Account("", of_product_api)) for of_product_api in (False, True)):
            return False
        url = "https://api.twilio.com/2010-04-01/Accounts.json"
        with known(self.config).throttle:
            answer = self.requester.send_request(path=url, request_params={"PageSize": 1})
        return answer is not None and not answer.ok

    def _weight(self, part: StreamSlice) -> int:
        """Return 1, or 0 for a slice that never asks for more than one page at a time."""
        return 1

    def _observe(self, part: StreamSlice, end: str = "") -> None:
        """Tell the cursor that the slice has arrived up to its end, or to another moment."""
        cursor_field, memory = getattr(self.cursor, "cursor_field", None), known(self.config)
        if self.cursor and cursor_field and "end_time" in part:
            row = {cursor_field.cursor_field_key: end or reached(part["end_time"], memory)}
            self.cursor.observe(Record(row, self.name, part))

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
        save(cursor, known(self.config).began)

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

        def listed() -> Iterator[tuple[StreamSlice | None, Iterator[Page] | None]]:
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
                if not one.pages:
                    continue
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
            nameless: list[str] = []
            for number, row in enumerate(rows, 1):
                if not row.get(key):
                    nameless.append(f"{number} ({row.get('date_created') or 'no date'})")
                    continue
                if seen is not None:
                    if row[key] in seen:
                        continue
                    seen.add(row[key])
                wanted = {field: row.get(field) for field in extra}
                yield replaced(
                    page.part, partition={**page.part.partition, **wanted, name: row[key]}
                )
            if nameless:
                known(self.config).warn(
                    f"{self.name}: rows of {parent.stream.name} of account "
                    f"{page.part['account_sid']} have no {key}, so nothing is read below them. "
                    f"In their page they are the rows {', '.join(nameless)}."
                )
