"""Several lists at once: the windows of an account, or the lists below the items of a list."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, NamedTuple

from source_twilio.windows import Page

# As many as a user can set; a thread that waits for its turn to send costs next to nothing.
MOST_REQUESTS = 40


class Event(NamedTuple):
    """What a list brought: a page, or an error; neither when it has ended well."""

    key: Any
    page: Page | None = None
    error: Exception | None = None


@lru_cache(maxsize=1)
def pool() -> ThreadPoolExecutor:
    """Return the threads of this process that ask for pages; what they get, others read."""
    return ThreadPoolExecutor(max_workers=MOST_REQUESTS, thread_name_prefix="twilio-pages")


def side_by_side(
    lists: Iterable[tuple[Any, Iterator[Page] | None]], width: Callable[[], int]
) -> Iterator[Event]:
    """Yield the pages of lists as they come, with up to `width()` lists being asked at a time.

    Each list is a key and an iterator whose `next` is one request. A list that fails ends nothing
    but itself. The threads of the pool only ask for pages, so none waits for another for longer
    than a request takes; and as many pages as lists are held, so the memory has a bound. A width of
    0 asks in this thread. Without an iterator a key stands between lists: the next list is taken
    when those before it have ended.
    """
    if not width():
        for key, pages in lists:
            if pages:
                yield from one_by_one(key, pages)
        return
    arrived: SimpleQueue[tuple[Any, Iterator[Page], Future[Page | None]]] = SimpleQueue()
    waiting, more, pauses = iter(lists), True, False
    under_way = 0

    def ask(key: Any, pages: Iterator[Page]) -> None:
        future = pool().submit(next, pages, None)
        future.add_done_callback(lambda done: arrived.put((key, pages, done)))

    while True:
        while more and not (pauses and under_way) and under_way < width():
            entry = next(waiting, None)
            more, pauses = entry is not None, bool(entry and not entry[1])
            if entry and entry[1]:
                ask(entry[0], entry[1])
                under_way += 1
        if not under_way:
            return
        key, pages, future = arrived.get()
        page, failed = None, None
        try:
            page = future.result()
        except Exception as failure:
            failed = failure
        if page:
            ask(key, pages)
        else:
            under_way -= 1
        yield Event(key, page, failed)


def one_by_one(key: Any, pages: Iterator[Page]) -> Iterator[Event]:
    """Yield what one list brings, as `side_by_side` does."""
    try:
        for page in pages:
            yield Event(key, page)
    except Exception as failed:
        yield Event(key, None, failed)
    else:
        yield Event(key)
