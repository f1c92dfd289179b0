"""One list, page by page: what an answer means, and which lists streams share."""

import time
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.partition_routers.substream_partition_router import (
    SubstreamPartitionRouter,
)
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.http_logger import format_http_message
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.credentials import asking_for
from source_twilio.errors import RefusedError, bad_request, describe, error, unknown_answer
from source_twilio.memory import known
from source_twilio.shared import KEPT_ROWS
from source_twilio.skipped import Account
from source_twilio.windows import Page, replaced

# The pauses before a refusal is asked again: Twilio's edge is reported to send lone 401s.
REFUSAL_PAUSES_SECONDS = (0.5, 1.5)


@dataclass
class ListRetriever(SimpleRetriever):
    """Asks for the pages of one list of one account, and judges what is no page."""

    record_selector: RecordSelector
    # The streams whose items this list hangs under. They are read inside the account's partition.
    nested_router: SubstreamPartitionRouter | None = None
    # Statuses that say "nothing there" (404: no usage; 400: no such list). The cursor does not move
    # by them. Below another list, 404 is one of them: the item above is gone.
    empty_statuses: list[int] = field(default_factory=list)
    # The page size to fall back to where the server fails at the usual one (BEHAVIOR 16).
    smaller_page_size: int | None = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Show the pages in the builder: the factory arranges that for a SimpleRetriever only."""
        super().__post_init__(parameters)
        self._resource = str(parameters.get("resource", ""))
        # A list of a product API is asked with the account's own credentials (BEHAVIOR 14).
        self._of_product_api = is_of_product_api(self._resource)
        # The CDK would have each stream open connections of its own: a fourth of all requests did.
        client: Any = self.requester
        client._http_client._session.mount("https://", known(self.config).connections)
        self.log_formatter = lambda response: format_http_message(
            response,
            f"Stream '{self.name}' request",
            f"Request performed in order to extract records for stream '{self.name}'",
            self.name,
        )

    def _account(self, part: StreamSlice) -> Account:
        """Return the account of a slice, as it is asked."""
        return Account(part.partition.get("account_sid", ""), self._of_product_api)

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
                # BEHAVIOR 33.
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
            if response is not None:
                memory.heard(response)
            if response is None or response.ok:
                memory.skipped.opened(account)
                return response
            empty = [*self.empty_statuses, *([404] if self.nested_router else [])]
            if response.status_code in empty and not next_page_token:
                if response.status_code == 400:
                    memory.warn(f"{self.name}: {unknown_answer(response)}. It is taken as empty.")
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
