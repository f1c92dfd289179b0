"""The lists below the items of a list, such as the media of messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.errors import RefusedError, error
from source_twilio.side_by_side import side_by_side
from source_twilio.windows import Page, replaced

# So many items are refused and none is shown: then the account is refused (BEHAVIOR 8).
REFUSED_ITEMS = 10


@dataclass
class Below:
    """Reads the lists below the items of one account; one that fails does not stop the others."""

    # Returns the pages of the list below an item. The item is a slice.
    ask: Callable[[StreamSlice], Iterator[Page]]
    # How many lists to ask at a time.
    width: Callable[[], int]
    shown: bool = False
    refused: list[RefusedError] = field(default_factory=list)

    def read(self, items: Iterator[StreamSlice], window: StreamSlice | None) -> Iterator[Page]:
        """Yield the pages of the lists below the items; raise at the end if any failed."""
        failures: list[tuple[str, Exception]] = []
        lists = ((item, self.ask(item)) for item in self._to_ask(items, failures))
        for item, page, failure in side_by_side(lists, self.width):
            if page:
                self.shown = True
                yield page
            elif failure:
                *_, (name, value) = item.partition.items()
                failures.append((f"{name} {value}", failure))
                self.refused += [failure] if isinstance(failure, RefusedError) else []
        if failures and (self._is_refused() or (self.refused and not self.shown and not window)):
            raise self.refused[0]
        if failures:
            raise summary(failures)

    def _to_ask(
        self, items: Iterator[StreamSlice], failures: list[tuple[str, Exception]]
    ) -> Iterator[StreamSlice]:
        """Yield the items, until it is clear that the account is refused or their list fails."""
        asked = False
        try:
            for item in items:
                if self._is_refused():
                    return
                asked = True
                # After one refusal the others get no second chance.
                once = {**item.extra_fields, "ask_once": bool(self.refused)}
                yield replaced(item, extra_fields=once)
        except Exception as failure:
            if not asked:
                raise
            failures.append(("the list above", failure))

    def _is_refused(self) -> bool:
        """Return whether the refusals so far are those of the account, not of single items."""
        if self.shown or not self.refused:
            return False
        return self.refused[0].response.status_code == 401 or len(self.refused) >= REFUSED_ITEMS


def summary(failures: list[tuple[str, Exception]]) -> Exception:
    """Return one error for many: what failed first, and how many more."""
    (name, first), more = failures[0], len(failures) - 1
    said = first.message if isinstance(first, AirbyteTracedException) else str(first)
    others = f" and {more} more" if more else ""
    kind = getattr(first, "failure_type", FailureType.transient_error)
    return error(f"Rows below {name}{others} are missing. {said}", kind)
