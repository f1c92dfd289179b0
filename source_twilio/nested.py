"""The lists below the items of a list, such as the media of messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.errors import RefusedError, error, is_gone
from source_twilio.side_by_side import side_by_side
from source_twilio.windows import Page, replaced

# So many items are refused and none is shown: then the account is refused (BEHAVIOR 8).
REFUSED_ITEMS = 10
# So many items fail: then the others are tried once each (BEHAVIOR 49).
FAILED_ITEMS = 5
# So many items fail and none is shown: then the others are not asked for (BEHAVIOR 49).
FAILED_ITEMS_AT_MOST = 100


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
        said = first.message if isinstance(first, AirbyteTracedException) else str(first)
        others = f" and {self.count - 1} more" if self.count > 1 else ""
        kind = getattr(first, "failure_type", FailureType.transient_error)
        return error(f"Rows below {self.name}{others} are missing. {said}", kind)


@dataclass
class Below:
    """Reads the lists below the items of one account; one that fails does not stop the others."""

    # Returns the pages of the list below an item. The item is a slice.
    ask: Callable[[StreamSlice], Iterator[Page]]
    # How many lists to ask at a time.
    width: Callable[[], int]
    shown: bool = False
    # Of all windows: the items that failed, those of them that were refused, those that are gone.
    failed: Failures = field(default_factory=Failures)
    refused: Failures = field(default_factory=Failures)
    gone: Failures = field(default_factory=Failures)

    def read(self, items: Iterator[StreamSlice], window: StreamSlice | None) -> Iterator[Page]:
        """Yield the pages of the lists below the items; raise at the end if any failed."""
        failures = Failures()
        lists = ((item, self.ask(item)) for item in self._to_ask(items, failures))
        for item, page, failure in side_by_side(lists, self.width):
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
            failures.add("the list above", failure)

    def _is_refused(self) -> bool:
        """Return whether the refusals so far are those of the account, not of single items."""
        first = self.refused.first
        if self.shown or not isinstance(first, RefusedError):
            return False
        return first.response.status_code == 401 or self.refused.count >= REFUSED_ITEMS
