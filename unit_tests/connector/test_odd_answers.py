"""Answers that nobody expected: each costs no more than itself, and nothing is lost."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests_mock
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

from source_twilio.session import Account, SkippedAccounts
from unit_tests.support.contract import _haste, errors, raised, saved, status
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, SUBACCOUNT
from unit_tests.support.reading import entries, final_state, problems, read, records

__all__ = ["_haste"]

Row = dict[str, Any]
Answer = tuple[int, Any]
# Given account, path below it (or the whole URL) and query, what Twilio answers.
Twilio = Callable[[str, str, dict[str, str]], Answer]
Ask = Callable[..., tuple[EntrypointOutput, list[str]]]
NEW, OLD = "Thu, 15 Jan 2026 10:00:00 +0000", "Wed, 01 Jan 2025 10:00:00 +0000"
DAY = "Sat, 10 Jan 2026 00:00:01 +0000"


@pytest.fixture
def ask(clock: object) -> Iterator[Ask]:
    """Reads streams of a Twilio that is a function; returns the output and what was asked."""
    with requests_mock.Mocker() as mocker:

        def read_from(
            twilio: Twilio,
            *streams: str,
            accounts: int = 1,
            listed: Twilio | None = None,
            **settings: Any,
        ) -> tuple[EntrypointOutput, list[str]]:
            asked: list[str] = []
            rows = [account(f"AC{number + 1:032x}") for number in range(accounts)]
            the_list = listed or (lambda *_: page("accounts", *rows))

            def answer(request: Any, context: Any) -> bytes:
                parts = urlsplit(request.url)
                found = re.fullmatch(r".*/(AC\w{32})/(.*)\.json", parts.path)
                sid, path = found.groups() if found else ("", parts.path)
                query = dict(parse_qsl(parts.query))
                is_list = path.endswith("/Accounts.json")
                if not is_list or listed:
                    asked.append(f"{sid} {path}?{parts.query}")
                context.status_code, body = (the_list if is_list else twilio)(sid, path, query)
                return body if isinstance(body, bytes) else json.dumps(body).encode()

            mocker.register_uri(requests_mock.ANY, requests_mock.ANY, content=answer)
            state = settings.pop("state", None)
            output = read({**CONFIG, **settings}, *streams, state=state, expecting_exception=True)
            return output, asked

        yield read_from


def account(sid: str) -> Row:
    """Return a row of the account list."""
    token = sid[::-1].lower().replace("c", "f").replace("a", "e")[:32]
    return {"sid": sid, "status": "active", "owner_account_sid": ACCOUNT, "auth_token": token}


def page(key: str, *rows: Row, link: str | None = None) -> Answer:
    """Return a page of a list of the 2010 API."""
    return 200, {key: [*rows], "next_page_uri": link}


def sids(output: EntrypointOutput, stream: str) -> list[str]:
    """Return the SIDs that arrived, sorted."""
    return sorted(row["sid"] for row in records(output, stream))


def cursors(output: EntrypointOutput, stream: str) -> dict[str, str]:
    """Return the cursors of the accounts, by account and list."""
    return {
        " ".join(v for k, v in entry["partition"].items() if k != "parent_slice"): cursor
        for entry in entries(output, stream)
        for cursor in entry["cursor"].values()
    }


# --------------------------------------------------------------------------------------------------
# Rows
# --------------------------------------------------------------------------------------------------

NOTHING = dict.fromkeys(["date_created", "date_updated", "start_time", "end_time"])


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(NOTHING, id="all dates are null"),
        pytest.param({}, id="no dates at all"),
        pytest.param({"start_time": "n/a", "date_created": "n/a"}, id="dates that are none"),
        pytest.param({"start_time": "n/a", "date_created": OLD}, id="an unreadable start"),
        pytest.param({"date_created": NEW}, id="no start"),
        pytest.param({"start_time": 5, "date_created": NEW}, id="a number for a date"),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_rows_without_a_known_date(odd: Row, last: bool, ask: Ask) -> None:
    """BEHAVIOR 6: an unknown date proves nothing, neither of the row nor of the pages after it."""
    late = {"sid": "CA2", "start_time": None, "date_created": NEW}

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if "StartTime>" in query:
            return page("calls", {"sid": "CA3", "start_time": NEW, "date_created": NEW})
        if "Page" in query:
            return page("calls", late, {"sid": "CA4", "start_time": OLD, "date_created": OLD})
        link = None if last else f"/2010-04-01/Accounts/{sid}/Calls.json?Page=1"
        return page("calls", {"sid": "CA1", **odd}, link=link)

    output, _ = ask(twilio, "calls")
    if odd.get("date_created") == OLD:
        # What it was created before the window says, if nothing else does.
        assert sids(output, "calls") == ([] if last else ["CA3"])
    else:
        assert sids(output, "calls") == (["CA1"] if last else ["CA1", "CA2", "CA3"])
    assert problems(output) == []


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"start_time": None}, id="null"),
        pytest.param({"start_time": ""}, id="empty"),
        pytest.param({}, id="absent"),
        pytest.param({"start_time": NEW.replace("15 Jan", "31 Feb")}, id="no day"),
        pytest.param({"start_time": NEW.replace("10:00:00", "10:60:00")}, id="no time"),
        pytest.param({"end_time": NEW, "annotation": f'"start_time": "{NEW}"'}, id="in a text"),
    ],
)
@pytest.mark.parametrize("place", range(3))
def test_a_page_after_the_first_without_a_filter(odd: Row, place: int, ask: Ask) -> None:
    """BEHAVIOR 6: a row without a date arrives, whichever rows of its page have one."""
    dated = [{"sid": f"CA{each}", "start_time": NEW, "date_created": NEW} for each in range(4)]

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        link = f"/2010-04-01/Accounts/{sid}/Calls.json?Page={int(query.get('Page', 0)) + 1}"
        if "StartTime>" in query:
            return page("calls", *dated)
        if query.get("Page") != "1":
            return page("calls", *dated[:2], link=None if "Page" in query else link)
        rows = dated[2:]
        rows.insert(place, {"sid": "CA9", "date_created": NEW, **odd})
        return page("calls", *rows, link=link)

    output, asked = ask(twilio, "calls")
    assert sids(output, "calls") == ["CA0", "CA1", "CA2", "CA3", "CA9"]
    assert len(asked) == 4
    assert problems(output) == []


@pytest.mark.parametrize(
    ("stream", "key", "cursor_field"),
    [
        ("messages", "messages", "date_sent"),
        ("recordings", "recordings", "date_created"),
        ("conferences", "conferences", "date_updated"),
        ("usage_records", "usage_records", "start_date"),
        ("alerts", "alerts", "date_generated"),
    ],
)
@pytest.mark.parametrize("value", ["absent", None, "n/a", "", 7])
def test_field_of_the_filter(
    stream: str, key: str, cursor_field: str, value: Any, ask: Ask
) -> None:
    """BEHAVIOR 6: a row whose filter field is absent or unreadable arrives."""
    row = {"sid": "X1", cursor_field: value}
    if value == "absent":
        del row[cursor_field]
    output, _ = ask(lambda *_: page(key, row), stream, start_date="2025-11-01T00:00:00Z")
    assert {row["sid"] for row in records(output, stream)} == {"X1"}
    assert problems(output) == []


def test_older_than_twilio_promises(ask: Ask) -> None:
    """BEHAVIOR 10: rows in hand are passed on from start_date, whatever Twilio promises to show."""
    dates = {"SM1": NEW, "SM2": "Mon, 01 Apr 2024 00:00:00 +0000", "SM3": None}
    rows = [{"sid": sid, "date_sent": date, "date_created": date} for sid, date in dates.items()]
    rows[2]["date_created"] = "Mon, 01 Apr 2024 00:00:00 +0000"
    rows.append({"sid": "SM4", "date_sent": OLD.replace("2025", "2019"), "date_created": None})
    output, asked = ask(
        lambda *_: page("messages", *rows), "messages", start_date="2024-01-01T00:00:00Z"
    )
    assert sids(output, "messages") == ["SM1", "SM2", "SM3"]
    assert len(asked) == 1


# --------------------------------------------------------------------------------------------------
# Lists
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["queues", "messages", "recordings", "dependent_phone_numbers"])
@pytest.mark.parametrize("back_to", ["itself", "the first page"])
def test_links_that_lead_back(stream: str, back_to: str, ask: Ask) -> None:
    """BEHAVIOR 33: a link that leads back is an error that names it, in every list."""
    keys = {"Addresses": "addresses", "Queues": "queues", "Messages": "messages"}
    keys |= {"Recordings": "recordings"}

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        number = 1 - int(query.get("Page", 0)) if back_to != "itself" else 1
        link = f"/2010-04-01/Accounts/{sid}/{path}.json?Page={number}"
        if stream == "dependent_phone_numbers" and path == "Addresses":
            return page("addresses", {"sid": "AD1"})
        return page(keys.get(path, stream), {"sid": "X1"}, link=link)

    output, asked = ask(twilio, stream, accounts=2)
    assert status(output, stream) == "INCOMPLETE"
    per_account = Counter(entry.split()[0] for entry in asked)
    assert {number // 10 for number in per_account.values()} == {0}
    assert [m for _, m in errors(output) if "links to a page that was read before" in m] != []


def test_empty_pages_are_legal(ask: Ask) -> None:
    """BEHAVIOR 33: an empty page between full ones ends nothing."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        number = int(query.get("Page", 0))
        link = f"/2010-04-01/Accounts/{sid}/Queues.json?Page={number + 1}" if number < 6 else None
        return page("queues", *([{"sid": f"QU{number}"}] if number in (0, 6) else []), link=link)

    output, _ = ask(twilio, "queues")
    assert sids(output, "queues") == ["QU0", "QU6"]
    assert problems(output) == []


CAP = [
    {"code": 20001, "message": "data is limited to 10000 rows"},
    {"message": "Invalid page and pageSize combination"},
]


@pytest.mark.parametrize("body", CAP)
def test_first_request_meets_the_cap(body: Row, ask: Ask) -> None:
    """BEHAVIOR 23: the first request of a list may have too many rows too: it is split."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        end = query.get("EndDate", "2026-01-15")
        if int(end[8:10]) - int(query["StartDate"][8:10]) > 2:
            return 400, body
        return page("alerts", {"sid": "NO1", "date_generated": query["StartDate"]})

    output, _ = ask(twilio, "alerts", start_date="2026-01-10T00:00:00Z")
    assert status(output, "alerts") == "COMPLETE"
    assert problems(output) == []
    assert cursors(output, "alerts") == {ACCOUNT: "2026-01-15T11:00:00Z"}


@pytest.mark.parametrize("stream", ["alerts", "messages"])
def test_first_request_out_of_reach(stream: str, ask: Ask) -> None:
    """BEHAVIOR 10: the first request may begin before what the account shows."""
    name = {"alerts": "StartDate", "messages": "DateSent>"}[stream]

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if query.get(name, "2026") < "2025-12-26T12":
            return 400, {"code": 20004, "message": "The date must be within the last 20 days"}
        first = name not in query and "Page" not in query
        return page(stream, link="/2010-04-01/Accounts/x.json?Page=1" if first else None)

    output, _ = ask(twilio, stream, start_date="2025-11-01T00:00:00Z")
    assert status(output, stream) == "COMPLETE"
    assert problems(output) == [
        f"{stream}: account {ACCOUNT} shows its last 20 days only; older rows are no longer "
        "available from Twilio."
    ]


def test_usage_that_is_missing(ask: Ask) -> None:
    """BEHAVIOR 16: the cursor does not move past a window that answered 404."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if query.get("EndDate", "~") < "2025-06":
            return 404, {"code": 20404, "message": "not found"}
        row = {"account_sid": sid, "category": "sms", "start_date": "2026-01-10"}
        link = None if "EndDate" in query else f"/2010-04-01/Accounts/{sid}/{path}.json?Page=1"
        return page("usage_records", row, link=None if "Page" in query else link)

    output, _ = ask(twilio, "usage_records", start_date="2023-01-01T00:00:00Z")
    assert cursors(output, "usage_records") == {ACCOUNT: "2023-01-01T00:00:00Z"}
    assert problems(output) == []


# --------------------------------------------------------------------------------------------------
# Lists below a list
# --------------------------------------------------------------------------------------------------


def addresses(number: int, answers: Mapping[str, Answer]) -> Twilio:
    """Return a Twilio with so many addresses, of which some answer otherwise."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if path == "Addresses":
            return page("addresses", *({"sid": f"AD{each}"} for each in range(number)))
        address = path.split("/")[1]
        row = {"sid": f"PN{address}", "date_updated": NEW}
        return answers.get(address, page("dependent_phone_numbers", row))

    return twilio


STATE = saved("incoming_phone_numbers", "2026-01-01T00:00:00Z", [ACCOUNT])


@pytest.mark.parametrize(
    ("http", "body", "lost"),
    [
        (403, {"code": 20403}, True),
        (401, {"code": 20003}, True),
        (500, {"code": 20500}, True),
        (404, {"code": 20404}, False),
        (404, {"code": 20001}, True),
        (404, b"<html>Not found</html>", True),
    ],
)
def test_one_item_fails(http: int, body: Any, lost: bool, ask: Ask) -> None:
    """BEHAVIOR 8, 48: an item that fails costs itself; a 404/20404 means that it has gone."""
    twilio = addresses(5, {"AD2": (http, body)})
    state = {"dependent_phone_numbers": STATE}
    output, _ = ask(twilio, "dependent_phone_numbers", state=state)
    expected = ["PNAD0", "PNAD1", "PNAD3", "PNAD4"]
    assert sids(output, "dependent_phone_numbers") == expected
    assert status(output, "dependent_phone_numbers") == ("INCOMPLETE" if lost else "COMPLETE")
    ends = {True: "2026-01-01T00:00:00Z", False: "2026-01-15T11:00:00Z"}
    assert cursors(output, "dependent_phone_numbers") == {ACCOUNT: ends[lost]}
    assert ["address_sid AD2 are missing" in m for _, m in errors(output)[:1]] == [True] * lost


def test_all_items_refused(ask: Ask) -> None:
    """BEHAVIOR 8: a refusal of the account is learnt from few of its items."""
    inner = addresses(50, {f"AD{number}": (403, {"code": 20403}) for number in range(50)})

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if sid == ACCOUNT:
            return page("addresses")
        return inner(sid, path, query)

    output, asked = ask(twilio, "dependent_phone_numbers", accounts=2)
    assert status(output, "dependent_phone_numbers") == "COMPLETE"
    assert problems(output) == [
        f"dependent_phone_numbers: Twilio refuses to show account {SUBACCOUNT} (HTTP 403): "
        "skipped, its cursor was not advanced."
    ]
    below = [entry for entry in asked if "Dependent" in entry]
    assert len(below) // 30 == 0


# --------------------------------------------------------------------------------------------------
# Accounts
# --------------------------------------------------------------------------------------------------


def test_refused_credentials_are_asked_once(ask: Ask) -> None:
    """BEHAVIOR 9: an account that refuses its credentials is asked for one list of a sync."""
    streams = ["queues", "applications", "addresses", "calls", "recordings"]

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if sid != ACCOUNT:
            return 401, {"code": 20003}
        return page(path.lower())

    output, asked = ask(twilio, *streams, accounts=151, num_workers=2)
    refused = Counter(entry.split()[0] for entry in asked if ACCOUNT not in entry)
    assert len(refused) == 150
    # Three tries each; streams that are read side by side may ask at the same time.
    assert refused.total() // (150 * 3 * 3) == 0
    lines = [message for message in problems(output) if "refuses to show account" in message]
    assert len(lines) == 3
    # Lists without a cursor are not all there (BEHAVIOR 48).
    full = dict.fromkeys(("queues", "applications", "addresses"), "INCOMPLETE")
    expected = {**dict.fromkeys(streams, "COMPLETE"), **full}
    assert {name: status(output, name) for name in streams} == expected
    assert {name: len(raised(output, name)) for name in full} == dict.fromkeys(full, 1)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {"code": 20003}), None),
        ((403, {"code": 17000}), None),
        ((403, {"code": 20403}), None),
        ((404, {"code": 20404}), None),
        ((401, {}), "HTTP 401, code none"),
        ((403, {"code": 12345}), "HTTP 403, code 12345"),
        ((403, b"<html>No</html>"), "HTTP 403, code none"),
    ],
)
def test_product_that_is_refused(answer: Answer, said: str | None, ask: Ask) -> None:
    """BEHAVIOR 34: codes of accounts without the product are no failure; any other refusal is."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        return answer if "monitor" in path or "Alerts" in path else page("queues")

    output, _ = ask(twilio, "alerts", "queues")
    assert status(output, "queues") == "COMPLETE"
    assert status(output, "alerts") == ("INCOMPLETE" if said else "COMPLETE")
    found = [message for _, message in errors(output) if message.startswith("alerts")]
    assert found == (
        [
            f"alerts: these credentials may not read it ({said}): ask Twilio why, "
            "or deselect the stream."
        ]
        if said
        else []
    )


def test_one_line_for_many_accounts(caplog: pytest.LogCaptureFixture) -> None:
    """BEHAVIOR 9: at the end one line says how many accounts were skipped, and names a few."""
    caplog.set_level("WARNING", "airbyte")
    skipped = SkippedAccounts()
    for number in range(150):
        for of_product_api in (False, True):
            skipped.note("calls", Account(f"AC{number}", of_product_api), 401, False)
    for number in range(2):
        skipped.note("keys", Account(f"AC{number}", False), 403)
    caplog.clear()
    skipped.note("flows", Account("AC0", True), 401, unused=True)
    assert not skipped.is_refused(Account("AC1000", True))
    del skipped
    assert [record.getMessage() for record in caplog.records] == [
        "all streams: Twilio refuses to show 150 accounts: skipped, cursors were not advanced. "
        "The first: AC0, AC1, AC2.",
        "flows: Twilio refuses to show 1 account; the product is probably not enabled there: "
        "skipped, cursors were not advanced. The first: AC0.",
    ]


def test_alerts_of_accounts_chosen_later(ask: Ask) -> None:
    """BEHAVIOR 7: an account that this connector never read begins at the start."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        return 200, {"alerts": [], "meta": {"next_page_url": None}}

    listed = {"account_selection": "listed", "account_sids": [SUBACCOUNT]}
    settings = {"accounts": 2, "start_date": "2025-01-01T00:00:00Z"}
    first, _ = ask(twilio, "alerts", **settings, **listed)
    state = {"alerts": final_state(first, "alerts")}
    state = json.loads(json.dumps(state, default=vars))
    _, asked = ask(twilio, "alerts", **settings, account_selection="main_only", state=state)
    assert [entry.partition("?")[2] for entry in asked] == [
        "StartDate=2025-12-16T12%3A10%3A00Z&PageSize=1000"
    ]


def test_one_old_cursor_for_all_accounts(ask: Ask) -> None:
    """BEHAVIOR 10: another connector's old cursor is warned of, though it names no account."""
    state = {"messages": {"date_sent": "2024-06-01T00:00:00Z"}}
    settings = {"start_date": "2024-01-01T00:00:00Z", "state": state}
    output, _ = ask(lambda *_: page("messages"), "messages", **settings)
    assert problems(output) == [
        "messages: the last sync reached 2024-05-17T00:00:00Z, and Twilio shows 400 days only: "
        "what lies between is no longer available from Twilio (BEHAVIOR 10)."
    ]


def test_state_without_a_partition(ask: Ask) -> None:
    """BEHAVIOR 24: an entry of a state that names no partition is ignored."""
    state = {"recordings": {"states": [{"cursor": {"date_created": NEW}}, *STATE["states"][:0]]}}
    output, asked = ask(lambda *_: page("recordings"), "recordings", state=state)
    assert status(output, "recordings") == "COMPLETE"
    assert ["2026-01-01" in entry for entry in asked] == [True]
