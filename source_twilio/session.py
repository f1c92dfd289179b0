"""What the streams of one source share while it lives. None of it is ever on disk."""

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import Record, StreamSlice
from requests.adapters import HTTPAdapter

from source_twilio.errors import LOGGER

# Less than the hour that a cursor stays behind (CLOCK_MARGIN): what came so long before a slice was
# made is newer than the end of that slice.
SHARED_SECONDS = 1800
# So many rows are shared at most, in lists of so many each; the oldest lists go first. A list
# without rows counts as one.
SHARED_ROWS_IN_ALL = 30_000
SHARED_ROWS = 200
# So many skipped accounts are named when they are met, and at the end.
NAMED_ACCOUNTS = 3
# A token is renewed so long before it ends, and not again sooner than that.
RENEWAL_SECONDS = 60
# A line in the log says how far a sync has come.
PROGRESS_SECONDS = 30


class Account(NamedTuple):
    """An account as it is asked: by the 2010 API, or by the product APIs, with its own token."""

    sid: str
    of_product_api: bool


def is_active(account: Mapping[str, Any]) -> bool:
    """Return whether Twilio calls an account active."""
    return bool((account.get("status") or "active") == "active")


def is_of_product_api(resource: str) -> bool:
    """Return whether a resource is a whole URL, and not one of the 2010 API."""
    return resource.startswith("https:") and not resource.startswith("https://api.twilio.com/")


# ------------------------------------------------------------------------------------ one request


class RetryBudget(NamedTuple):
    """How often a failed request is sent again, and the seconds that it may be told to wait.

    And the seconds in which a body must have arrived once its headers have (BEHAVIOR 53).
    """

    retries: int
    wait_seconds: float
    body_seconds: float


# For the first request, so that a check fails within ten seconds (BEHAVIOR 31).
STARTUP = RetryBudget(2, 4, 10)
# While the lists are tried that a key may open: there are others to try.
PROBE = RetryBudget(0, 0, 10)
SYNC = RetryBudget(5, 600, 120)
# Where many lists fail: only a 429, which says nothing of the list, is asked again (BEHAVIOR 49).
SINGLE_TRY = RetryBudget(0, 600, 120)


class RequestScope(NamedTuple):
    """What the requests of a thread are for: whose they are, and when to end them."""

    account: str = ""
    budget: RetryBudget = SYNC
    # The field of a date, if only rows without it are wanted of a page.
    undated_by: str = ""


SCOPE: ContextVar[RequestScope] = ContextVar("SCOPE", default=RequestScope())  # noqa: B039  # noqa: B039
# An authenticator and an error handler see nothing but the request.
request_scope = SCOPE.get


@contextmanager
def requests_for(
    account: str = "", budget: RetryBudget = SYNC, undated_by: str = ""
) -> Iterator[None]:
    """Have this thread's requests authenticated, tried and read as the scope says."""
    before = SCOPE.set(RequestScope(account, budget, undated_by))
    try:
        yield
    finally:
        SCOPE.reset(before)


class Throttle:
    """Lets as many requests of an account be under way as Twilio lets through (BEHAVIOR 22).

    A `with` block holds one place, also while a request waits to be sent again. Places are added as
    answers come in, quickly until the first 429, then slowly, and each 429 takes one away. There
    are never more than `most`.
    """

    def __init__(self, most: int) -> None:
        self._changed = threading.Condition()
        self._most = most
        # No more places at first than the default number of workers needs.
        self._places = min(5, most)
        self._taken = 0
        self._answers = 0
        self._answers_per_place = 2

    def __enter__(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._taken < self._places)
            self._taken += 1

    def __exit__(self, *_: object) -> None:
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


class AccessToken:
    """The token of an OAuth app, which all streams share (BEHAVIOR 56).

    It is fetched when the first request needs it, and again before it ends, or after a 401.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value = ""
        self._fetched_at = self._renew_at = float("-inf")

    def get(self, fetch: Callable[[], tuple[str, float]]) -> str:
        """Return the token; `fetch` returns a new one and the seconds that it lasts."""
        with self._lock:
            if time.monotonic() >= self._renew_at:
                self._fetched_at = time.monotonic()
                self._value, seconds = fetch()
                self._renew_at = self._fetched_at + seconds - min(seconds / 2, RENEWAL_SECONDS)
            return self._value

    def reject(self, value: str) -> None:
        """Have a token that was refused fetched anew, unless it is new: then it may not do more."""
        with self._lock:
            is_old = time.monotonic() - self._fetched_at > RENEWAL_SECONDS
            if value == self._value and is_old:
                self._renew_at = float("-inf")


# --------------------------------------------------------------------------------- shared answers


class SharedAnswer:
    """An answer that one stream asks for while the others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._future: Future[Any] | None = None
        self._asked_at = 0.0
        # As which it counts, if what is shared is bounded by rows.
        self.rows = 0

    def get(self, ask: Callable[[], Any], max_age_seconds: float = float("inf")) -> Any:
        """Return the answer, or raise what was wrong, to all that wait for it.

        Later streams get it too, unless it is old, or None. They ask again after any error but one
        of credentials and settings.
        """
        with self._lock:
            future = self._future
            asks = future is None or future.done() and not self._is_valid(future, max_age_seconds)
            if future is None or asks:
                future = self._future = Future()
                self._asked_at = time.monotonic()
        if asks:
            try:
                future.set_result(ask())
            # Whatever it is, those that wait must not wait for ever.
            except BaseException as failure:
                future.set_exception(failure)
        if failed := future.exception():
            raise failed.with_traceback(None)
        return future.result()

    def _is_valid(self, future: Future[Any], max_age_seconds: float) -> bool:
        """Return whether what came is still of use."""
        if failed := future.exception():
            return bool(getattr(failed, "failure_type", None) == FailureType.config_error)
        is_new = time.monotonic() - self._asked_at <= max_age_seconds
        return future.result() is not None and is_new


class SharedLists:
    """Short lists: several streams may want them, such as the parents of their lists."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, SharedAnswer] = OrderedDict()
        self._rows = 0

    def get(self, key: str, ask: Callable[[], Any]) -> Any:
        """Return the page that was found under the key not long ago, or else ask."""
        with self._lock:
            answer = self._answers.setdefault(key, SharedAnswer())
            self._answers.move_to_end(key)
            self._count(key, answer, max(1, answer.rows))
        page = answer.get(ask, SHARED_SECONDS)
        with self._lock:
            self._count(key, answer, max(1, len(page.rows) if page else 0))
        return page

    def _count(self, key: str, answer: SharedAnswer, rows: int) -> None:
        """Count the rows of an answer that is still shared; drop the oldest beyond the bound."""
        if self._answers.get(key) is answer:
            self._rows += rows - answer.rows
            answer.rows = rows
        while self._rows > SHARED_ROWS_IN_ALL:
            _, oldest = self._answers.popitem(last=False)
            self._rows -= oldest.rows


# -------------------------------------------------------------------------------- skipped accounts


class SkippedAccounts:
    """What a sync leaves out, by stream; lines at the end of the process sum it up (BEHAVIOR 9).

    An account that refuses its credentials (401) before it has shown any list is refused in every
    stream that is asked with them: in those of the 2010 API, or of the product APIs (BEHAVIOR 14).
    Any other refusal is one of a single list. A product API refuses accounts that do not use the
    product, which is no surprise: only the lines at the end speak of them (BEHAVIOR 34).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: set[Account] = set()
        self._refused: dict[Account, bool] = {}
        # The accounts that a single list left out, by stream, and whether they do not use it.
        self._left_out: dict[str, dict[Account, bool]] = {}
        weakref.finalize(self, log_skipped, self._refused, self._left_out)

    def opened(self, account: Account) -> None:
        """Note that Twilio showed a list of the account."""
        self._opened.add(account)

    def is_opened(self, account: Account) -> bool:
        """Return whether Twilio has shown a list of the account."""
        return account in self._opened

    def is_refused(self, account: Account) -> bool:
        """Return whether the account refuses its credentials."""
        return account in self._refused

    def note(
        self,
        stream: str,
        account: Account,
        status: int,
        is_active: bool = True,
        unused: bool = False,
    ) -> None:
        """Note that a stream leaves an account out, and warn of the first few.

        `unused` says that the answer is the one to active accounts without the product.
        """
        by_product, unused = account.of_product_api and is_active, unused and is_active
        with self._lock:
            everywhere = status == 401 and account not in self._opened and not by_product
            accounts = self._refused if everywhere else self._left_out.setdefault(stream, {})
            known = account in accounts
            accounts[account] = unused
        if not known and not unused and len(accounts) <= NAMED_ACCOUNTS:
            LOGGER.warning(
                "%s: Twilio refuses to show account %s (HTTP %s): skipped, its cursor was not "
                "advanced.",
                stream,
                account.sid,
                status,
            )


def log_skipped(refused: dict[Account, bool], left_out: dict[str, dict[Account, bool]]) -> None:
    """Log how many accounts were skipped, where they were more than have been named."""
    for stream, found in {"all streams": refused, **left_out}.items():
        accounts = [*dict.fromkeys(account.sid for account in found)]
        unused = any(found.values())
        if unused or len(accounts) > NAMED_ACCOUNTS:
            LOGGER.warning(
                "%s: Twilio refuses to show %s account%s%s: skipped, cursors were not advanced. "
                "The first: %s.",
                stream,
                len(accounts),
                "s" if accounts[1:] else "",
                "; the product is probably not enabled there" if unused else "",
                ", ".join(accounts[:NAMED_ACCOUNTS]),
            )


# --------------------------------------------------------------------------------------- progress


class Progress:
    """Counts what has arrived, and logs a line about it now and then.

    The list of accounts, which most streams begin with, belongs to no account and is not counted.
    The line comes with the first page after `PROGRESS_SECONDS`. While no page comes, the waits are
    in the log.
    """

    def __init__(self) -> None:
        self._due = time.monotonic() + PROGRESS_SECONDS
        self._records = self._pages = self._lists = 0
        self._accounts: set[str] = set()
        self._lock = threading.Lock()

    def page(self, account: str, records: int) -> None:
        """Count a page, and log a line if it is time."""
        with self._lock:
            if not account:
                return
            self._pages += 1
            self._records += records
            now = time.monotonic()
            if now < self._due:
                return
            self._due = now + PROGRESS_SECONDS
            line = (
                f"So far: records {self._records:,}, pages {self._pages:,}, complete lists "
                f"{self._lists:,}, accounts {len(self._accounts):,}."
            )
        LOGGER.info(line)

    def complete(self, account: str) -> None:
        """Count a list of an account that has been read, or a part of it with a cursor."""
        with self._lock:
            if account:
                self._lists += 1
                self._accounts.add(account)


# ------------------------------------------------------------------------------------- the session


Batched = Callable[[Iterable[Mapping[str, Any]], str, StreamSlice], Iterator[Record]]


@dataclass
class Session:
    """What the streams of one source share while it lives. None of it is ever on disk."""

    num_workers: int
    throttle: Throttle
    # To Twilio's hosts, about 20; as many to each as requests may be under way.
    connections: HTTPAdapter
    # The subaccounts' own tokens, by their SIDs (BEHAVIOR 2, 14).
    tokens: dict[str, str] = field(default_factory=dict)
    access_token: AccessToken = field(default_factory=AccessToken)
    skipped: SkippedAccounts = field(default_factory=SkippedAccounts)
    # How many slices are being read.
    readers: int = 0
    # When the source was made, in seconds of `time`.
    started_at: float = field(default_factory=time.time)
    # What the state of a stream and account says to warn of, once the account has been read.
    gaps: dict[tuple[str, str], str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    # All that the list of accounts shows, whatever the settings; None if it has not been read.
    shown: frozenset[str] | None = None
    # The `Date` of the first answer, or "" if it had none; None before it.
    first_date: str | None = None
    accounts: SharedAnswer = field(default_factory=SharedAnswer)
    lists: SharedLists = field(default_factory=SharedLists)
    # The resources that a stream reads for the sake of lists of their items.
    parents: set[str] = field(default_factory=set)
    # The page sizes that work where the usual one does not, by resource; 0 is none (BEHAVIOR 47).
    page_sizes: dict[str, int] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    # How the rows of a page become records, if not one by one: the installed command's faster way.
    batched: Batched | None = None
    _warned: set[str] = field(default_factory=set)

    @contextmanager
    def reading(self, slices: int = 1) -> Iterator[None]:
        """Count slices as being read."""
        with self.lock:
            self.readers += slices
        try:
            yield
        finally:
            with self.lock:
                self.readers -= slices

    def warn(self, message: str) -> None:
        """Log a warning once, although every stream has reason to give it."""
        with self.lock:
            if message not in self._warned:
                LOGGER.warning(message)
            self._warned.add(message)


# By the identity of the configuration, which is kept so that no other takes its place.
SESSIONS: OrderedDict[int, tuple[Mapping[str, Any], Session]] = OrderedDict()
SESSIONS_LOCK = threading.Lock()


def session_for(config: Mapping[str, Any]) -> Session:
    """Return the session of the source that a configuration belongs to.

    The CDK copies the configuration when it makes a source, and gives this one object to all parts
    of the source.
    """
    with SESSIONS_LOCK:
        if id(config) not in SESSIONS:
            workers = int(config.get("num_workers") or 5)
            connections = HTTPAdapter(pool_connections=40, pool_maxsize=workers)
            SESSIONS[id(config)] = config, Session(workers, Throttle(workers), connections)
        SESSIONS.move_to_end(id(config))
        if len(SESSIONS) > 256:
            SESSIONS.popitem(last=False)
        return SESSIONS[id(config)][1]
