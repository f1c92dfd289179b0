"""What the streams of one source share while it lives: none of it is ever on disk."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import requests
from airbyte_cdk.sources.types import Record, StreamSlice
from requests.adapters import HTTPAdapter

from source_twilio.errors import LOGGER
from source_twilio.progress import Progress
from source_twilio.rows import QuietRow
from source_twilio.shared import Answer, SharedLists
from source_twilio.skipped import Skipped


class Throttle:
    """Lets as many requests of an account be under way as Twilio lets through (BEHAVIOR 22).

    Why not YAML: the CDK's api_budget counts requests by time, and Twilio those that run at once,
    against a limit that it does not publish. A `with` block holds one place, also while a request
    waits to be sent again. Places are added as answers come in, quickly until the first 429, then
    slowly, and each 429 takes one away. There are never more than `most`.
    """

    def __init__(self, most: int) -> None:
        """Begin with no more places than the default number of workers needs."""
        self._changed = threading.Condition()
        self._most = most
        self._places = min(5, most)
        self._taken = 0
        self._answers = 0
        self._answers_per_place = 2

    def __enter__(self) -> None:
        """Wait for a place, and take it."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken < self._places)
            self._taken += 1

    def __exit__(self, *_: object) -> None:
        """Give the place back."""
        with self._changed:
            self._taken -= 1
            self._changed.notify()

    def learn(self, status: int) -> None:
        """Take note of the status of a response."""
        with self._changed:
            if status == requests.codes.too_many_requests:
                self._places = max(1, self._places - 1)
                self._answers, self._answers_per_place = 0, 100
            # Answers count while all places are taken: only then would one more be used.
            elif self._taken >= self._places < self._most:
                self._answers += 1
                if self._answers >= self._answers_per_place:
                    self._places += 1
                    self._answers = 0
                    self._changed.notify()


class Patience(NamedTuple):
    """How often a failed request is asked again, and the seconds that it may be told to wait.

    And the seconds in which a body must have arrived once its headers have (BEHAVIOR 53).
    """

    retries: int
    seconds: float
    body_seconds: float


# For the first request, so that a check fails within ten seconds (BEHAVIOR 31).
AT_THE_START = Patience(2, 4, 10)
# While the lists are tried that a key may open: there are others to try.
PROBING = Patience(0, 0, 10)
UNDER_WAY = Patience(5, 600, 120)
# Where many lists fail: only a 429, which says nothing of the list, is asked again (BEHAVIOR 49).
ONCE = Patience(0, 600, 120)
# Of what this thread asks.
PATIENCE: ContextVar[Patience] = ContextVar("PATIENCE", default=UNDER_WAY)


@contextmanager
def trying(patience: Patience) -> Iterator[None]:
    """Ask again as the patience says, in this thread."""
    before = PATIENCE.set(patience)
    try:
        yield
    finally:
        PATIENCE.reset(before)


def single(rows: Iterable[Mapping[str, Any]], name: str, part: StreamSlice) -> Iterator[Record]:
    """Yield a record for each row."""
    for row in rows:
        yield Record(QuietRow(row), name, part)


@dataclass
class Memory:
    """What the streams of one source share while it lives. None of it is ever on disk."""

    num_workers: int
    throttle: Throttle
    # To Twilio's hosts, about 20; as many to each as requests may be under way.
    connections: HTTPAdapter
    # The subaccounts' own tokens, by their SIDs (BEHAVIOR 2, 14).
    tokens: dict[str, str] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=Skipped)
    # How many slices are being read.
    readers: int = 0
    # When the source was made, in seconds of `time`.
    began: float = field(default_factory=time.time)
    # What the state of a stream and account says to warn of, once the account has been read.
    gaps: dict[tuple[str, str], str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    # All that the list of accounts shows, whatever the settings; None if it has not been read.
    shown: frozenset[str] | None = None
    # The `Date` of the first answer, or "" if it had none; None before it.
    first_answer: str | None = None
    accounts: Answer = field(default_factory=Answer)
    lists: SharedLists = field(default_factory=SharedLists)
    # The resources that a stream reads for the sake of lists below them.
    parents: set[str] = field(default_factory=set)
    # The page sizes that work where the usual one does not, by resource; 0 is none (BEHAVIOR 47).
    page_sizes: dict[str, int] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    # How the rows of a page become records. The installed command has a faster way.
    records: Callable[[Iterable[Mapping[str, Any]], str, StreamSlice], Iterator[Record]] = single
    _warned: set[str] = field(default_factory=set)

    @contextmanager
    def reading(self, slices: int = 1) -> Iterator[None]:
        """Count a slice as being read; or, with -1, as waiting for another."""
        with self.lock:
            self.readers += slices
        try:
            yield
        finally:
            with self.lock:
                self.readers -= slices

    def heard(self, response: requests.Response) -> None:
        """Note by the first answer how late it is for Twilio (BEHAVIOR 5)."""
        if self.first_answer is None:
            self.first_answer = response.headers.get("Date", "")

    def warn(self, message: str) -> None:
        """Log a warning once, although every stream has reason to give it."""
        with self.lock:
            if message not in self._warned:
                LOGGER.warning(message)
            self._warned.add(message)


# By the identity of the configuration, which is kept so that no other takes its place.
MEMORIES: OrderedDict[int, tuple[Mapping[str, Any], Memory]] = OrderedDict()
MEMORIES_LOCK = threading.Lock()


def known(config: Mapping[str, Any]) -> Memory:
    """Return the memory of the source that a configuration belongs to.

    The CDK copies the configuration when it makes a source, and gives this one object to all parts
    of the source.
    """
    with MEMORIES_LOCK:
        if id(config) not in MEMORIES:
            workers = int(config.get("num_workers") or 5)
            connections = HTTPAdapter(pool_connections=40, pool_maxsize=workers)
            MEMORIES[id(config)] = config, Memory(workers, Throttle(workers), connections)
        MEMORIES.move_to_end(id(config))
        if len(MEMORIES) > 256:
            MEMORIES.popitem(last=False)
        return MEMORIES[id(config)][1]
