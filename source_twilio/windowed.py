"""A list with a date filter, read window by window."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import Any

from airbyte_cdk.sources.types import StreamSlice
from isodate import parse_duration as duration  # type: ignore[import-untyped]

from source_twilio.cursors import reached
from source_twilio.dates import TIMESTAMP, from_text, read_date, to_text
from source_twilio.errors import LOGGER, OutOfReachError, TooManyRowsError, error
from source_twilio.memory import known
from source_twilio.retriever import ROUND_ENDS, Part, TwilioRetriever
from source_twilio.rows import Row
from source_twilio.shared import Answer
from source_twilio.undated import with_open_days
from source_twilio.windows import (
    REACH_MARGIN,
    Page,
    first_window,
    following,
    limited,
    replaced,
    split,
)

DAY = timedelta(days=1)
# A page of a capped list that holds so many rows and has no link may not be all (BEHAVIOR 40); the
# second figure is of a page whose size was not asked for.
FULL_PAGE, USUAL_PAGE = 1000, 50
# Windows hold so many pages at least, and so many at most: as far as the first page tells, and then
# as those before them did, so many at a time.
LEAST_PAGES, MOST_PAGES = 5, 50
WINDOWS_PER_ROUND = 10
# So many rows tell that a list is dense.
TELLING_ROWS = 100


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
    # Rows without a date do not change any more when they have one of these (BEHAVIOR 6).
    final_statuses: list[str] = field(default_factory=list)
    # A query shows so many rows and no more: windows that hold more are split (BEHAVIOR 23).
    capped: bool = False
    # How far a window is requested beyond its end, unless that is in the future (BEHAVIOR 1).
    overlap_hours: int = 48
    # For filters that leave out the moment that they begin with (BEHAVIOR 35).
    lower_margin: str = "PT0S"
    # How the two bounds are written. An upper bound without a time may include its day.
    date_format: str = TIMESTAMP
    date_to_format: str = "%Y-%m-%d"
    _days_shown: dict[str, int] = field(init=False, default_factory=dict)
    # The accounts whose answers have shown that an upper bound includes its day.
    _inclusive: set[str] = field(init=False, default_factory=set)
    # By account, when the oldest row without a date was made that is not final; None if all are.
    _oldest_open: dict[str, str | None] = field(init=False, default_factory=dict)
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
        """Yield the first page if it brings all rows, else windows of a length that suits (25).

        The oldest window comes first. Its length follows from the dates of the first page, which is
        the newest, and then from the pages that older windows had: few rows, or many, in a short
        time say little of the years before.
        """
        length = duration(self.window)
        if page and page.last:
            yield Part(iter([page]))
            return
        if page:
            # It shows that the account is not refused; its rows come with their windows.
            yield Part(iter([page._replace(rows=[])]))
            span = self._span(page.rows, part)
            if len(page.rows) >= TELLING_ROWS:
                length = max(min(length, span * MOST_PAGES), DAY)
            length = max(length, span * LEAST_PAGES)
        rest: StreamSlice | None = part
        while rest:
            pages: list[int] = []
            for _ in range(WINDOWS_PER_ROUND):
                window = first_window(rest, length)
                has_former, has_next = rest is not part, window is not rest
                yield Part(self._counted(self._window(window, has_former, has_next), pages), window)
                rest = following(window, part) if has_next else None
                if not rest:
                    return
            yield ROUND_ENDS
            average = len(pages) / WINDOWS_PER_ROUND
            if average < LEAST_PAGES:
                length *= 4
            elif average > MOST_PAGES:
                length = max(DAY, length * (MOST_PAGES / average))

    def _counted(self, pages: Iterator[Page], counted: list[int]) -> Iterator[Page]:
        """Yield the pages, and count them."""
        for page in pages:
            counted.append(1)
            yield page

    def _first_page(self, part: StreamSlice) -> Page | None:
        """Return the first page of all windows, or None where one window is enough."""
        length = from_text(part["end_time"]) - from_text(part["start_time"])
        if length < duration(self.window):
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
            for page in self._within_reach(window, has_next):
                dates = self._dates(page.rows)
                oldest = min(filter(None, [oldest, *dates]), default="")
                until, newest = page.part.get("requested_until"), max(dates, default="")
                # A row of midnight would be there in either case.
                if newest[:10] == until and newest > f"{until}T00:00:00Z":
                    self._inclusive.add(page.part["account_sid"])
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

    def _within_reach(self, window: StreamSlice, has_next: bool = False) -> Iterator[Page]:
        """Yield the pages of a window, less the days that Twilio no longer shows (BEHAVIOR 10).

        Here the bounds of a request are made. In a sync of many hours days go out of reach.
        """
        now = datetime.now(timezone.utc)
        shown = duration(self.kept_for)
        of_account = self._days_shown.get(window["account_sid"])
        if of_account is not None:
            shown = min(shown, timedelta(days=of_account))
        first = now - shown + REACH_MARGIN
        if window["end_time"] < to_text(first):
            yield Page([], window, True)
            return
        since = max(from_text(window["start_time"]) - duration(self.lower_margin), first)
        bounds = {"requested_from": since.strftime(self.date_format)}
        if until := window.get("until") or self._until(window, has_next, now):
            bounds["requested_until"] = until
        try:
            yield from self._pages(limited(window, **bounds))
        except OutOfReachError as limit:
            self._set_reach(window, since, limit.days)
            yield from self._within_reach(window, has_next)

    def _until(self, window: StreamSlice, has_next: bool, now: datetime) -> str:
        """Return the upper bound to ask for, "" for none (BEHAVIOR 1)."""
        end = from_text(window["end_time"])
        if has_next and window["account_sid"] in self._inclusive:
            return end.strftime(self.date_to_format)
        late = end + timedelta(hours=self.overlap_hours)
        return late.strftime(self.date_to_format) if late < now else ""

    def _set_reach(self, window: StreamSlice, since: datetime, shown: int) -> None:
        """Note how many days the account of a window shows. The request began before them."""
        account = window["account_sid"]
        if since > datetime.now(timezone.utc) - timedelta(days=shown):
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
        # In the builder all of a page is seen.
        undated_by = self.cursor_field if self._width() else ""
        extra_fields = {**part.extra_fields, "undated_by": undated_by}
        pages = self._pages(replaced(part, cursor_slice={}, extra_fields=extra_fields))
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
        since, open_rows = self._since(part), list[Row]()
        first, others = self._unfiltered(part)
        undated = {row.get("sid") for row in first.rows if not self._date(row)}
        waiting = self._waiting.setdefault(part["account_sid"], undated)
        for page in chain([first], others):
            rows = [row for row in page.rows if not self._date(row) and self._is_since(row, since)]
            open_rows += [row for row in rows if row.get("status") not in self.final_statuses]
            if page is first:
                rows = [row for row in rows if row.get("sid") in waiting]
            yield page._replace(rows=rows, part=part)
            if page.rows and not self._is_since(page.rows[-1], part["start_time"]):
                break
        dates = [read_date(row.get("date_created")) or "" for row in open_rows]
        self._oldest_open[part["account_sid"]] = min(dates, default=None)

    def _observe(self, part: StreamSlice, end: str = "") -> None:
        """Tell the cursor that the slice has arrived, and which of its rows are not final (6)."""
        if part.partition.get("rows") == "undated" and part["account_sid"] in self._oldest_open:
            oldest = self._oldest_open.pop(part["account_sid"])
            arrived = reached(part["end_time"], known(self.config))
            end = with_open_days(arrived, part["start_time"], oldest)
        super()._observe(part, end)

    def _weight(self, part: StreamSlice) -> int:
        """Return 0 for the rows without a date: one page after the other."""
        return int(part.partition.get("rows") != "undated")

    def _since(self, part: StreamSlice) -> str:
        """Return from when on rows in hand are passed on.

        Where the slice begins where Twilio promises to show rows, older rows are passed on too.
        """
        start = str(part["start_time"])
        shown = to_text(datetime.now(timezone.utc) - duration(self.kept_for) + DAY)
        return start if start > shown else min(start, read_date(self.config["start_date"]) or "")

    def _is_since(self, row: Row, moment: str) -> bool:
        """Return whether a row may be so new: a date that is not known proves nothing."""
        age = max(self._date(row), read_date(row.get("date_created")) or "")
        return not age or age >= moment

    def _date(self, row: Row) -> str:
        """Return the date that the filter acts on, or "" where it is not known."""
        return read_date(row.get(self.cursor_field)) or ""

    def _dates(self, rows: list[Row]) -> list[str]:
        """Return the date of each row, as `_date` does, in half the time."""
        return [read_date(row.get(self.cursor_field)) or "" for row in rows]

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
