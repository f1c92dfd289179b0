"""How to find out what the filters of a list mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from source_twilio.timestamps import format_timestamp, parse_timestamp, read_date
from twilio_warehouse.verify.client import Query, Row, Rows, Unknown, View, today

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
# Before Twilio had customers.
BEFORE_ALL = "2008-01-01"


class Answer(NamedTuple):
    """What is so, and what it is concluded from: counts, statuses and codes only."""

    says: str
    evidence: str


def moment(row: Row, field: str) -> datetime | None:
    """Return a date of a row, None where it has none."""
    text = read_date(row.get(field))
    return parse_timestamp(text) if text else None


def dated(rows: Iterable[Row], field: str) -> list[tuple[datetime, Row]]:
    """Return the rows that have a date, the newest first."""
    found = [(when, row) for row in rows if (when := moment(row, field))]
    return sorted(found, key=lambda pair: pair[0], reverse=True)


def recent(lower: str) -> Query:
    """Return a lower bound that no list refuses."""
    return {lower: format_timestamp(today() - 20 * DAY)}


def key(row: Row) -> str:
    """Return what tells a row from the others of its list."""
    named = [row.get(name) for name in ("sid", "call_sid", "conference_sid", "room_sid")]
    return str(next((value for value in named if value), sorted(map(str, row.items()))))


def has(rows: Rows, row: Row) -> bool:
    """Return whether a row is among others. Raises `Unknown` if it may come later."""
    if key(row) in map(key, rows.rows):
        return True
    if not rows.complete:
        raise Unknown(f"more than {len(rows.rows)} rows to look through")
    return False


def before_today(view: View, path: str, upper: str, field: str) -> list[tuple[datetime, Row]]:
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


def upper_day(view: View, path: str, lower: str, upper: str, field: str) -> Answer:
    """Find out whether an upper bound that is a day takes that day in."""
    day = midnight(before_today(view, path, upper, field)[0][0])

    def of_the_day(since: int, until: int) -> int:
        bounds = ((lower, since), (upper, until))
        query = {name: (day + n * DAY).date().isoformat() for name, n in bounds}
        found = dated(view.rows(path, query).rows, field)
        return sum(day <= when < day + DAY for when, _ in found)

    if of_the_day(-3, -2):
        raise Unknown("the filter does not count")
    whole, bounded = of_the_day(0, 1), of_the_day(0, 0)
    evidence = f"a day of {whole} rows; {bounded} with the bound on it"
    if not whole:
        raise Unknown("no bound shows the rows of the day")
    return Answer("no" if not bounded else "yes" if bounded >= whole else "in part", evidence)


def time_of_day(view: View, path: str, lower: str, upper: str, field: str) -> Answer:
    """Find out whether a time in a lower bound counts, or only its day."""
    # Of the last second of a day none could come after it.
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
    if not has(view.rows(path, {lower: format_timestamp(when), upper: until}), row):
        raise Unknown("the row is not shown from its own second on")
    shown = has(view.rows(path, later), row)
    how = "shown" if shown else "not shown"
    return Answer("no" if shown else "yes", f"a row is {how} from the second after it on")


def edge(view: View, path: str, lower: str, upper: str, field: str, on: str) -> Answer:
    """Find out whether a bound that is a moment takes that moment in: `on` is lower or upper."""
    found = view.rows(path, recent(lower), pages=1).rows
    rows = [row for when, row in dated(found, field) if when < today()]
    if not rows:
        raise Unknown("no rows of the last 20 days")
    row = rows[0]
    when, text = moment(row, field) or today(), str(row[field])
    around = {lower: format_timestamp(when - HOUR), upper: format_timestamp(when + HOUR)}
    if not has(view.rows(path, around), row):
        raise Unknown("the row is not shown in the hours around it")
    shown = has(view.rows(path, {**around, {"lower": lower, "upper": upper}[on]: text}), row)
    how = "shown" if shown else "not shown"
    return Answer("yes" if shown else "no", f"a row is {how} with the bound on its moment")


def without_date(
    view: View, path: str, lower: str, upper: str, field: str, among: Sequence[Query]
) -> Answer:
    """Find out whether a date filter shows rows without the date, around their creation."""
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
        shown += has(view.rows(path, query), row)
    says = {0: "no", len(tried): "yes"}.get(shown, "some")
    return Answer(says, f"{len(found)} rows without; {shown} of {len(tried)} shown")


def counts(view: View, path: str, upper: str) -> Answer:
    """Find out whether a date filter counts beside what the path asks for."""
    rows = view.rows(path, pages=1).rows
    if not rows:
        raise Unknown("no rows")
    left = view.rows(path, {upper: BEFORE_ALL}, pages=1).rows
    evidence = f"{len(rows)} rows on a page; {len(left)} with an upper bound before all of them"
    return Answer("no" if left else "yes", evidence)


def default_of(
    view: View,
    path: str,
    name: str,
    values: Sequence[str],
    field: str,
    by: str,
    since: str = "",
) -> Answer:
    """Find out which rows a list shows that is not asked for any value of a parameter.

    `since` is the lower bound of a list that shows the last hours only without one.
    """
    bound = recent(since) if since else {}
    plain = view.rows(path, bound)
    shown = Counter(str(row.get(field)) for row in plain.rows)
    oldest = dated(plain.rows, by)[-1:]
    hidden = list[str]()
    asked = Counter[str]()
    for value in values:
        rows = view.rows(path, {**bound, name: value}, pages=1).rows
        for row in rows:
            asked[str(row.get(field))] += 1
        missing = [row for row in rows if str(row.get(field)) not in shown]
        # Beyond the pages that were read it may be shown.
        newer = plain.complete or (oldest and dated(missing, by)[:1] >= oldest)
        if missing and newer:
            hidden += [str(row.get(field)) for row in missing]
    if len(asked) < 2:
        raise Unknown(f"no rows of two kinds ({listed(asked)})")
    says = f"not {', '.join(sorted({*hidden}))}" if hidden else "all"
    return Answer(says, f"without: {listed(shown)}; when asked: {listed(asked)}")


def hidden(view: View, path: str, shown_by: str, lower: str, upper: str) -> Answer:
    """Find out whether deleted rows are listed unless a query asks for them."""
    with_them = view.rows(f"{path}?{shown_by}").rows
    deleted = [
        (when, row) for when, row in dated(with_them, "date_created") if row["status"] == "deleted"
    ]
    if not deleted:
        raise Unknown("nothing deleted is listed")
    when, row = deleted[0]
    bounds = {lower: format_timestamp(when - DAY), upper: format_timestamp(when + 2 * DAY)}
    if not has(view.rows(f"{path}?{shown_by}", bounds), row):
        raise Unknown("the deleted row is not shown by its date")
    shown = has(view.rows(path, bounds), row)
    how = "listed" if shown else "not listed"
    return Answer(
        "yes" if shown else "no", f"{len(deleted)} deleted rows when asked; one is {how} else"
    )


def listed(counted: Counter[str]) -> str:
    """Return counts as text."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "no rows"
