"""What several streams ask alike is asked once, and kept in memory. None of it is ever on disk."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from airbyte_cdk.models import FailureType

# Less than the hour that a cursor stays behind (`end_datetime` in the manifest): what came so long
# before a slice was made is newer than the end of that slice.
KEPT_SECONDS = 1800
# So many rows are kept at most, in lists of so many each; the oldest lists go first. A list without
# rows counts as one.
KEPT_ROWS_IN_ALL = 30_000
KEPT_ROWS = 200


class Answer:
    """An answer that one stream asks for while the others wait for it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._future: Future[Any] | None = None
        self._asked_at = 0.0
        # As which it counts, if what is kept is bounded by rows.
        self.rows = 0

    def get(self, ask: Callable[[], Any], kept_seconds: float = float("inf")) -> Any:
        """Return the answer, or raise what was wrong, to all that wait for it.

        Later streams get it too, unless it is old, or None. They ask again after any error but one
        of credentials and settings.
        """
        with self._lock:
            future = self._future
            asks = future is None or future.done() and not self._is_kept(future, kept_seconds)
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

    def _is_kept(self, future: Future[Any], kept_seconds: float) -> bool:
        """Return whether what came is still of use."""
        if failed := future.exception():
            return bool(getattr(failed, "failure_type", None) == FailureType.config_error)
        is_new = time.monotonic() - self._asked_at <= kept_seconds
        return future.result() is not None and is_new


class SharedLists:
    """Short lists: several streams may want them, such as the parents of their lists."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._rows = 0

    def get(self, key: str, ask: Callable[[], Any]) -> Any:
        """Return the page that was found under the key not long ago, or else ask."""
        with self._lock:
            answer = self._answers.setdefault(key, Answer())
            self._answers.move_to_end(key)
            self._count(key, answer, max(1, answer.rows))
        page = answer.get(ask, KEPT_SECONDS)
        with self._lock:
            self._count(key, answer, max(1, len(page.rows) if page else 0))
        return page

    def _count(self, key: str, answer: Answer, rows: int) -> None:
        """Count the rows of an answer that is still kept; let the oldest go beyond the bound."""
        if self._answers.get(key) is answer:
            self._rows += rows - answer.rows
            answer.rows = rows
        while self._rows > KEPT_ROWS_IN_ALL:
            _, oldest = self._answers.popitem(last=False)
            self._rows -= oldest.rows
