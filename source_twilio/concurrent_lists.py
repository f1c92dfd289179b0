"""Several lists at once: the windows of an account, or the child lists of a list's items."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, NamedTuple

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.errors import RefusedError, error, is_gone
from source_twilio.pages import Page, replaced

# As many as a user can set; a thread that waits for its turn to send costs next to nothing.
MOST_CONCURRENT_LISTS = 40
# So many items are refused and none is shown: then the account is refused (BEHAVIOR 8).
REFUSED_ITEMS = 10
# So many items fail: then the others are tried once each (BEHAVIOR 49).
FAILED_ITEMS = 5
# So many items fail and none is shown: then the others are not asked for (BEHAVIOR 49).
FAILED_ITEMS_AT_MOST = 100


class PagedList(NamedTuple):
    """The pages of a slice, a window of it, or an item: `next` of them is one request.

    None stands for the slice that is being read. Without pages it is a pause: the lists after it
    are made when all before it have been read.
    """

    stream_slice: StreamSlice | None
    pages: Iterator[Page] | None


class Event(NamedTuple):
    """What a list brought: a page, or an error; neither when it has ended well."""

    stream_slice: Any
    page: Page | None = None
    error: Exception | None = None


@lru_cache(maxsize=1)
def pool() -> ThreadPoolExecutor:
    """Return the threads of this process that ask for pages; what they get, others read."""
    return ThreadPoolExecutor(max_workers=MOST_CONCURRENT_LISTS, thread_name_prefix="twilio-pages")


def run_concurrently(lists: Iterable[PagedList], width: Callable[[], int]) -> Iterator[Event]:
    """Yield the pages of lists as they come, with up to `width()` lists being read at a time.

    A list that fails ends nothing but itself. The threads of the pool only ask for pages, so none
    waits for another for longer than a request takes; and as many pages as lists are held, so the
    memory has a bound. A width of 0 asks in this thread, list by list.
    """
    if not width():
        for paged in lists:
            yield from run_sequentially(paged)
        return
    arrived: SimpleQueue[tuple[PagedList, Future[Page | None]]] = SimpleQueue()
    waiting, more, pauses = iter(lists), True, False
    pending = 0

    def ask(paged: PagedList) -> None:
        future = pool().submit(next, paged.pages or iter(()), None)
        future.add_done_callback(lambda done: arrived.put((paged, done)))

    while True:
        while more and not (pauses and pending) and pending < width():
            following = next(waiting, None)
            more, pauses = following is not None, bool(following and not following.pages)
            if following and following.pages:
                ask(following)
                pending += 1
        if not pending:
            return
        paged, future = arrived.get()
        page, failed = None, None
        try:
            page = future.result()
        except Exception as failure:
            failed = failure
        if page:
            ask(paged)
        else:
            pending -= 1
        yield Event(paged.stream_slice, page, failed)


def run_sequentially(paged: PagedList) -> Iterator[Event]:
    """Yield what one list brings, as `run_concurrently` does."""
    if not paged.pages:
        return
    try:
        for page in paged.pages:
            yield Event(paged.stream_slice, page)
    except Exception as failed:
        yield Event(paged.stream_slice, None, failed)
    else:
        yield Event(paged.stream_slice)


# ------------------------------------------------------------------------------------- child lists


@dataclass
class Failures:
    """How many items failed, and the first of them: there may be millions."""

    count: int = 0
    name: str = ""
    first: Exception | None = None

    def add(self, name: str, failure: Exception) -> None:
        """Count one more."""
        self.count += 1
        if self.first is None:
            self.name, self.first = name, failure

    def summary(self) -> Exception:
        """Return one error for all: what failed first, and how many more."""
        first = self.first
        message = first.message if isinstance(first, AirbyteTracedException) else str(first)
        others = f" and {self.count - 1} more" if self.count > 1 else ""
        kind = getattr(first, "failure_type", FailureType.transient_error)
        return error(f"Child rows of {self.name}{others} are missing. {message}", kind)


@dataclass
class ChildLists:
    """Reads the child lists of one account's items; one that fails does not stop the others."""

    # Returns the pages of the child list of an item. The item is a slice.
    ask: Callable[[StreamSlice], Iterator[Page]]
    # How many lists to ask at a time.
    width: Callable[[], int]
    shown: bool = False
    # Of all windows: the items that failed, those of them that were refused, those that are gone.
    failed: Failures = field(default_factory=Failures)
    refused: Failures = field(default_factory=Failures)
    gone: Failures = field(default_factory=Failures)

    def read(self, items: Iterator[StreamSlice], window: StreamSlice | None) -> Iterator[Page]:
        """Yield the pages of the child lists of the items; raise at the end if any failed."""
        failures = Failures()
        lists = (PagedList(item, self.ask(item)) for item in self._to_ask(items, failures))
        for item, page, failure in run_concurrently(lists, self.width):
            if page:
                self.shown = True
                yield page
            elif failure:
                *_, (name, value) = item.partition.items()
                self._note(f"{name} {value}", failure, failures)
        if self.refused.first and (self._is_refused() or not (self.shown or window)):
            raise self.refused.first
        if failures.first:
            raise failures.summary()
        # One item can be gone, and not all of them (BEHAVIOR 48).
        if self.gone.first and not self.shown and (not window or self.gone.count >= REFUSED_ITEMS):
            raise self.gone.first

    def _note(self, name: str, failure: Exception, failures: Failures) -> None:
        """Take note of an item that was not read to its end."""
        if isinstance(failure, RefusedError) and is_gone(failure.response):
            self.gone.add(name, failure)
            return
        for found in (failures, self.failed):
            found.add(name, failure)
        if isinstance(failure, RefusedError):
            self.refused.add(name, failure)

    def _to_ask(self, items: Iterator[StreamSlice], failures: Failures) -> Iterator[StreamSlice]:
        """Yield the items, until it is clear that the account is refused or their list fails."""
        asked = False
        try:
            for item in items:
                out = not self.shown and self.failed.count >= FAILED_ITEMS_AT_MOST
                if out or self._is_refused():
                    return
                asked = True
                once = bool(self.refused.count or self.failed.count >= FAILED_ITEMS)
                yield replaced(item, extra_fields={**item.extra_fields, "ask_once": once})
        except Exception as failure:
            if not asked:
                raise
            failures.add("the parent list", failure)

    def _is_refused(self) -> bool:
        """Return whether the refusals so far are those of the account, not of single items."""
        first = self.refused.first
        if self.shown or not isinstance(first, RefusedError):
            return False
        return first.response.status_code == 401 or self.refused.count >= REFUSED_ITEMS
