"""Tests of date filters and other parameters of lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from source_twilio.timestamps import format_timestamp, parse_timestamp, read_date
from twilio_warehouse.verify_api.client import AccountView, Query, Row, Rows, Unknown, today

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
# Before the first row of any account.
BEFORE_ALL = "2008-01-01"


class Answer(NamedTuple):
    """An answer and its evidence: counts, statuses and codes only."""

    text: str
    evidence: str


def date_of(row: Row, field: str) -> datetime | None:
    """Return a date of a row, None if it is empty."""
    text = read_date(row.get(field))
    return parse_timestamp(text) if text else None


def dated(rows: Iterable[Row], field: str) -> list[tuple[datetime, Row]]:
    """Return the rows that have a date, the newest first."""
    found = [(when, row) for row in rows if (when := date_of(row, field))]
    return sorted(found, key=lambda pair: pair[0], reverse=True)


def recent(lower: str) -> Query:
    """Return a lower bound that no list refuses."""
    return {lower: format_timestamp(today() - 20 * DAY)}


def key_of(row: Row) -> str:
    """Return the key of a row in its list."""
    named = [row.get(name) for name in ("sid", "call_sid", "conference_sid", "room_sid")]
    return str(next((value for value in named if value), sorted(map(str, row.items()))))


def contains(rows: Rows, row: Row) -> bool:
    """Return whether a row is among others. Raises `Unknown` if it may be on a later page."""
    if key_of(row) in map(key_of, rows.rows):
        return True
    if not rows.complete:
        raise Unknown(f"more than {len(rows.rows)} rows to look through")
    return False


def before_today(
    view: AccountView, path: str, upper: str, field: str
) -> list[tuple[datetime, Row]]:
    """Return some rows of days before today, of the newest day if the newest come first."""
    until = (today() - DAY).date().isoformat()
    found = dated(view.rows(path, {upper: until}, size=50, pages=1).rows, field)
    rows = [(when, row) for when, row in found if when < today()]
    if not rows:
        raise Unknown("no rows before today")
    return rows


def midnight(when: datetime) -> datetime:
    """Return the beginning of a day."""
    return when.replace(hour=0, minute=0, second=0)


def upper_day(view: AccountView, path: str, lower: str, upper: str, field: str) -> Answer:
    """Test whether an upper bound that is a day includes that day."""
    day = midnight(before_today(view, path, upper, field)[0][0])

    def of_the_day(since: int, until: int) -> int:
        bounds = ((lower, since), (upper, until))
        query = {name: (day + n * DAY).date().isoformat() for name, n in bounds}
        found = dated(view.rows(path, query).rows, field)
        return sum(day <= when < day + DAY for when, _ in found)

    if of_the_day(-3, -2):
        raise Unknown("the filter has no effect")
    whole, bounded = of_the_day(0, 1), of_the_day(0, 0)
    evidence = f"a day of {whole} rows; {bounded} with the bound on it"
    if not whole:
        raise Unknown("no bound shows the rows of the day")
    return Answer("no" if not bounded else "yes" if bounded >= whole else "in part", evidence)


def time_of_day(view: AccountView, path: str, lower: str, upper: str, field: str) -> Answer:
    """Test whether the time of a lower bound counts, or only its day."""
    # A second after the last second of a day is another day.
    rows = [
        (when, row)
        for when, row in before_today(view, path, upper, field)
        if midnight(when + SECOND) == midnight(when)
    ]
    if not rows:
        raise Unknown("the rows are of the last second of a day")
    when, row = rows[0]
    until = (when + DAY).date().isoformat()
    later = {lower: format_timestamp(when + SECOND), upper: until}
    if not contains(view.rows(path, {lower: format_timestamp(when), upper: until}), row):
        raise Unknown("the row is not shown from its own second on")
    shown = contains(view.rows(path, later), row)
    how = "shown" if shown else "not shown"
    return Answer("no" if shown else "yes", f"a row is {how} from the second after it on")


def inclusive(view: AccountView, path: str, lower: str, upper: str, field: str, on: str) -> Answer:
    """Test whether a bound that is a time includes that time: `on` is lower or upper."""
    found = view.rows(path, recent(lower), pages=1).rows
    rows = [row for when, row in dated(found, field) if when < today()]
    if not rows:
        raise Unknown("no rows of the last 20 days")
    row = rows[0]
    when, text = date_of(row, field) or today(), str(row[field])
    around = {lower: format_timestamp(when - HOUR), upper: format_timestamp(when + HOUR)}
    if not contains(view.rows(path, around), row):
        raise Unknown("the row is not shown in the hours around it")
    shown = contains(view.rows(path, {**around, {"lower": lower, "upper": upper}[on]: text}), row)
    how = "shown" if shown else "not shown"
    return Answer("yes" if shown else "no", f"a row is {how} with the bound on its time")


def without_date(
    view: AccountView, path: str, lower: str, upper: str, field: str, among: Sequence[Query]
) -> Answer:
    """Test whether a date filter shows rows without the date, around their creation."""
    found = list[tuple[datetime, Row]]()
    for query in among:
        if len(found) < 3:
            rows = dated(view.rows(path, query, pages=2).rows, "date_created")
            found += [(created, row) for created, row in rows if not row.get(field)]
    if not found:
        raise Unknown(f"every row has a {field}")
    tried = found[:: max(1, len(found) // 3)][:3]
    shown = 0
    for created, row in tried:
        query = {
            lower: (created - DAY).date().isoformat(),
            upper: (created + 2 * DAY).date().isoformat(),
        }
        shown += contains(view.rows(path, query), row)
    text = {0: "no", len(tried): "yes"}.get(shown, "some")
    return Answer(text, f"{len(found)} rows without; {shown} of {len(tried)} shown")


def has_effect(view: AccountView, path: str, upper: str) -> Answer:
    """Test whether a date filter has an effect beside the parameters of the path."""
    rows = view.rows(path, pages=1).rows
    if not rows:
        raise Unknown("no rows")
    left = view.rows(path, {upper: BEFORE_ALL}, pages=1).rows
    evidence = f"{len(rows)} rows on a page; {len(left)} with an upper bound before all of them"
    return Answer("no" if left else "yes", evidence)


def default_values(
    view: AccountView,
    path: str,
    name: str,
    values: Sequence[str],
    field: str,
    by: str,
    since: str = "",
) -> Answer:
    """Test which rows a list shows without a parameter.

    `since` is the lower bound of a list that shows only the last hours without one.
    """
    bound = recent(since) if since else {}
    plain = view.rows(path, bound)
    shown = Counter(str(row.get(field)) for row in plain.rows)
    oldest = dated(plain.rows, by)[-1:]
    hidden = list[str]()
    requested = Counter[str]()
    for value in values:
        rows = view.rows(path, {**bound, name: value}, pages=1).rows
        for row in rows:
            requested[str(row.get(field))] += 1
        missing = [row for row in rows if str(row.get(field)) not in shown]
        # It may be shown on a page that was not read.
        newer = plain.complete or (oldest and dated(missing, by)[:1] >= oldest)
        if missing and newer:
            hidden += [str(row.get(field)) for row in missing]
    if len(requested) < 2:
        raise Unknown(f"no rows of two kinds ({describe(requested)})")
    text = f"not {', '.join(sorted({*hidden}))}" if hidden else "all"
    return Answer(text, f"without: {describe(shown)}; when asked: {describe(requested)}")


def deleted_listed(view: AccountView, path: str, shown_by: str, lower: str, upper: str) -> Answer:
    """Test whether deleted rows are listed by default."""
    with_deleted = view.rows(f"{path}?{shown_by}").rows
    deleted = [
        (when, row)
        for when, row in dated(with_deleted, "date_created")
        if row["status"] == "deleted"
    ]
    if not deleted:
        raise Unknown("nothing deleted is listed")
    when, row = deleted[0]
    bounds = {lower: format_timestamp(when - DAY), upper: format_timestamp(when + 2 * DAY)}
    if not contains(view.rows(f"{path}?{shown_by}", bounds), row):
        raise Unknown("the deleted row is not shown by its date")
    shown = contains(view.rows(path, bounds), row)
    how = "listed" if shown else "not listed"
    return Answer(
        "yes" if shown else "no", f"{len(deleted)} deleted rows when asked; one is {how} otherwise"
    )


def describe(counts: Counter[str]) -> str:
    """Return counts as text."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "no rows"
