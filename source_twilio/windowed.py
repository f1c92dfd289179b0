"""A list with a date filter, read window by window."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import Any

from airbyte_cdk.sources.types import StreamSlice

from source_twilio.dates import days, from_text, read_date, to_text
from source_twilio.errors import LOGGER, OutOfReachError, TooManyRowsError, error
from source_twilio.memory import known
from source_twilio.retriever import Part, TwilioRetriever
from source_twilio.rows import Row
from source_twilio.shared import Answer
from source_twilio.windows import REACH_MARGIN, Page, cut, limited, replaced, split

DAY = timedelta(days=1)
# A page of a capped list that holds so many rows and has no link may not be all (BEHAVIOR 40); the
# second figure is of a page whose size was not asked for.
FULL_PAGE, USUAL_PAGE = 1000, 50
# A window is at least as long as what so many pages of the newest rows cover.
PAGES_PER_WINDOW = 5


class FullPageError(Exception):
    """The page may not be all of its window: see FULL_PAGE."""


@dataclass
class WindowedRetriever(TwilioRetriever):
    """Reads a list with a date filter window by window, and rows without a date apart.

    Why not YAML, each in its place below:
    - a first page that is the last brings a whole list with one request; a larger one tells how
      long the windows should be, which the cursor's fixed `step` cannot be (BEHAVIOR 25);
    - rows whose filter field is null match no date filter (BEHAVIOR 6);
    - how far a list goes back, and how many rows a query shows, an answer tells (BEHAVIOR 10, 23).
    """

    # The field that the date filter acts on.
    cursor_field: str = ""
    # The shortest window, in days; as long as the sync's range if there is none.
    window: str = "P36500D"
    # Twilio shows this list so many days back.
    kept_for: str = "P36500D"
    # The field can be null. The partitions say which rows to read: `dated` or `undated`.
    undated_rows: bool = False
    # A query shows so many rows and no more: windows that hold more are split (BEHAVIOR 23).
    capped: bool = False
    # How far a window is requested beyond its end, unless that is in the future (BEHAVIOR 1).
    overlap_hours: int = 48
    _days_shown: dict[str, int] = field(init=False, default_factory=dict)
    # By account, the list without a filter, from when the first of two slices asks for it until
    # the second has it.
    _lists: dict[str, Answer] = field(init=False, default_factory=dict)
    # By account, the rows without a date on the first page of that list that no window has shown
    # since: what a window shows is newer, and the newer version must leave last.
    _waiting: dict[str, set[Any]] = field(init=False, default_factory=dict)

    def _parts(self, part: StreamSlice) -> Iterator[Part]:
        """Yield the windows of a slice, or the pass over rows without a date."""
        rows = part.partition.get("rows")
        if not self.cursor_field or "start_time" not in part or self.nested_router:
            yield from super()._parts(part)
        elif not self.undated_rows:
            yield from self._windows(part, self._first_page(part))
        else:
            if rows != "undated":
                yield from self._dated(part)
            if rows != "dated":
                yield Part(self._undated(part))

    def _below(self, item: StreamSlice) -> Iterator[Page]:
        """Yield the list below an item: one window, because the items are many."""
        return self._window(item, False, False)

    # -------------------------------------------------------------------------------- the windows

    def _windows(self, part: StreamSlice, page: Page | None) -> Iterator[Part]:
        """Yield the first page if it brings all rows, else windows of a length that suits (25)."""
        length = days(self.window)
        if page and page.last:
            yield Part(iter([page]))
            return
        if page:
            # It shows that the account is not refused; its rows come with their windows.
            yield Part(iter([page._replace(rows=[])]))
            length = max(length, self._span(page.rows, part) * PAGES_PER_WINDOW)
        windows = [*cut(part, length)]
        for window in windows:
            rows = self._window(window, window is not windows[0], window is not windows[-1])
            yield Part(rows, window)

    def _first_page(self, part: StreamSlice) -> Page | None:
        """Return the first page of all windows, or None where one window is enough."""
        length = from_text(part["end_time"]) - from_text(part["start_time"])
        if length < days(self.window):
            return None
        try:
            return next(self._within_reach(part))
        except TooManyRowsError:
            return None

    def _window(self, window: StreamSlice, has_former: bool, has_next: bool) -> Iterator[Page]:
        """Yield the rows of a window, less those of its neighbours: windows overlap (BEHAVIOR 1).

        A row whose date is not known belongs to every window.
        """
        start, end = window["start_time"], window["end_time"]
        held: list[Page] = []
        oldest = ""
        try:
            for page in self._within_reach(window):
                dates = [self._date(row) for row in page.rows]
                oldest = min(filter(None, [oldest, *dates]), default="")
                if waiting := self._waiting.get(window["account_sid"]):
                    waiting.difference_update(row.get("sid") for row in page.rows)
                page = page._replace(
                    rows=[
                        row
                        for row, date in zip(page.rows, dates, strict=True)
                        if not date
                        or not (has_former and date < start)
                        and not (has_next and date > end)
                    ]
                )
                if self.capped:
                    if page.last and not held and self._is_full(len(dates)):
                        raise FullPageError
                    held.append(page)
                else:
                    yield page
        except (FullPageError, TooManyRowsError):
            late = from_text(end) + timedelta(hours=self.overlap_hours)
            late = min(late, datetime.now(timezone.utc))
            # What comes after the newest window is in the newest of its parts.
            whole = window if has_next else limited(window, end_time=to_text(late))
            former, later = split(whole, late, oldest)
            yield from self._window(former, has_former, True)
            yield from self._window(later, True, has_next)
        else:
            yield from held

    def _within_reach(self, window: StreamSlice) -> Iterator[Page]:
        """Yield the pages of a window, less the days that the account no longer shows (10)."""
        shown = self._days_shown.get(window["account_sid"])
        if shown is not None:
            first = to_text(datetime.now(timezone.utc) - timedelta(days=shown) + REACH_MARGIN)
            window = limited(window, start_time=max(window["start_time"], first))
        if window["end_time"] < window["start_time"]:
            yield Page([], window, True)
            return
        try:
            yield from self._pages(window)
        except OutOfReachError as limit:
            self._set_reach(window, limit.days)
            yield from self._within_reach(window)

    def _set_reach(self, window: StreamSlice, shown: int) -> None:
        """Note how many days the account of a window shows. The window began before them."""
        account = window["account_sid"]
        first = to_text(datetime.now(timezone.utc) - timedelta(days=shown))
        if window["start_time"] > first:
            raise error(f"{self.name}: account {account} shows {shown} days, and yet refuses them.")
        if self._days_shown.get(account) != shown:
            self._days_shown[account] = shown
            LOGGER.warning(
                "%s: account %s shows its last %s days only; older rows are out of reach.",
                self.name,
                account,
                shown,
            )

    # ------------------------------------------------------------------------- rows without a date

    def _unfiltered(self, part: StreamSlice) -> tuple[Page, Iterator[Page]]:
        """Return the first page of the list without a filter, and an iterator of the others.

        It is asked once for both slices of an account: who comes second waits for who came first,
        for as long as a request takes.
        """
        with known(self.config).lock:
            shared = self._lists.pop(part["account_sid"], None)
            if not shared:
                shared = self._lists[part["account_sid"]] = Answer()
        pages = self._pages(replaced(part, cursor_slice={}))
        found: tuple[Page, Iterator[Page]] = shared.get(lambda: (next(pages), pages))
        return found

    def _dated(self, part: StreamSlice) -> Iterator[Part]:
        """Yield the rows with a date: from the list as it is, if it has one page, or by windows."""
        page, _ = self._unfiltered(part)
        if not page.last:
            undated = {row.get("sid") for row in page.rows if not self._date(row)}
            self._waiting.setdefault(part["account_sid"], undated)
        since = self._since(part)
        rows = [row for row in page.rows if self._date(row) >= since]
        yield from self._windows(part, page._replace(rows=rows, part=part))

    def _undated(self, part: StreamSlice) -> Iterator[Page]:
        """Yield the rows whose date is not known, from the list without a filter (BEHAVIOR 6).

        The list comes newest first, so it is read to the first page whose last row is older than
        the window by every date it has.
        """
        since = self._since(part)
        first, others = self._unfiltered(part)
        undated = {row.get("sid") for row in first.rows if not self._date(row)}
        waiting = self._waiting.setdefault(part["account_sid"], undated)
        for page in chain([first], others):
            rows = [row for row in page.rows if not self._date(row) and self._is_since(row, since)]
            if page is first:
                rows = [row for row in rows if row.get("sid") in waiting]
            yield page._replace(rows=rows, part=part)
            if page.rows and not self._is_since(page.rows[-1], part["start_time"]):
                return

    def _weight(self, part: StreamSlice) -> int:
        """Return 0 for the rows without a date: one page after the other."""
        return int(part.partition.get("rows") != "undated")

    def _since(self, part: StreamSlice) -> str:
        """Return from when on rows in hand are passed on.

        Where the slice begins where Twilio promises to show rows, older rows are passed on too.
        """
        start = str(part["start_time"])
        shown = to_text(datetime.now(timezone.utc) - days(self.kept_for) + DAY)
        return start if start > shown else min(start, read_date(self.config["start_date"]) or "")

    def _is_since(self, row: Row, moment: str) -> bool:
        """Return whether a row may be so new: a date that is not known proves nothing."""
        age = max(self._date(row), read_date(row.get("date_created")) or "")
        return not age or age >= moment

    def _date(self, row: Row) -> str:
        """Return the date that the filter acts on, or "" where it is not known."""
        return read_date(row.get(self.cursor_field)) or ""

    def _is_full(self, count: int) -> bool:
        """Return whether a page without a link may not be all of its list (BEHAVIOR 40)."""
        size = known(self.config).page_sizes.get(self._resource, FULL_PAGE)
        return count >= (size or USUAL_PAGE)

    def _span(self, rows: list[Row], part: StreamSlice) -> timedelta:
        """Return the time that the dates of some rows cover, less dates that are not the slice's.

        A row of the year 9999 says nothing of how many rows there are a day.
        """
        now = to_text(datetime.now(timezone.utc))
        dates = [date for date in map(self._date, rows) if part["start_time"] <= date <= now]
        return from_text(max(dates)) - from_text(min(dates)) if dates else timedelta()

    def _is_believed(self, part: StreamSlice) -> bool:
        """Return whether a 404 means that nothing is there: before the account was created."""
        created = read_date(part.extra_fields.get("date_created"))
        return super()._is_believed(part) or bool(
            created and str(part.get("end_time", "~")) < created
        )
