"""Names, dates and times as responses spell them."""

from __future__ import annotations

import calendar
import re
import time
from datetime import datetime, timezone
from email.utils import formatdate, parsedate
from functools import lru_cache
from typing import Any

Wire = dict[str, Any]

DAY = 86_400


@lru_cache(maxsize=1024)
def snake(name: str) -> str:
    """Return the field that a name of a parameter or path stands for: `DateSent` -> `date_sent`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.split("/")[-1]).lower()


@lru_cache(maxsize=4096)
def day_of(days: int) -> tuple[str, str]:
    """Return a day, counted from 1970, as RFC 2822 and as ISO 8601 spell it."""
    return formatdate(days * DAY)[:17], time.strftime("%Y-%m-%d", time.gmtime(days * DAY))


@lru_cache(maxsize=4096)
def _midnight(date: str) -> int:
    return calendar.timegm(parsedate(f"{date} 00:00:00") or ())


def rfc2822(seconds: int) -> str:
    """Return a time as the 2010 API writes it."""
    days, rest = divmod(seconds, DAY)
    return f"{day_of(days)[0]}{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02} +0000"


def iso8601(seconds: int) -> str:
    """Return a time as the product APIs write it."""
    days, rest = divmod(seconds, DAY)
    return f"{day_of(days)[1]}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def seconds_of(text: str) -> int:
    """Return the POSIX time of a date or time in any of the wire's spellings."""
    if "," in text:
        return (
            _midnight(text[5:16])
            + int(text[17:19]) * 3600
            + int(text[20:22]) * 60
            + int(text[23:25])
        )
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp())
