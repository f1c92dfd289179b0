"""A list with a date filter, read window by window: all bounds of a request are made here."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import Any

from airbyte_cdk.sources.types import StreamSlice

from source_twilio.concurrent_lists import PagedList
from source_twilio.errors import LOGGER, OutOfReachError, TooManyRowsError, error
from source_twilio.pages import Page, replaced
from source_twilio.records import Row
from source_twilio.retriever import TwilioRetriever
from source_twilio.session import SharedAnswer
from source_twilio.state import read_up_to, with_open_days
from source_twilio.timestamps import (
    TIMESTAMP,
    format_timestamp,
    parse_duration,
    parse_timestamp,
    read_date,
)

# How long after the oldest moment that an account shows a request begins: Twilio's clock may be
# ahead, and the request takes a while.
REACH_MARGIN = timedelta(minutes=10)
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
    - how far a list goes back, and how many rows a query shows, an answer tells (BEHAVIOR 10, 23):
      `RequestWindowSplitting` halves a window by a status, and not where the rows shown end;
    - an account that is new is read in another way than one with a state, and
      `StateDelegatingStream` chooses by the state of the whole stream.
    """

    # The field that the date filter acts on.
    cursor_field: str = ""
    # The shortest window, in days; as long as the sync's range if there is none.
    window: str = "P36500D"
    # The longest range that a request may name, less the overlap (BEHAVIOR 58).
    longest_window: str = "P36500D"
    # Twilio shows this list so many days back.
    retention: str = "P36500D"
    # The field can be null. The partitions say which rows to read: `dated` or `undated`.
    nullable_date: bool = False
    # Rows without a date do not change any more when they have one of these (BEHAVIOR 6).
    final_statuses: list[str] = field(default_factory=list)
    # A query shows so many rows and no more: windows that hold more are split (BEHAVIOR 23).
    split_full_windows: bool = False
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
    _unfiltered_lists: dict[str, SharedAnswer] = field(init=False, default_factory=dict)
    # By account, the rows without a date on the first page of that list, by their SIDs, as a window
    # has shown them since: that version is newer, and must leave last.
    _waiting: dict[str, dict[Any, Row | None]] = field(init=False, default_factory=dict)

    def _lists(self, stream_slice: StreamSlice) -> Iterator[PagedList]:
        """Yield the windows of a slice, or the pass over rows without a date."""
        rows = stream_slice.partition.get("rows")
        if not self.cursor_field or "start_time" not in stream_slice or self.nested_router:
            yield from super()._lists(stream_slice)
        elif not self.nullable_date:
            yield from self._windows(stream_slice, self._first_page(stream_slice))
        else:
            if rows != "undated":
                yield from self._dated(stream_slice)
            if rows != "dated":
                yield PagedList(None, self._undated(stream_slice))

    def _child_list(self, item: StreamSlice) -> Iterator[Page]:
        """Yield the child list of an item: one window, because the items are many."""
        return self._window(item, False, False)

    # -------------------------------------------------------------------------------- the windows

    def _windows(self, stream_slice: StreamSlice, page: Page | None) -> Iterator[PagedList]:
        """Yield the first page if it brings all rows, else windows of a length that suits (25).

        The oldest window comes first. Its length follows from the dates of the first page, which is
        the newest, and then from the pages that older windows had: few rows, or many, in a short
        time say little of the years before.
        """
        length = parse_duration(self.window)
        if page and page.last:
            yield PagedList(None, iter([page]))
            return
        if page:
            # It shows that the account is not refused; its rows come with their windows.
            yield PagedList(None, iter([page._replace(rows=[])]))
            span = self._span(page.rows, stream_slice)
            if len(page.rows) >= TELLING_ROWS:
                length = max(min(length, span * MOST_PAGES), DAY)
            length = max(length, span * LEAST_PAGES)
        rest: StreamSlice | None = stream_slice
        while rest:
            pages: list[int] = []
            for _ in range(WINDOWS_PER_ROUND):
                window = first_window(rest, min(length, parse_duration(self.longest_window)))
                has_former, has_next = rest is not stream_slice, window is not rest
                of_window = self._window(window, has_former, has_next)
                yield PagedList(window, self._counted(of_window, pages))
                rest = following(window, stream_slice) if has_next else None
                if not rest:
                    return
            # A pause: the length of the next windows follows from these.
            yield PagedList(None, None)
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

    def _first_page(self, stream_slice: StreamSlice) -> Page | None:
        """Return the first page of all windows, or None where one is enough or all are too long."""
        shortest, longest = parse_duration(self.window), parse_duration(self.longest_window)
        if not shortest <= length_of(stream_slice) <= longest:
            return None
        try:
            return next(self._within_reach(stream_slice))
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
                until, newest = page.stream_slice.get("requested_until"), max(dates, default="")
                # A row of midnight would be there in either case.
                if newest[:10] == until and newest > f"{until}T00:00:00Z":
                    self._inclusive.add(page.stream_slice["account_sid"])
                if waiting := self._waiting.get(window["account_sid"]):
                    shown = {row.get("sid"): row for row in page.rows if row.get("sid") in waiting}
                    waiting.update({sid: {**row} for sid, row in shown.items()})
                page = page._replace(
                    rows=[
                        row
                        for row, date in zip(page.rows, dates, strict=True)
                        if not date
                        or not (has_former and date < start)
                        and not (has_next and date > end)
                    ]
                )
                if self.split_full_windows:
                    if page.last and not held and self._is_full(len(dates)):
                        raise FullPageError
                    held.append(page)
                else:
                    yield page
        except (FullPageError, TooManyRowsError):
            late = parse_timestamp(end) + timedelta(hours=self.overlap_hours)
            late = min(late, datetime.now(timezone.utc))
            # What comes after the newest window is in the newest of its parts.
            whole = window if has_next else limited(window, end_time=format_timestamp(late))
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
        first = self._first_shown(window["account_sid"], now)
        if window["end_time"] < format_timestamp(first):
            yield Page([], window, True)
            return
        start = parse_timestamp(window["start_time"])
        since = max(start - parse_duration(self.lower_margin), first)
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
        end = parse_timestamp(window["end_time"])
        if has_next and window["account_sid"] in self._inclusive:
            return end.strftime(self.date_to_format)
        late = end + timedelta(hours=self.overlap_hours)
        return late.strftime(self.date_to_format) if late < now else ""

    def _first_shown(self, account: str, now: datetime) -> datetime:
        """Return the first moment that Twilio still shows of the list of an account."""
        days = self._days_shown.get(account)
        shown = parse_duration(self.retention)
        return now - (shown if days is None else min(shown, timedelta(days=days))) + REACH_MARGIN

    def _set_reach(self, window: StreamSlice, since: datetime, shown: int) -> None:
        """Note how many days the account of a window shows. The request began before them."""
        account = window["account_sid"]
        if since > datetime.now(timezone.utc) - timedelta(days=shown):
            raise error(f"{self.name}: account {account} shows {shown} days, and yet refuses them.")
        if self._days_shown.get(account) != shown:
            self._days_shown[account] = shown
            LOGGER.warning(
                "%s: account %s shows its last %s days only; older rows are no longer available "
                "from Twilio.",
                self.name,
                account,
                shown,
            )

    # ------------------------------------------------------------------------- rows without a date

    def _unfiltered(self, stream_slice: StreamSlice) -> tuple[Page, Iterator[Page]]:
        """Return the first page of the list without a filter, and an iterator of the others.

        It is asked once for both slices of an account: who comes second waits for who came first,
        for as long as a request takes.
        """
        with self._session.lock:
            shared = self._unfiltered_lists.pop(stream_slice["account_sid"], None)
            if not shared:
                shared = self._unfiltered_lists[stream_slice["account_sid"]] = SharedAnswer()
        # In the builder all of a page is seen.
        undated_by = self.cursor_field if self._width() else ""
        fields = {**stream_slice.extra_fields, "undated_by": undated_by}
        pages = self._pages(replaced(stream_slice, cursor_slice={}, extra_fields=fields))
        found: tuple[Page, Iterator[Page]] = shared.get(lambda: (next(pages), pages))
        return found

    def _dated(self, stream_slice: StreamSlice) -> Iterator[PagedList]:
        """Yield the rows with a date: from the list as it is, if it has one page, or by windows."""
        page, _ = self._unfiltered(stream_slice)
        if not page.last:
            self._waiting.setdefault(stream_slice["account_sid"], self._without_date(page))
        since = self._since(stream_slice)
        rows = [row for row in page.rows if self._date(row) >= since]
        yield from self._windows(stream_slice, page._replace(rows=rows, stream_slice=stream_slice))

    def _undated(self, stream_slice: StreamSlice) -> Iterator[Page]:
        """Yield the rows whose date is not known, from the list without a filter (BEHAVIOR 6).

        The list comes newest first, so it is read to the first page whose last row is older than
        the window by every date it has.
        """
        since, open_rows = self._since(stream_slice), list[Row]()
        first, others = self._unfiltered(stream_slice)
        waiting = self._waiting.setdefault(stream_slice["account_sid"], self._without_date(first))
        for page in chain([first], others):
            rows = [row for row in page.rows if not self._date(row) and self._is_since(row, since)]
            open_rows += [row for row in rows if row.get("status") not in self.final_statuses]
            if page is first:
                rows = [row for row in rows if not waiting.get(row.get("sid"))]
            yield page._replace(rows=rows, stream_slice=stream_slice)
            if page is first:
                newer = [waiting.get(row.get("sid")) for row in rows]
                yield page._replace(rows=[row for row in newer if row], stream_slice=stream_slice)
            if page.rows and not self._is_since(page.rows[-1], stream_slice["start_time"]):
                break
        dates = [read_date(row.get("date_created")) or "" for row in open_rows]
        self._oldest_open[stream_slice["account_sid"]] = min(dates, default=None)

    def _without_date(self, page: Page) -> dict[Any, Row | None]:
        """Return the SIDs of the rows of a page without a date, none of which has been shown."""
        rows = (row for row in page.rows if row.get("sid") and not self._date(row))
        return {row["sid"]: None for row in rows}

    def _move_cursor(self, stream_slice: StreamSlice) -> None:
        """Move the cursor to the end of the slice; it says which rows are not final (6)."""
        account, is_undated = stream_slice["account_sid"], is_of_undated_rows(stream_slice)
        if is_undated and account in self._oldest_open:
            oldest = self._oldest_open.pop(account)
            end = read_up_to(stream_slice["end_time"], self._session)
            self._cursor.move(stream_slice, with_open_days(end, stream_slice["start_time"], oldest))
        else:
            super()._move_cursor(stream_slice)
        if not is_undated and "start_time" in stream_slice:
            self._log_complete(stream_slice)

    def _log_complete(self, stream_slice: StreamSlice) -> None:
        """Log, at level DEBUG, the range whose dated rows have all arrived (BEHAVIOR 21)."""
        logger = LOGGER.getChild(f"complete.{self.name}")
        if not logger.isEnabledFor(logging.DEBUG):
            return
        account = stream_slice["account_sid"]
        shown = self._first_shown(account, datetime.now(timezone.utc))
        since = max(stream_slice["start_time"], format_timestamp(shown))
        bounds = {"since": since, "until": stream_slice["end_time"]}
        extra = {"stream": self.name, "account_sid": account, **bounds}
        logger.debug("A range of a list is complete.", extra=extra)

    def _concurrent_slices(self, stream_slice: StreamSlice) -> int:
        """Return 0 for the rows without a date: one page after the other."""
        return int(not is_of_undated_rows(stream_slice))

    def _since(self, stream_slice: StreamSlice) -> str:
        """Return from when on rows in hand are passed on.

        Where the slice begins where Twilio promises to show rows, older rows are passed on too.
        """
        start = str(stream_slice["start_time"])
        shown = format_timestamp(datetime.now(timezone.utc) - parse_duration(self.retention) + DAY)
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
        size = self._session.page_sizes.get(self._resource, FULL_PAGE)
        return count >= (size or USUAL_PAGE)

    def _span(self, rows: list[Row], stream_slice: StreamSlice) -> timedelta:
        """Return the time that the dates of some rows cover, less dates that are not the slice's.

        A row of the year 9999 says nothing of how many rows there are a day.
        """
        start, now = stream_slice["start_time"], format_timestamp(datetime.now(timezone.utc))
        dates = [date for date in map(self._date, rows) if start <= date <= now]
        return parse_timestamp(max(dates)) - parse_timestamp(min(dates)) if dates else timedelta()

    def _is_believed(self, stream_slice: StreamSlice) -> bool:
        """Return whether a 404 means that nothing is there: before the account was created."""
        created = read_date(stream_slice.extra_fields.get("date_created"))
        return super()._is_believed(stream_slice) or bool(
            created and str(stream_slice.get("end_time", "~")) < created
        )


# ------------------------------------------------------------------------------- bounds of windows


def limited(stream_slice: StreamSlice, **bounds: str) -> StreamSlice:
    """Return the slice with other bounds: `start_time`, `end_time`, and `until`, as requested."""
    return replaced(stream_slice, cursor_slice={**stream_slice.cursor_slice, **bounds})


def length_of(stream_slice: StreamSlice) -> timedelta:
    """Return the time between the bounds of a slice."""
    end, start = stream_slice["end_time"], stream_slice["start_time"]
    return parse_timestamp(end) - parse_timestamp(start)


def is_of_undated_rows(stream_slice: StreamSlice) -> bool:
    """Return whether a slice is of the rows without a date, and not of those with one."""
    return bool(stream_slice.partition.get("rows") == "undated")


def first_window(stream_slice: StreamSlice, length: timedelta) -> StreamSlice:
    """Return the oldest window of a slice: of that length, or less, so that it ends with a day.

    Date filters act on whole days: a window that ends within one would have its neighbour read the
    day once more. A rest that is no longer than the length is one window.
    """
    # The end of a window of a very long list may be beyond the year 9999.
    if length_of(stream_slice) < length:
        return stream_slice
    start = parse_timestamp(stream_slice["start_time"])
    late = start + length
    midnight = late.replace(hour=0, minute=0, second=0)
    late = midnight if midnight > start else late
    return limited(stream_slice, end_time=format_timestamp(late - timedelta(seconds=1)))


def following(window: StreamSlice, stream_slice: StreamSlice) -> StreamSlice:
    """Return what is left of a slice after a window."""
    start = parse_timestamp(window["end_time"]) + timedelta(seconds=1)
    return limited(stream_slice, start_time=format_timestamp(start))


def split(window: StreamSlice, late: datetime, oldest: str) -> list[StreamSlice]:
    """Return two windows instead of one that holds too many rows (BEHAVIOR 23).

    `late` is where the window ended as requested, unless it says so itself (`until`). `oldest` is
    the date of the oldest row that the query did show. If rows came newest first, the later window
    is small enough; if they did not, the middle at least halves the window.
    """
    start = parse_timestamp(window["start_time"])
    if window.get("until"):
        late = parse_timestamp(window["until"])
    at = max(start + (late - start) // 2, parse_timestamp(oldest) if oldest else start)
    if not start < at.replace(microsecond=0) < late:
        raise error("There are more rows in one second than Twilio shows of one query.")
    end = min(window["end_time"], format_timestamp(at - timedelta(seconds=1)))
    return [
        limited(window, end_time=end, until=format_timestamp(at)),
        limited(window, start_time=format_timestamp(at)),
    ]
