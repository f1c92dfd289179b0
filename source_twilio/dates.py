"""The one reader of dates, and how cursors and slices spell a moment."""

import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
RFC2822_DAY = re.compile(rf"\w{{3}}, (\d\d) ({'|'.join(MONTHS)}) (\d{{4}}) ", re.ASCII)
ISO8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def to_iso8601(text: str) -> str | None:
    """Return an RFC 2822 or ISO 8601 date-time as `2019-05-24T17:44:46Z`, other text as it is."""
    try:
        return DAYS[text[:17]] + MINUTES[text[17:23]] + SECONDS[text[23:]]
    except KeyError:
        return other_date(text)


class Days(dict[str, str]):
    """`2019-05-24T` by `Fri, 24 May 2019 `, for each day that has been asked for."""

    def __missing__(self, text: str) -> str:
        """Add a day; raise KeyError for what is none."""
        usual = RFC2822_DAY.fullmatch(text)
        if not usual:
            raise KeyError(text)
        self[text] = f"{usual[3]}-{MONTHS.index(usual[2]) + 1:02}-{usual[1]}T"
        return self[text]


DAYS = Days()
MINUTES = {text: text for text in (f"{n // 60:02}:{n % 60:02}:" for n in range(24 * 60))}
SECONDS = {f"{n:02} +0000": f"{n:02}Z" for n in range(60)}


@lru_cache(maxsize=8192)
def other_date(text: str) -> str | None:
    """Return a date-time that is not of the 2010 API's usual form, as to_iso8601 does."""
    if not text:
        return None
    if ISO8601.fullmatch(text):
        return text
    try:
        if "," in text:
            moment = parsedate_to_datetime(text)
        else:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        # A time without a zone is UTC, as all of Twilio's are.
        moment = moment.replace(tzinfo=moment.tzinfo or timezone.utc)
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return text


def from_text(text: str) -> datetime:
    """Return the moment that cursors and slices spell so."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def to_text(moment: datetime) -> str:
    """Return a moment as cursors and slices spell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_date(text: object) -> str | None:
    """Temp."""
    if not isinstance(text, str):
        return None
    found = to_iso8601(text) or ""
    return found[:19] + "Z" if re.match(r"\d{4}-\d\d-\d\dT", found) else None
