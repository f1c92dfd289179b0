"""One list of one account: its records, its cursor, and the child lists of its parents' items.

A page's way:
1. `read_records` takes a slice: an account and the range of its list that a sync reads.
2. `_lists` cuts the slice into what is read at once: all of it, windows (windowed.py), or the child
   lists of a parent's items (concurrent_lists.py).
3. `run_concurrently` takes one page after the other from each of them.
4. `_pages` asks for a page: the authenticator signs in (auth.py), the error handler says what is
   asked again (error_handler.py), `read_page` parses the body (records.py).
5. `_fetch_next_page` judges what is not a page: empty, refused, out of reach (errors.py).
6. The window drops the rows of its neighbours (windowed.py).
7. `_converted` gives the rows their types (records.py); they leave as records.
8. A complete window, and then the slice, move the cursor (state.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import (
    PaginatorTestReadDecorator,
)
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.types import Record, StreamSlice

from source_twilio.concurrent_lists import ChildLists, PagedList, run_concurrently
from source_twilio.config import is_scoped
from source_twilio.errors import (
    LOGGER,
    RefusedError,
    body_of,
    code_of,
    describe,
    error,
    is_not_enabled,
    lacks_permission,
    may_not_read,
    unknown_answer,
)
from source_twilio.pages import ListRetriever, Page, replaced
from source_twilio.session import Account, is_active
from source_twilio.state import StreamCursor
from source_twilio.timestamps import read_date


@dataclass
class TwilioRetriever(ListRetriever):
    """Reads one list of one account, and moves the cursor only when all of it has arrived.

    Why not YAML:
    - the cursor follows the end of a complete window, not the newest row seen (BEHAVIOR 5);
    - an account that Twilio refuses to show is skipped with a visible warning (BEHAVIOR 9);
    - child lists are read inside the account's own partition, so that one account cannot stop the
      others, and state does not grow with the number of parents (BEHAVIOR 8).
    """

    cursor: Cursor | None = None
    # The child lists come in that order.
    newest_first: bool = False
    # The configured account's own list may not be read: it is not asked for again.
    _denied: bool = field(init=False, default=False)
    # It has been raised that accounts are refused, which is said once.
    _raised: bool = field(init=False, default=False)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._cursor = StreamCursor(self.cursor, self.name, self._session)
        for _, retriever in self._parents():
            # What is missing in a parent is missing in the stream that is read by it.
            retriever.name = self.name
            self._session.parents.add(retriever._resource)

    # ------------------------------------------------------------------------- slices and records

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Record]:
        """Yield the records of the slice, then move the cursor to the slice's end."""
        stream_slice = stream_slice or StreamSlice(partition={}, cursor_slice={})
        session, account = self._session, self._account(stream_slice)
        if account.sid:
            self._cursor.forget_accounts()
        if self._denied and account.sid == self.config["account_sid"]:
            return
        if session.skipped.is_refused(account):
            self._raise_missing(stream_slice)
            return
        proven, begun = True, False
        try:
            with session.reading(self._concurrent_slices(stream_slice)):
                for page in self._read(stream_slice):
                    begun, proven = True, proven and page.proven
                    session.progress.page(account.sid, len(page.rows))
                    self._cursor.emit_state()
                    rows = self._converted(page, records_schema)
                    yield from (session.batched or records_of)(rows, self.name, stream_slice)
        except RefusedError as refused:
            if begun:
                raise error(
                    f"{describe(refused.response)}: Twilio refused this list in one request and "
                    "served it in another. Rows may be missing."
                ) from refused
            self._skip(stream_slice, refused.response)
        except Exception:
            if account.sid:
                session.warn(
                    f"{self.name}: account {account.sid} failed; its cursor was not advanced."
                )
            raise
        else:
            if gap := session.gaps.pop((self.name, account.sid), ""):
                LOGGER.warning(gap)
            session.progress.complete(account.sid)
            if proven:
                self._move_cursor(stream_slice)

    def _move_cursor(self, stream_slice: StreamSlice) -> None:
        """Move the cursor to the end of a slice that has arrived."""
        self._cursor.move(stream_slice)

    def _concurrent_slices(self, stream_slice: StreamSlice) -> int:
        """Return 1, or 0 for a slice that never asks for more than one page at a time."""
        return 1

    def _converted(self, page: Page, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a page as they leave.

        Without filters and transformations the selector would still pass each row through six
        generators and two copies, a tenth of what a record costs: only its conversion is called.
        """
        selector = self.record_selector
        if selector.record_filter or selector.transformations:
            for record in selector.filter_and_transform(page.rows, {}, schema, page.stream_slice):
                yield record.data
            return
        for row in page.rows:
            selector.schema_normalization.transform(row, schema)
            yield row

    # --------------------------------------------------------------------------- refused accounts

    def _skip(self, stream_slice: StreamSlice, response: requests.Response) -> None:
        """Leave the account out; raise where its rows should be shown (BEHAVIOR 9, 34, 48)."""
        session, account = self._session, self._account(stream_slice)
        status = response.status_code
        if status == requests.codes.not_found and "code" not in body_of(response):
            # Not Twilio's: a proxy's, perhaps.
            raise error(unknown_answer(response))
        is_own = account.sid == self.config["account_sid"]
        # A product API refuses whoever does not use the product.
        unused = account.of_product_api and is_not_enabled(response)
        if unused and status == requests.codes.unauthorized:
            unused = not session.skipped.is_opened(account) and not (is_own and self._is_revoked())
        if is_own and (not unused or lacks_permission(response, self.config)):
            self._denied = True
            message = f"{self.name}: {may_not_read(response, self.config)}."
            self._raise_once(message, FailureType.config_error)
            return
        session.skipped.note(
            self.name, account, status, is_active(stream_slice.extra_fields), unused
        )
        if not unused:
            self._raise_missing(stream_slice, f" ({code_of(response)})")

    def _raise_missing(self, stream_slice: StreamSlice, code: str = "") -> None:
        """Raise, once, if an account that is left out is one whose rows the list should show.

        A list with a cursor shows them later. One that is read in full stands for all there is, so
        what takes its place must not be without them. API keys open no subaccounts (BEHAVIOR 26),
        and never did.
        """
        account = self._account(stream_slice)
        never = is_scoped(self.config) and not self._session.skipped.is_opened(account)
        if "end_time" in stream_slice or never or not is_active(stream_slice.extra_fields):
            return
        self._raise_once(
            f"{self.name}: the rows of account {account.sid} are missing, and perhaps those of "
            f"other accounts, because Twilio refuses to show them{code}: ask Twilio why, or choose "
            "the accounts to read with account_selection and account_sids."
        )

    def _raise_once(
        self, message: str, failure_type: FailureType = FailureType.transient_error
    ) -> None:
        """Raise the error unless the stream has raised one of accounts that are refused."""
        with self._session.lock:
            raised, self._raised = self._raised, True
        if not raised:
            raise error(message, failure_type)

    def _is_revoked(self) -> bool:
        """Return whether the credentials have shown the accounts, and do so no more."""
        opened = self._session.skipped.is_opened
        if not any(opened(Account("", of_product_api)) for of_product_api in (False, True)):
            return False
        url = "https://api.twilio.com/2010-04-01/Accounts.json"
        with self._session.throttle:
            answer = self.requester.send_request(path=url, request_params={"PageSize": 1})
        return answer is not None and not answer.ok

    # ------------------------------------------------------------------------ the lists of a slice

    def _read(self, stream_slice: StreamSlice) -> Iterator[Page]:
        """Yield all pages of a slice, list by list; one that fails does not stop the others."""
        failed: Exception | None = None
        windows: list[StreamSlice] = []
        closed: list[StreamSlice | None] = []
        missing: list[StreamSlice | None] = []

        def lists() -> Iterator[PagedList]:
            for paged in self._lists(stream_slice):
                windows.extend([paged.stream_slice] if paged.stream_slice else [])
                yield paged

        # The child lists of a window are read concurrently, so the windows are not.
        one_by_one = self.nested_router or not self._concurrent_slices(stream_slice)
        width = (lambda: 0) if one_by_one else self._width
        for window, page, failure in run_concurrently(lists(), width):
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
                    self._cursor.close(windows.pop(0))
        if failed:
            raise failed

    def _lists(self, stream_slice: StreamSlice) -> Iterator[PagedList]:
        """Yield the lists of a slice: all of it, or the child lists of each window of a parent."""
        if not self.nested_router:
            yield PagedList(None, self._shared(stream_slice))
            return
        children, parents = ChildLists(self._child_list, self._width), [*self._parents()]
        seen: set[str] | None = set() if len(parents) > 1 else None
        for parent, retriever in parents:
            for window, pages in retriever._lists(stream_slice):
                if pages:
                    items = self._items(parent, retriever, pages, seen)
                    yield PagedList(window, children.read(items, window))

    def _width(self) -> int:
        """Return how many lists to read at a time: a share of what the slices being read may ask.

        More would all be half done when a sync is killed. The builder counts pages, so it asks for
        one list after the other.
        """
        if isinstance(self._paginator, PaginatorTestReadDecorator):
            return 0
        session = self._session
        return max(1, session.num_workers // max(1, session.readers))

    # --------------------------------------------------------------------------------- child lists

    def _child_list(self, item: StreamSlice) -> Iterator[Page]:
        """Yield the child list of an item; one that is newest first to the slice's start (36)."""
        since = str(item.get("start_time") or "") if self.newest_first else ""
        for page in self._pages(item):
            yield page
            if since and page.rows:
                dates = (read_date(row.get("date_created")) or since for row in page.rows)
                if max(dates) < since:
                    return

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
            whole = page.stream_slice
            rows = keep.filter_records(page.rows, {}, whole) if keep else page.rows
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
                yield replaced(whole, partition={**whole.partition, **wanted, name: row[key]})
            if nameless:
                self._session.warn(
                    f"{self.name}: rows of {parent.stream.name} of account {whole['account_sid']} "
                    f"have no {key}, so none of their children are read. "
                    f"In their page they are the rows {', '.join(nameless)}."
                )


def records_of(
    rows: Iterable[Mapping[str, Any]], name: str, stream_slice: StreamSlice
) -> Iterator[Record]:
    """Yield a record for each row."""
    for row in rows:
        yield Record(row, name, stream_slice)
