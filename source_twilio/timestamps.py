"""The one reader of dates, and how cursors and slices spell a moment."""

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import isodate  # type: ignore[import-untyped]

TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# RFC 2822 or ISO 8601: the day, and perhaps a time, its fraction and its zone (BEHAVIOR 3).
DATE = re.compile(
    r"(\w{3}, \d\d? \w{3} \d{4}|\d{4}-\d\d-\d\d)"
    r"(?:[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:[.,](\d+))? ?(\S*))?",
    re.ASCII,
)
# What follows the day in nearly all dates of the 2010 API, which are read faster.
COMMON_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d \+0000", re.ASCII)
# A time without a zone is UTC, as all of Twilio's are.
UTC = {None, "", "Z", "GMT", "UT", "UTC", "+0000", "+00:00"}


def read_date(value: Any) -> str | None:
    """Return a date as `2019-05-24T17:44:46Z`, cut to the second, or None for what is no date.

    Such texts compare as the moments do. A null, an empty text and any other type are no dates.
    """
    return (
        (common_timestamp(value) or normalize_timestamp(value)[0])
        if value.__class__ is str
        else None
    )


def to_iso8601(text: str) -> str | None:
    """Return a date as it leaves: ISO 8601 in UTC with the fraction as sent; other text stays."""
    return common_timestamp(text) or normalize_timestamp(text)[1]


def common_timestamp(text: str) -> str | None:
    """Return what both return of `Fri, 24 May 2019 17:44:46 +0000`, or None for other text."""
    if COMMON_TIME.fullmatch(text, 17) and (day := common_day(text[:17])):
        return f"{day}T{text[17:25]}Z"
    return None


@lru_cache(maxsize=1024)
def common_day(text: str) -> str | None:
    """Return `2019-05-24` for `Fri, 24 May 2019 `, or None for what is no day."""
    midnight = normalize_timestamp(f"{text}00:00:00 +0000")[0]
    return midnight and midnight[:10]


@lru_cache(maxsize=16384)
def normalize_timestamp(text: str) -> tuple[str | None, str | None]:
    """Return what read_date and what to_iso8601 return."""
    found = DATE.fullmatch(text)
    if not found:
        return None, text or None
    day, time, fraction, zone = found.groups()
    try:
        second = f"{day_of(day)}T{time or '00:00:00'}"
        if zone not in UTC:
            local = datetime.strptime(second + zone, "%Y-%m-%dT%H:%M:%S%z")
            second = local.astimezone(timezone.utc).isoformat()[:19]
    except (ValueError, OverflowError):
        return None, text
    whole = second + "Z"
    return whole, f"{second}.{fraction}Z" if fraction else whole


@lru_cache(maxsize=1024)
def day_of(text: str) -> str:
    """Return `2019-05-24` for that or `Fri, 24 May 2019`; raise ValueError for what is no day."""
    if "," in text:
        _, day, month, year = text.split()
        text = f"{year}-{MONTHS.index(month) + 1:02}-{day:0>2}"
    return date.fromisoformat(text).isoformat()


@lru_cache
def parse_duration(text: str) -> timedelta:
    """Return a duration, as the manifest spells it: `P30D`, `PT25H`."""
    duration: timedelta = isodate.parse_duration(text)
    return duration


def parse_timestamp(text: str) -> datetime:
    """Return the moment that cursors and slices spell so."""
    return datetime.strptime(text, TIMESTAMP).replace(tzinfo=timezone.utc)


def format_timestamp(moment: datetime) -> str:
    """Return a moment as cursors and slices spell it; strftime gives the year 1 one digit."""
    return moment.isoformat()[:19] + "Z"
