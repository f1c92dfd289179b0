"""Dates and numbers, from the texts that Twilio sends to the values of a record."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_twilio.records import SchemaNormalization, parse, to_boolean, to_integer, to_number
from source_twilio.timestamps import format_timestamp, read_date, to_iso8601

seconds = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(timezone.utc)
).map(lambda moment: moment.replace(microsecond=0))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
fractions = st.from_regex(r"([.,][0-9]{1,9})?", fullmatch=True)


@given(seconds, offsets, fractions)
def test_dates_keep_their_moment(moment: datetime, offset: timezone, fraction: str) -> None:
    """RFC 2822 and ISO 8601 of any zone leave as the same moment in UTC (BEHAVIOR 3)."""
    local = moment.astimezone(offset)
    spelled = local.isoformat()
    whole = format_timestamp(moment)
    exact = f"{whole[:-1]}{fraction.replace(',', '.')}Z"
    assert to_iso8601(format_datetime(local)) == whole
    assert to_iso8601(spelled) == whole
    assert to_iso8601(f"{spelled[:19]}{fraction}{spelled[19:]}") == exact
    assert to_iso8601(exact) == exact
    assert read_date(format_datetime(local)) == whole
    assert read_date(f"{spelled[:19]}{fraction}{spelled[19:]}") == whole


@given(seconds, seconds)
def test_read_dates_compare_as_moments(one: datetime, other: datetime) -> None:
    """Texts that read_date returns are in the order of the moments."""
    first, second = read_date(format_datetime(one)), read_date(other.isoformat())
    assert first is not None
    assert second is not None
    assert (first < second) == (one < other)


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.Z+-]{8,14}"))
def test_what_is_no_date_stays(text: str) -> None:
    """Text that is no date is passed on as it is, and a date is idempotent."""
    once = to_iso8601(text)
    assert once is None if text == "" else to_iso8601(once or "") == once
    assert read_date(text) == read_date(once)
    assert once == (text or None) or read_date(text) is not None


@pytest.mark.parametrize(
    ("sent", "leaves", "read"),
    [
        ("Fri, 24 May 2019 17:44:46 +0000", "2019-05-24T17:44:46Z", "2019-05-24T17:44:46Z"),
        ("Fri, 24 May 2019 17:44:46 GMT", "2019-05-24T17:44:46Z", "2019-05-24T17:44:46Z"),
        ("Fri, 24 May 2019 17:44:46 -0730", "2019-05-25T01:14:46Z", "2019-05-25T01:14:46Z"),
        ("Fri, 24 May 2019 17:44:46 -0000", "2019-05-24T17:44:46Z", "2019-05-24T17:44:46Z"),
        ("Fri, 4 May 2019 17:44:46 +0000", "2019-05-04T17:44:46Z", "2019-05-04T17:44:46Z"),
        ("2019-05-24T17:44:46Z", "2019-05-24T17:44:46Z", "2019-05-24T17:44:46Z"),
        ("2019-05-24T17:44:46.120Z", "2019-05-24T17:44:46.120Z", "2019-05-24T17:44:46Z"),
        (
            "2019-05-24T17:44:46.123456789+02:00",
            "2019-05-24T15:44:46.123456789Z",
            "2019-05-24T15:44:46Z",
        ),
        ("2019-05-24T17:44:46", "2019-05-24T17:44:46Z", "2019-05-24T17:44:46Z"),
        ("2019-05-24 17:44:46Z", "2019-05-24T17:44:46Z", "2019-05-24T17:44:46Z"),
        ("2019-05-24", "2019-05-24T00:00:00Z", "2019-05-24T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        *[
            (text, text, None)
            for text in (
                "10000-01-01T00:00:00Z",
                "9999-12-31T23:59:59-01:00",
                "0001-01-01T00:00:00+01:00",
                "0000-00-00",
                "0000-00-00T00:00:00Z",
                "2019-02-29T00:00:00Z",
                "2019-05-24T23:59:60Z",
                "2019-05-24T24:00:00Z",
                "2019-05-24T00:00:00+24:00",
                "Fri, 31 Feb 2019 17:44:46 +0000",
                "Fri, 24 Mai 2019 17:44:46 +0000",
                "Fri, 24 May 2019 17:44:60 +0000",
                "1558719886",
                "n/a",
                " ",
            )
        ],
        ("", None, None),
    ],
)
def test_dates(sent: str, leaves: str | None, read: str | None) -> None:
    """What is understood leaves as ISO 8601 in UTC; all else stays the text it is (BEHAVIOR 3)."""
    assert (to_iso8601(sent), read_date(sent)) == (leaves, read)


@pytest.mark.parametrize("value", [None, 0, 1558719886, True, ["2019-05-24"], {}])
def test_what_is_no_text_is_no_date(value: Any) -> None:
    """A null or any other type is no date."""
    assert read_date(value) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-9999999))
def test_numbers_keep_their_value(number: Decimal) -> None:
    """A numeric string leaves as exactly that number, or as it is (BEHAVIOR 4)."""
    sent = f"{number:f}"
    converted = to_number(sent)
    assert Decimal(str(converted)) == number
    assert orjson.loads(orjson.dumps(converted)) == converted
    assert to_integer(sent) == (sent if converted.__class__ is float else converted)


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,5})?", fullmatch=True)
)
def test_numbers_on_the_wire_keep_their_value(sent: str) -> None:
    """A JSON number of any length arrives as exactly that number, or as its text (BEHAVIOR 4)."""
    [arrived] = parse(b'{"a": %s}' % sent.encode()).values()
    # A short one is parsed as a double at once.
    expected = float(sent) if arrived.__class__ is float and len(sent) < 16 else to_number(sent)
    assert arrived == expected
    assert orjson.loads(orjson.dumps(arrived)) == arrived


@pytest.mark.parametrize(
    ("sent", "number", "integer"),
    [
        ("", None, None),
        ("12", 12, 12),
        ("+12", 12, 12),
        ("1.0", 1, 1),
        ("1.5", 1.5, "1.5"),
        ("-0.00750", -0.0075, "-0.00750"),
        ("9007199254740993", 9007199254740993, 9007199254740993),
        ("9223372036854775807", 9223372036854775807, 9223372036854775807),
        ("-9223372036854775808", -9223372036854775808, -9223372036854775808),
        *[
            (text, text, text)
            for text in (
                "9223372036854775808",
                "-9223372036854775809",
                "18446744073709551616",
                "1e19",
                "0.1234567890123456789",
                "1e-400",
                "1e999999999",
                "1e99999999999999999999",
                "1_000",
                "nan",
                "Infinity",
                "12 seconds",
                "٣",
            )
        ],
    ],
)
def test_numbers(sent: str, number: Any, integer: Any) -> None:
    """What a number or an integer of 64 bits cannot hold exactly stays text (BEHAVIOR 4)."""
    for converted, expected in ((to_number(sent), number), (to_integer(sent), integer)):
        assert converted == expected
        assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("sent", "leaves"),
    [
        ("", None),
        *[(text, True) for text in ("true", "True", "1", "yes")],
        *[(text, False) for text in ("false", "FALSE", "0", "no")],
        *[(text, text) for text in ("maybe", " ", "2")],
    ],
)
def test_booleans(sent: str, leaves: Any) -> None:
    """Text in a field that the schema calls a boolean is one, or the text it is (BEHAVIOR 4)."""
    assert to_boolean(sent) is leaves


def test_conversion_follows_the_schema() -> None:
    """Fields are converted by what the schema says of them, never by what they look like."""
    schema = {
        "properties": {
            "body": {"type": ["null", "string"]},
            "sent": {"type": ["null", "string"], "format": "date-time"},
            "day": {"type": ["null", "string"], "format": "date"},
            "count": {"type": "integer"},
            "num_segments": {"type": ["null", "integer"]},
            "price": {"type": ["null", "number"]},
            "muted": {"type": ["null", "boolean"]},
            "beta": {"type": ["null", "boolean"]},
            "absent": {"type": ["null", "number"]},
        }
    }
    date = "Fri, 24 May 2019 17:44:46 +0000"
    row: dict[str, Any] = {
        "body": date,
        "sent": date,
        "day": "2019-05-24",
        "count": "3",
        "num_segments": "1.5",
    }
    row |= {"price": None, "new": "7", "muted": "false", "beta": True}
    SchemaNormalization().transform(row, schema)
    assert row == {
        "body": date,
        "sent": "2019-05-24T17:44:46Z",
        "day": "2019-05-24",
        "count": 3,
        "num_segments": "1.5",
        "price": None,
        "new": "7",
        "muted": False,
        "beta": True,
    }
