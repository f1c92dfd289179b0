"""Bodies of every status and shape: secrets, broken characters, empty rows."""

from __future__ import annotations

import gzip
import io
import json
import logging
import time
from typing import Any

import orjson
import pytest
import requests
import time_machine
from airbyte_cdk.utils import airbyte_secrets_utils
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from source_twilio.records import (
    PageExtractor,
    parse,
    read_page,
    register_secrets,
    to_number,
    without_dated,
)
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, SUBACCOUNT, TOKEN, MockTwilio, url
from unit_tests.support.reading import problems, read, records

SECRET = "5ec2e7" * 5 + "00"
ADDRESS = url("Accounts.json", PageSize=1000)
NAME = "GET https://api.twilio.com/2010-04-01/Accounts.json"


def answer(body: bytes, status: int = 200) -> requests.Response:
    """Return a response that nothing has read yet."""
    response = requests.Response()
    response.status_code = status
    response.raw = HTTPResponse(io.BytesIO(body), preload_content=False)
    response.request = requests.Request("GET", ADDRESS).prepare()
    response.url = ADDRESS
    return response


SHAPES: dict[str, Any] = {
    "a list": {"accounts": [{"sid": SUBACCOUNT, "auth_token": SECRET}]},
    "an account": {"sid": SUBACCOUNT, "auth_token": SECRET},
    "an array": [{"sid": SUBACCOUNT, "auth_token": SECRET}],
    "deeper": {"meta": [{"x": {"accounts": [{"sid": SUBACCOUNT, "auth_token": SECRET}]}}]},
    "an object": {"accounts": {"sid": SUBACCOUNT, "auth_token": SECRET}},
    "in a text": {"code": 20003, "message": f'no: {{"auth_token": "{SECRET}"}}, sorry'},
}


SPELLINGS = ["auth_token", r"auth\u005ftoken", r"\u0061uth_toke\u006E"]
SPELLINGS += ["authToken", "Auth_Token", "AUTH-TOKEN", "authtoken"]


@pytest.mark.parametrize("status", [200, 201, 203, 400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_token_stays_in_a_body(shape: str, status: int, spelling: str) -> None:
    """Whatever status and shape a body has, the token is out of it, and the rest is not (2)."""
    tokens: dict[str, str] = {}
    sent = json.dumps(SHAPES[shape])
    rest = sent.replace(f', "auth_token": "{SECRET}"', "").replace(SECRET, "****")
    response = answer(sent.replace("auth_token", spelling).encode(), status)
    read_page(response, tokens, 10)
    assert response.json() == json.loads(rest.replace("auth_token", spelling))
    assert tokens == ({SUBACCOUNT: SECRET} if (shape, status // 100) == ("a list", 2) else {})


@pytest.mark.parametrize("status", [200, 203, 404, 500])
@pytest.mark.parametrize(
    "body",
    [
        '{"accounts": [{"sid": "AC1", "auth_token": "%s", "status": "act',
        '{"accounts": [{"sid": "AC1", "auth_token": "%s',
        "<pre>{&quot;auth_token&quot;: &quot;%s&quot;}</pre>",
        '<pre>{\\"auth_token\\":\\"%s\\"}</pre>',
        "{'auth_token': '%s'}",
        "https://example.com/?auth_token=%s&more=1",
        "auth_token: %s\n",
        "secondary_auth_token: %s\n",
        '{"accounts": [{"authToken": "%s',
        "<pre>{&quot;Auth_Token&quot;: &quot;%s&quot;}</pre>",
    ],
)
def test_no_token_stays_in_text(body: str, status: int) -> None:
    """A body that is not JSON loses the token too, and nothing else (BEHAVIOR 2)."""
    response = answer((body % SECRET).encode(), status)
    tokens: dict[str, str] = {}
    if status < 300:
        with pytest.raises(requests.exceptions.ContentDecodingError) as raised:
            read_page(response, tokens, 10)
        assert str(raised.value) == f"{NAME} returned invalid JSON."
    else:
        read_page(response, tokens, 10)
    assert response.text == body % "****"
    assert tokens == {}


def test_a_second_token() -> None:
    """A second token of an account is taken out and masked too; the first one signs (2, 14)."""
    update_secrets([])
    second, tokens = SECRET[::-1], dict[str, str]()
    for keys in (("auth_token", "secondary_auth_token"), ("secondaryAuthToken", "authToken")):
        values = (SECRET, second) if keys[0] == "auth_token" else (second, SECRET)
        account = {"sid": SUBACCOUNT, **dict(zip(keys, values, strict=True))}
        response = answer(json.dumps({"accounts": [account]}).encode())
        read_page(response, tokens, 10)
        assert response.json() == {"accounts": [{"sid": SUBACCOUNT}]}
    assert tokens == {SUBACCOUNT: SECRET}
    assert filter_secrets(f"{SECRET} {second}") == "**** ****"


def test_a_row_that_quotes_its_token() -> None:
    """Whatever text of an object quotes its token loses it, keys and lists too (BEHAVIOR 2)."""
    row = {
        "sid": SUBACCOUNT,
        "friendly_name": f"key: {SECRET}!",
        "auth_token": SECRET,
        "links": {"x": [f"https://a:{SECRET}@b"], SECRET: 1},
        "price": "1.10",
    }
    response = answer(json.dumps({"accounts": [row, {"friendly_name": "key: abc"}]}).encode())
    read_page(response, {}, 10)
    assert response.json()["accounts"] == [
        {
            "sid": SUBACCOUNT,
            "friendly_name": "key: ****!",
            "links": {"x": ["https://a:****@b"], "****": 1},
            "price": "1.10",
        },
        {"friendly_name": "key: abc"},
    ]


@pytest.mark.parametrize("token", [None, "", 7, [SECRET], {"live": SECRET}])
def test_what_is_no_token(token: Any, mock: MockTwilio) -> None:
    """A token that is null, empty or no text is none: the account is read (BEHAVIOR 2)."""
    account = {"sid": ACCOUNT, "auth_token": token}
    mock.page(ADDRESS, "accounts", [account, {"sid": SUBACCOUNT}])
    output = read(CONFIG, "accounts")
    assert records(output, "accounts") == [{"sid": ACCOUNT}, {"sid": SUBACCOUNT}]
    assert problems(output) == []


def test_a_203_is_read(mock: MockTwilio, caplog: pytest.LogCaptureFixture) -> None:
    """An account list that a proxy answers with 203 is read, and its tokens are not logged."""
    caplog.set_level(logging.DEBUG)
    mock.expect(ADDRESS, {"accounts": [{"sid": ACCOUNT, "auth_token": SECRET}]}, 203)
    output = read(CONFIG, "accounts")
    assert records(output, "accounts") == [{"sid": ACCOUNT}]
    assert SECRET not in caplog.text
    assert SECRET not in str(output.logs)
    assert filter_secrets(SECRET) == "****"


def test_masks() -> None:
    """A secret is in the CDK's list once, and again in the list of the next run."""
    for _ in range(2):
        update_secrets([])
        for _ in range(3):
            register_secrets(SECRET)
        assert vars(airbyte_secrets_utils)["__SECRETS_FROM_CONFIG"] == [SECRET]


BROKEN = {
    "a lone high half": (rb'"ok \ud83d"', "ok \ufffd"),
    "a lone low half": (rb'"\ude00 ok"', "\ufffd ok"),
    "two high halves": (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
    "before an escape": (rb'"\ud83d\n\\ud83d"', "\ufffd\n\\ud83d"),
    "a byte of Latin-1": (b'"caf\xe9 ok"', "caf\ufffd ok"),
    "a cut character": (b'"\xf0\x9f\x98"', "\ufffd"),
    "a bare line break": (b'"one\ntwo"', "one\ntwo"),
    "a null character": (rb'"\u0000"', "\x00"),
    "not a number": (b"NaN", "NaN"),
    "a long integer": (b"18446744073709551616", "18446744073709551616"),
    "an unsigned integer": (b"9223372036854775808", "9223372036854775808"),
    "a long fraction": (b"0.1234567890123456789", "0.1234567890123456789"),
    "a whole pair": (rb'"\ud83d\ude00"', "\U0001f600"),
}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_characters(name: str, mark: bytes, mock: MockTwilio) -> None:
    """All rows arrive, what is broken as U+FFFD, from one request (BEHAVIOR 29)."""
    sent, arrives = BROKEN[name]
    mock.page(ADDRESS, "accounts", [{"sid": ACCOUNT}])
    page = b'{"queues": [{"sid": "QU1", "x": %s}, {"sid": "QU2", %s: "y"}]}'
    key = sent if sent.startswith(b'"') else b'"x"'
    mock.expect(url(f"Accounts/{ACCOUNT}/Queues.json", PageSize=1000), mark + page % (sent, key))
    output = read(CONFIG, "queues")
    name_of_key = arrives if sent.startswith(b'"') else "x"
    expected = [{"sid": "QU1", "x": arrives}, {"sid": "QU2", name_of_key: "y"}]
    assert records(output, "queues") == expected
    assert orjson.loads(orjson.dumps(records(output, "queues"))) == expected
    assert problems(output) == []


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"queues": [', b"[" * 100_000, b"\xff\xfe", b'{"queues": []} []']
)
def test_what_is_no_json(body: bytes) -> None:
    """What no reading makes JSON is asked again as a broken connection is (BEHAVIOR 12)."""
    with pytest.raises(requests.exceptions.ContentDecodingError) as raised:
        read_page(answer(body), {}, 10)
    assert str(raised.value) == f"{NAME} returned invalid JSON."


def test_an_error_with_broken_characters_can_be_quoted() -> None:
    """The message of an error holds no half of a pair, which no output can hold (BEHAVIOR 29)."""
    response = answer(rb'{"code": 20001, "message": "bad \ud83d"}', 400)
    read_page(response, {}, 10)
    assert response.json() == {"code": 20001, "message": "bad \ufffd"}


def test_empty_rows_are_passed_over(mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """An empty row does not end the sync: one line names the request, the rest arrives (29)."""
    mock.page(ADDRESS, "accounts", [{"sid": ACCOUNT}])
    address = url(f"Accounts/{ACCOUNT}/Queues.json", PageSize=1000)
    mock.page(address, "queues", [{}, {"sid": "QU1"}, {}], f"{address}&Page=1")
    mock.page(f"{address}&Page=1", "queues", [{"sid": "QU2"}])
    address = url(f"Accounts/{ACCOUNT}/Applications.json", PageSize=1000)
    mock.page(address, "applications", [{"sid": "AP1"}])
    output = read({**CONFIG, "num_workers": 1}, "queues", "applications")
    assert records(output, "queues") == [{"sid": "QU1"}, {"sid": "QU2"}]
    assert records(output, "applications") == [{"sid": "AP1"}]
    assert problems(output) == [
        f"GET {url(f'Accounts/{ACCOUNT}/Queues.json')} returned empty records: skipped."
    ]


@pytest.mark.parametrize("body", ["{}", "[]", "null", "7", '{"queues": {}}', '{"queues": [1]}'])
def test_a_page_without_its_list(body: str) -> None:
    """JSON that does not hold the list is an error that names the request (BEHAVIOR 12)."""
    response = answer(body.encode())
    read_page(response, {}, 10)
    with pytest.raises(AirbyteTracedException) as raised:
        PageExtractor("queues").extract_records(response)
    assert raised.value.message == f"{NAME} returned no list of 'queues'."


@pytest.mark.parametrize("status", [200, 401])
def test_one_time_codes_are_dropped(status: int) -> None:
    """BEHAVIOR 2: the code that proves who owns a number leaves no response."""
    rows = [{"sid": "HR1", "verification_code": "567890"}, {"x": {"verificationCode": 567890}}]
    response = answer(json.dumps({"items": rows}).encode(), status)
    read_page(response, {}, 10)
    assert response.json() == {"items": [{"sid": "HR1"}, {"x": {}}]}


SENT = "Wed, 14 Jan 2026 10:59:59 +0000"
OF_FIVE = [{"sid": f"SM{each}", "to": {"x": each}, "date_sent": SENT} for each in range(5)]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("more", [{}, {"page": 0}, {"meta": [{"x": 1}, {"x": 2}]}])
@pytest.mark.parametrize(
    "date", [None, "", "2026-01-14T10:59:59Z", SENT[:-6], SENT.replace("14", "32"), 7, "absent"]
)
def test_rows_with_a_date_are_left_out(
    date: Any, more: dict[str, Any], separators: tuple[str, str]
) -> None:
    """The last row stays, and each that does not have a date as usual; and all else (6)."""
    odd = {**OF_FIVE[2], "date_sent": date}
    if date == "absent":
        del odd["date_sent"]
    rows = [*OF_FIVE[:2], odd, *OF_FIVE[3:]]
    body = {"messages": rows, **more, "next_page_uri": "/x"}
    content = json.dumps(body, separators=separators).encode()
    expected = {**body, "messages": [odd, rows[-1]]}
    assert json.loads(without_dated(content, "date_sent")) == expected
    assert json.loads(without_dated(content, "date_created")) == body
    response = answer(content)
    read_page(response, {}, 10, "date_sent")
    assert response.json() == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        json.dumps({"messages": []}).encode(),
        json.dumps({"messages": [[row] for row in OF_FIVE]}).encode(),
        json.dumps({"messages": [{"sid": "", "to": row} for row in OF_FIVE]}).encode(),
        json.dumps({"messages": OF_FIVE, "meta": [{"sid": 1}, {"sid": 2}]}).encode(),
        json.dumps({"messages": OF_FIVE}, indent=1).encode(),
        json.dumps({"meta": [{"x": 1}, {"x": 2}], "messages": OF_FIVE}).encode(),
        json.dumps({"messages": [json.dumps(OF_FIVE)]}).encode(),
    ],
)
def test_a_body_of_another_form_stays(body: bytes) -> None:
    """Where rows do not stand one after the other, none is left out (BEHAVIOR 6)."""
    assert without_dated(body, "date_sent") == body


DATES = {
    "in RFC 2822": ("Wed, 14 Jan 2026 10:59:59 +0000", "Wed, 14 Jan 2026 11:00:00 +0000"),
    "in GMT": ("Wed, 14 Jan 2026 10:59:59 GMT", "Wed, 14 Jan 2026 11:00:00 GMT"),
    "with an offset": ("Wed, 14 Jan 2026 12:59:59 +0200", "Wed, 14 Jan 2026 13:00:00 +0200"),
    "in ISO 8601": ("2026-01-14T10:59:59Z", "2026-01-14T11:00:00Z"),
    "with fractions": ("2026-01-14T10:59:59.999Z", "2026-01-14T11:00:00.001Z"),
    "without a zone": ("2026-01-14T10:59:59", "2026-01-14T11:00:00"),
}
UNKNOWN = [{"sid": "PN3", "date_updated": "n/a"}, {"sid": "PN4", "date_updated": None}]
UNKNOWN += [{"sid": "PN5", "date_updated": ""}, {"sid": "PN6"}, {"sid": "PN7", "date_updated": 7}]


@pytest.mark.parametrize("name", DATES)
def test_updated_since(name: str, mock: MockTwilio, clock: time_machine.Traveller) -> None:
    """Rows pass that changed since the slice began, in any spelling, or at an unknown time (13)."""
    older, newer = DATES[name]
    numbers = [{"sid": "PN1", "date_updated": older}, {"sid": "PN2", "date_updated": newer}]
    state = {
        "use_global_cursor": False,
        "states": [
            {
                "partition": {"account_sid": ACCOUNT, "parent_slice": {}},
                "cursor": {"date_updated": "2026-01-15T11:00:00Z"},
            }
        ],
    }
    streams = ("dependent_phone_numbers", "incoming_phone_numbers")
    mock.page(ADDRESS, "accounts", [{"sid": ACCOUNT}])
    base = f"Accounts/{ACCOUNT}"
    mock.page(url(f"{base}/Addresses.json", PageSize=1000), "addresses", [{"sid": "AD1"}])
    below = url(f"{base}/Addresses/AD1/DependentPhoneNumbers.json", PageSize=1000)
    mock.page(below, streams[0], numbers + UNKNOWN)
    listed = url(f"{base}/IncomingPhoneNumbers.json", PageSize=1000)
    mock.page(listed, streams[1], numbers + UNKNOWN)
    output = read({**CONFIG, "num_workers": 1}, *streams, state=dict.fromkeys(streams, state))
    # A dependent number may hang on another address now, which its date does not tell.
    for stream, first in zip(streams, (1, 2), strict=True):
        found = [row["sid"] for row in records(output, stream)]
        assert found == [f"PN{number}" for number in range(first, 8)]
    assert problems(output) == []


SPACES = st.text(" \t\r\n", max_size=2)
DIGITS = st.text("0123456789", min_size=1, max_size=20).map(lambda text: text.lstrip("0") or "0")
NUMBERS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    DIGITS,
    st.just("") | st.builds(".{}".format, st.text("0123456789", min_size=1, max_size=20)),
    st.sampled_from(["", "e-2", "E-02"]),
)
TEXTS = st.text('":,[ ae\\12345678901234567890-.', max_size=40).map(json.dumps)


@given(
    st.lists(st.tuples(SPACES, NUMBERS | TEXTS, SPACES), min_size=1, max_size=5),
    st.booleans(),
    SPACES,
)
def test_numbers(values: list[tuple[str, str, str]], is_object: bool, space: str) -> None:
    """Wherever a number stands, and whatever a text looks like, each is exactly what it was (4)."""
    items = ["".join(value) for value in values]
    if is_object:
        body = "{" + ",".join(f'"{n}"{space}:{item}' for n, item in enumerate(items)) + "}"
    else:
        body = "[" + ",".join(items) + "]"
    assert parse(body.encode()) == json.loads(body, parse_int=to_number, parse_float=to_number)


def test_a_text_that_looks_like_a_long_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that only looks like a long number is parsed the quick way."""
    body = rb'{"body": "\\\" a: 1234567890123456789", "price": 1.10, "n": 3, "e": [true, null]}'
    monkeypatch.delattr(json, "JSONDecoder")
    assert parse(body) == {
        "body": '\\" a: 1234567890123456789',
        "price": 1.1,
        "n": 3,
        "e": [True, None],
    }


@pytest.mark.parametrize("before", ["[", "[7,", "[7, ", '{"x": '])
def test_a_long_number_keeps_its_digits(before: str) -> None:
    """Wherever it stands, a number that no double holds stays the text that it is (4)."""
    after = "]" if before.startswith("[") else "}"
    parsed = parse(f"{before}0.12345678901234567890{after}".encode())
    *_, number = parsed if isinstance(parsed, list) else parsed.values()
    assert number == "0.12345678901234567890"


class Trickle(io.BytesIO):
    """A body that comes byte by byte, each after three seconds of a clock of its own."""

    now = 0.0

    def read1(self, size: int | None = -1, /) -> bytes:
        """Return the next byte."""
        self.now += 3
        return super().read1(1)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return what was asked for, which took so long."""
        self.now += 3 * len(self.getvalue())
        return super().read(size)


@pytest.mark.parametrize(("seconds", "came"), [(10, 4), (120, 41)])
def test_a_body_that_trickles(seconds: int, came: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is not there in time breaks off like a connection that is silent (53)."""
    body = Trickle(b'{"queues": []}' + b" " * 10_000)
    monkeypatch.setattr(time, "monotonic", lambda: body.now)
    response = answer(b"")
    response.raw = HTTPResponse(body, preload_content=False)
    with pytest.raises(requests.ReadTimeout) as raised:
        read_page(response, {}, seconds)
    assert str(raised.value) == f"No whole body came in {seconds} seconds."
    assert body.tell() == came


def test_a_body_that_is_there_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes in pieces is read, however it is packed (BEHAVIOR 53)."""
    content = json.dumps({"queues": [{"sid": f"QU{n}"} for n in range(9)]}).encode()
    for packed, headers in ((content, {}), (gzip.compress(content), {"content-encoding": "gzip"})):
        body = Trickle(packed)
        monkeypatch.setattr(time, "monotonic", lambda body=body: body.now)
        response = answer(b"")
        response.raw = HTTPResponse(body, headers=headers, preload_content=False)
        read_page(response, {}, 3 * len(packed))
        assert response.content == content


@pytest.mark.parametrize("status", [400, 422, 500])
def test_an_error_that_quotes_tokens(
    status: int, mock: MockTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an answer says is quoted without the tokens in it, in each message (BEHAVIOR 52)."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    rows = [{"sid": ACCOUNT, "auth_token": TOKEN}, {"sid": SUBACCOUNT, "auth_token": SECRET}]
    mock.page(ADDRESS, "accounts", rows)
    said = {"code": 7, "message": f"no {TOKEN} {SECRET}"}
    for account in (ACCOUNT, SUBACCOUNT):
        for _ in range(6 if status == 500 else 1):
            mock.expect(url(f"Accounts/{account}/Queues.json", PageSize=1000), said, status)
        if status == 400:
            # Perhaps it is the page size (BEHAVIOR 47).
            mock.expect(url(f"Accounts/{account}/Queues.json"), said, status)
    output = read(CONFIG, "queues", expecting_exception=True)
    printed = "".join(str(m.trace) for m in output.trace_messages) + str(output.logs)
    assert (printed.count(TOKEN), printed.count(SECRET)) == (0, 0)
    assert ("no **** ****" in printed) == (status < 500)
