"""One list, page by page: what an answer means, and which lists streams share."""

import re
import time
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.declarative.partition_routers.substream_partition_router import (
    SubstreamPartitionRouter,
)
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.http_logger import format_http_message
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.errors import (
    LOGGER,
    BadRequestError,
    RefusedError,
    bad_request,
    describe,
    error,
    is_gone,
    unknown_answer,
)
from source_twilio.records import Row
from source_twilio.session import (
    SHARED_ROWS,
    SINGLE_TRY,
    SYNC,
    Account,
    RetryBudget,
    is_active,
    is_of_product_api,
    requests_for,
    session_for,
)
from source_twilio.timestamps import read_date

# The pauses before a refusal is asked again: Twilio's edge is reported to send lone 401s.
REFUSAL_PAUSES_SECONDS = (0.5, 1.5)
# So many requests of a stream fail one after the other, then the next are tried once (BEHAVIOR 49).
FAILURES_IN_A_ROW = 10
# So many pages one after the other bring rows of earlier pages, or none (BEHAVIOR 33). One page can
# be shown twice: when the list has grown by so many rows meanwhile.
REPEATED_PAGES, EMPTY_PAGES = 2, 100


class Page(NamedTuple):
    """One page: its rows as Twilio sent them, the slice they belong to, whether it is the last.

    A page that is not `proven` is an answer "not found": it may be an empty range, or a refusal.
    """

    rows: list[Row]
    stream_slice: StreamSlice
    last: bool
    proven: bool = True


def replaced(stream_slice: StreamSlice, **changes: Any) -> StreamSlice:
    """Return the slice with another `partition`, `cursor_slice` or `extra_fields`."""
    fields = {
        "partition": stream_slice.partition,
        "cursor_slice": stream_slice.cursor_slice,
        "extra_fields": stream_slice.extra_fields,
    }
    return StreamSlice(**{**fields, **changes})


@dataclass
class ListRetriever(SimpleRetriever):
    """Asks for the pages of one list of one account, and judges what is not a page.

    Why not the CDK's `PageSizeReduction`: it is rejected for a token that is a URL (`RequestPath`),
    which carries the page size. Here a list begins anew with the other size (BEHAVIOR 16, 47).
    """

    record_selector: RecordSelector
    # The parents whose items have this list. They are read inside the account's partition.
    nested_router: SubstreamPartitionRouter | None = None
    # Statuses that say "nothing there" (404: no usage; 400: no such list), or an expression of the
    # partition. The cursor does not move by them.
    no_data_statuses: list[int] | str = field(default_factory=list)
    # The page size to fall back to where the server fails at the usual one (BEHAVIOR 16).
    fallback_page_size: int | None = None
    # How many requests have failed since the last that was answered.
    _failures: int = field(init=False, default=0)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Show the pages in the builder: the factory arranges that for a SimpleRetriever only."""
        super().__post_init__(parameters)
        self._session = session_for(self.config)
        self._resource = str(parameters.get("resource", ""))
        # A list of a product API is asked with the account's own credentials (BEHAVIOR 14).
        self._of_product_api = is_of_product_api(self._resource)
        # The CDK would have each stream open connections of its own: a fourth of all requests did.
        client: Any = self.requester
        client._http_client._session.mount("https://", self._session.connections)
        self.log_formatter = lambda response: format_http_message(
            response,
            f"Stream '{self.name}' request",
            f"Request performed in order to extract records for stream '{self.name}'",
            self.name,
        )

    def _account(self, stream_slice: StreamSlice) -> Account:
        """Return the account of a slice, as it is asked."""
        return Account(stream_slice.partition.get("account_sid", ""), self._of_product_api)

    def _shared(self, stream_slice: StreamSlice) -> Iterator[Page]:
        """Yield one list page by page; a short one is asked once for all streams that want it.

        Those are the parents of other lists. Each stream changes rows of its own.
        """
        pages, asked = self._pages(stream_slice), list[Page]()
        if self._resource not in self._session.parents:
            yield from pages
            return

        def ask() -> Page | None:
            asked.append(next(pages))
            return asked[0] if asked[0].last and len(asked[0].rows) <= SHARED_ROWS else None

        key = self._resource.format(**stream_slice.partition) + str(stream_slice.partition)
        if page := self._session.lists.get(key, ask):
            yield page._replace(rows=[{**row} for row in page.rows], stream_slice=stream_slice)
        else:
            yield from asked
            yield from pages

    def _pages(self, stream_slice: StreamSlice) -> Iterator[Page]:
        """Yield one list page by page; where its page size fails, again with another (16, 47).

        What works is kept for the other accounts of the run.
        """
        session, begun = self._session, False
        size = session.page_sizes.get(self._resource)
        while True:
            try:
                for page in self._pages_of(stream_slice, size):
                    begun = True
                    if size is not None and session.page_sizes.get(self._resource) != size:
                        session.page_sizes[self._resource] = size
                        # That usage wants smaller pages is known (BEHAVIOR 16).
                        log = LOGGER.info if size else session.warn
                        log(
                            f"{self.name}: {self._resource} is asked for {size or 'its usual'} "
                            "rows a page, because Twilio answers no more."
                        )
                    yield page
                return
            except AirbyteTracedException as failed:
                other = self._other_size(failed, size, begun)
                if other is None:
                    raise
                size = other

    def _other_size(
        self, failed: AirbyteTracedException, size: int | None, begun: bool
    ) -> int | None:
        """Return the page size to try after a failure, 0 for none, or None if no other may help."""
        if type(failed) is BadRequestError:
            # Also pageSize and Size.
            has_size = re.search("[?&](page)?size=", str(failed.response.url), re.IGNORECASE)
            return 0 if has_size and not begun else None
        transient = failed.failure_type == FailureType.transient_error
        return self.fallback_page_size if transient and size is None else None

    def _pages_of(self, stream_slice: StreamSlice, size: int | None) -> Iterator[Page]:
        """Yield one list page by page, with pages of that size."""
        # Of its own: the one that a test read counts with counts the pages of all lists together.
        paginator = copy(self._paginator)
        token: Mapping[str, Any] | None = None
        progress = Novelty(self.primary_key, stream_slice.extra_fields.get("undated_by", ""))
        while True:
            response = self._fetch_next_page(stream_slice, token, size)
            if response is None or not response.ok:
                yield Page([], stream_slice, True, self._is_believed(stream_slice))
                return
            rows: list[Any] = [*self.record_selector.extractor.extract_records(response)]
            token = paginator.next_page_token(response, len(rows), None, None)
            if token and not progress.made_by(rows):
                raise error(
                    f"{describe(response)} links to a page that was read before, or that brings "
                    f"nothing new: {token['next_page_token']}",
                    FailureType.system_error,
                )
            yield Page(rows, stream_slice, not token)
            if not token:
                return

    def _is_believed(self, stream_slice: StreamSlice) -> bool:
        """Return whether a 404 means that nothing is there, so that the cursor may move."""
        return False

    def _is_empty(self, response: requests.Response, stream_slice: StreamSlice) -> bool:
        """Return whether an answer says that the list is empty (BEHAVIOR 48)."""
        statuses: Any = self.no_data_statuses
        if isinstance(statuses, str):
            interpolated = InterpolatedString.create(statuses, parameters=self._parameters)
            statuses = interpolated.eval(self.config, stream_slice=stream_slice)
        return response.status_code in statuses and (
            response.status_code != requests.codes.not_found or is_gone(response)
        )

    def _retry_budget(
        self, stream_slice: StreamSlice, token: Mapping[str, Any] | None
    ) -> RetryBudget:
        """Return how often to try a request: once where many have failed (BEHAVIOR 49)."""
        once = stream_slice.extra_fields.get("ask_once") or self._failures >= FAILURES_IN_A_ROW
        return SINGLE_TRY if once else SYNC

    def _request_params(
        self,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
        page_size_override: int | None = None,
    ) -> Mapping[str, Any]:
        """Return nothing for a link, which carries all its parameters (BEHAVIOR 11, 57)."""
        if self._paginator_path(next_page_token):
            return {}
        return super()._request_params(stream_slice, next_page_token, page_size_override)

    def _fetch_next_page(
        self,
        stream_slice: StreamSlice,
        next_page_token: Mapping[str, Any] | None = None,
        page_size_override: int | None = None,
    ) -> requests.Response | None:
        """Fetch a page; the manifest lets 400, 401, 403 and 404 through to be judged here."""
        account, session = self._account(stream_slice), self._session
        fields = stream_slice.extra_fields
        pauses = iter(REFUSAL_PAUSES_SECONDS)
        while True:
            budget = self._retry_budget(stream_slice, next_page_token)
            try:
                # All rows of the first page are wanted.
                undated_by = fields.get("undated_by", "") if next_page_token else ""
                with session.throttle, requests_for(account.sid, budget, undated_by):
                    response = super()._fetch_next_page(
                        stream_slice, next_page_token, page_size_override
                    )
            except AirbyteTracedException:
                self._failures += 1
                raise
            self._failures = 0
            if response is not None and session.first_date is None:
                session.first_date = response.headers.get("Date", "")
            if response is None or response.ok:
                session.skipped.opened(account)
                return response
            if not next_page_token and self._is_empty(response, stream_slice):
                if response.status_code == requests.codes.bad_request:
                    session.warn(f"{self.name}: {unknown_answer(response)}. It is taken as empty.")
                return response
            if response.status_code == requests.codes.bad_request:
                raise bad_request(response)
            pause = next(pauses, None)
            if pause is None or self._is_final(response, stream_slice):
                raise RefusedError(response)
            time.sleep(pause)

    def _is_final(self, response: requests.Response, stream_slice: StreamSlice) -> bool:
        """Return whether it would be refused again: an account is inactive, or an item is gone."""
        if self.nested_router and is_gone(response):
            return True
        fields = stream_slice.extra_fields
        return bool(fields.get("ask_once") or not is_active(fields))


class Novelty:
    """Whether the pages of a list bring anything new (BEHAVIOR 33), for some bytes a page."""

    def __init__(self, key: Any, undated_by: str = "") -> None:
        self._key = [key] if isinstance(key, str) else [*(key or ())]
        self._undated_by = undated_by
        self._shown = set[int]()
        self._repeated = self._empty = 0

    def made_by(self, rows: list[Row]) -> bool:
        """Take note of a page; return whether there is reason to ask for the next."""
        if not rows:
            self._empty += 1
            return self._empty < EMPTY_PAGES
        if self._undated_by:
            # The first page has other rows too.
            undated = [row for row in rows[:-1] if not read_date(row.get(self._undated_by))]
            rows = [*undated, rows[-1]]
        keys = [[row.get(field) for row in rows] for field in self._key]
        if not keys or any(None in values for values in keys):
            # Without a key, all of a row tells it apart.
            keys = [[orjson.dumps(row) for row in rows]]
        page = hash(frozenset(zip(*[map(str, values) for values in keys], strict=True)))
        self._repeated = self._repeated + 1 if page in self._shown else 0
        self._empty = 0
        self._shown.add(page)
        return self._repeated < REPEATED_PAGES
