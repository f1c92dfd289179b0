"""The cursor of rows without a date: its seconds say how far back rows are not final (BEHAVIOR 6).

They are one more than the days from the midnight before the cursor back to the oldest such row. So
the first sync of a UTC day goes back to it, and only accounts that have such rows pay for that. A
cursor without seconds is of an earlier release, which does not say.
"""

from datetime import datetime, timedelta, timezone
from math import ceil

from source_twilio.dates import from_text, to_text

# How long before now the newest window ends (`end_datetime` in the manifest; BEHAVIOR 5).
CLOCK_MARGIN = timedelta(hours=1)
DAY = timedelta(days=1)
# A message can be scheduled 35 days ahead. What is not final after a day more will never be.
MOST_DAYS = 36


def with_open_days(end: str, start: str, oldest: str | None) -> str:
    """Return the cursor of a complete read from `start` to `end`, as `2026-01-15T11:00:01Z`.

    `oldest` is when the oldest row that is not final was made, "" if that is not known, None if
    there is no such row. Older ones are those that the cursor said with which the read began.
    """
    cursor = from_text(end)
    days = from_text(start).second - 1
    days = days if 0 <= days <= MOST_DAYS else 0
    if oldest is not None:
        age = midnight_before(cursor) - from_text(oldest) if oldest else MOST_DAYS * DAY
        if age <= MOST_DAYS * DAY:
            days = max(days, 1, ceil(age / DAY))
    return to_text(cursor.replace(second=1 + days))


def back_to_open(cursor: datetime) -> datetime:
    """Return the cursor that a sync begins with: the first of a day goes back to the open rows."""
    midnight = midnight_before(cursor)
    days = cursor.second - 1 if 0 < cursor.second <= 1 + MOST_DAYS else MOST_DAYS
    if midnight.date() >= datetime.now(timezone.utc).date():
        return cursor.replace(second=1 + days)
    # It is a day further back at least than those rows, so no later sync has to go back for them.
    return min(cursor, midnight - days * DAY).replace(second=1) if days else cursor


def midnight_before(cursor: datetime) -> datetime:
    """Return the midnight before the beginning of the sync whose complete read left a cursor."""
    return (cursor + CLOCK_MARGIN).replace(hour=0, minute=0, second=0, microsecond=0)
