"""One thing fails and everything else goes on; nothing is endless, nothing is lost in silence."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.streams import STREAMS
from source_twilio.pages import Page
from source_twilio.retriever import TwilioRetriever
from unit_tests.connector.test_odd_answers import (
    NEW,
    Answer,
    Ask,
    Row,
    Twilio,
    account,
    ask,
    cursors,
    page,
    sids,
)
from unit_tests.support.access import slept
from unit_tests.support.contract import Make, config, errors, opened, status, warnings
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, SUBACCOUNT
from unit_tests.support.reading import check, problems, read, records

__all__ = ["ask", "opened", "slept"]

REVOKED: Answer = (401, {"code": 20003, "message": "Authenticate"})
HTML: Answer = (404, b"<html>Not found</html>")
GONE: Answer = (404, {"code": 20404, "message": "not found"})
FAILS: Answer = (500, {"code": 20500, "message": "Internal Server Error"})
REACHED = "2026-01-15T11:00:00Z"


def product(key: str, *rows: Any, link: str | None = None) -> Answer:
    """Return a page of a list of a product API."""
    return 200, {key: [*rows], "meta": {"next_page_url": link}}


# --------------------------------------------------------------------------------------------------
# Pages
# --------------------------------------------------------------------------------------------------


def endless(sid: str, path: str, query: dict[str, str]) -> Answer:
    """Show the same ten rows on each page, and link to the next."""
    number = int(query.get("Page", 0)) + 1
    if path.startswith("/v2/Content"):
        rows = [{"sid": f"HX{each}"} for each in range(10)]
        return product("contents", *rows, link=f"https://content.twilio.com{path}?Page={number}")
    name = path.rpartition("/")[2].removesuffix(".json")
    home = f"/2010-04-01/Accounts/{sid}/{name}" if sid else "/2010-04-01/Accounts"
    rows = [{**account(f"AC{each + 1:032x}"), "date_sent": NEW} for each in range(10)]
    return page(
        name.lower(), *({**row, "page": number} for row in rows), link=f"{home}.json?Page={number}"
    )


@pytest.mark.parametrize(
    ("stream", "requests"), [("queues", 3), ("content_approvals", 3), ("messages", 6)]
)
def test_pages_that_bring_nothing_new(stream: str, requests: int, ask: Ask) -> None:
    """BEHAVIOR 33: links that change, with rows that do not, are an error that names the link."""
    output, asked = ask(endless, stream)
    assert status(output, stream) == "INCOMPLETE"
    # Messages are read in one window, and without a filter.
    assert len(asked) == requests
    [said] = {m.partition("links to ")[2] for _, m in errors(output) if m.startswith("GET")}
    assert said.startswith("a page that was read before, or that brings nothing new: ")
    assert said.endswith("Page=3")


def test_account_list_that_brings_nothing_new(ask: Ask) -> None:
    """BEHAVIOR 33: the list of accounts is one of the lists."""
    output, asked = ask(endless, "queues", listed=endless)
    assert status(output, "queues") == "INCOMPLETE"
    assert len(asked) == 3
    assert ["nothing new: /2010-04-01/Accounts.json?Page=3" in m for _, m in errors(output)][0]


def test_empty_pages_without_end(ask: Ask) -> None:
    """BEHAVIOR 33: nor do a hundred empty pages lead anywhere."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        number = int(query.get("Page", 0)) + 1
        return page("queues", link=f"/2010-04-01/Accounts/{sid}/Queues.json?Page={number}")

    output, asked = ask(twilio, "queues")
    assert status(output, "queues") == "INCOMPLETE"
    assert len(asked) == 100


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(["ab", "bc", "cd"], id="a row on two pages"),
        pytest.param(["ab", "ab", "cd"], id="the list grew by a page"),
        pytest.param(["a", "a", "b", "b", "c"], id="pages of one row"),
        pytest.param(["ab", "", "", "cd"], id="empty pages"),
        pytest.param(["ab", "cd", "cd"], id="the last page twice"),
    ],
)
def test_pages_of_a_list_that_grows(pages: list[str], ask: Ask) -> None:
    """BEHAVIOR 33: rows may stand on two pages, and pages may be empty."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        number = int(query.get("Page", 0))
        link = f"/2010-04-01/Accounts/{sid}/Queues.json?Page={number + 1}"
        rows = [{"sid": each} for each in pages[number]]
        return page("queues", *rows, link=link if pages[number + 1 :] else None)

    output, _ = ask(twilio, "queues")
    assert set(sids(output, "queues")) == set("".join(pages))
    assert problems(output) == []


def test_pages_whose_rows_share_a_sid(ask: Ask) -> None:
    """BEHAVIOR 37: revisions have the SID of their flow; another number is another row."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if path == "/v2/Flows":
            return product("flows", {"sid": "FW1"})
        number = int(query.get("Page", 0))
        link = f"https://studio.twilio.com{path}?Page={number + 1}" if number < 5 else None
        return product("revisions", {"sid": "FW1", "revision": number}, link=link)

    output, _ = ask(twilio, "flow_revisions")
    assert [row["revision"] for row in records(output, "flow_revisions")] == [*range(6)]
    assert problems(output) == []


BAD_SIZE = 400, {"code": 60373, "message": "Invalid page size"}


def test_page_size_that_is_refused(ask: Ask) -> None:
    """BEHAVIOR 47: a list is asked once more without a size, and the others of its kind too."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if "PageSize" in query:
            return BAD_SIZE
        if path == "/v2/Services":
            return product("services", *({"sid": f"VA{each}"} for each in range(4)))
        return product("messaging_configurations", {"country": path.split("/")[3]})

    output, asked = ask(twilio, "verify_messaging_configurations", num_workers=1)
    countries = [row["country"] for row in records(output, "verify_messaging_configurations")]
    assert countries == ["VA0", "VA1", "VA2", "VA3"]
    assert Counter("PageSize" in entry for entry in asked) == {True: 2, False: 5}
    assert [line.partition(" is asked")[2] for line in problems(output)] == [
        " for its usual rows a page, because Twilio answers no more."
    ] * 2


@pytest.mark.parametrize(
    ("stream", "key", "size", "token"),
    [
        ("port_in_requests", "port_in_request_sid", "Size", ("next_token", "Token")),
        ("intelligence_v3_operators", "id", "pageSize", ("nextToken", "pageToken")),
    ],
)
def test_size_of_pages_with_tokens(
    stream: str, key: str, size: str, token: tuple[str, str], ask: Ask
) -> None:
    """BEHAVIOR 47, 57: without a size that is refused, as of other lists; the token stays."""
    list_key = STREAMS[stream].list_key

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if size in query:
            return BAD_SIZE
        number = query.get(token[1], "0")
        meta = {token[0]: "1"} if number == "0" else {}
        return 200, {list_key: [{key: f"one {number}"}], "meta": meta}

    output, asked = ask(twilio, stream, num_workers=1)
    assert [row[key] for row in records(output, stream)] == ["one 0", "one 1"]
    assert Counter(f"{size}=" in entry for entry in asked) == {True: 1, False: 2}


def test_usage_that_fails_at_large_pages(ask: Ask) -> None:
    """BEHAVIOR 16: the smaller size is kept for the run: six attempts at the larger one in all."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if query.get("PageSize") == "1000":
            return FAILS
        link = f"/2010-04-01/Accounts/{sid}/{path}.json?Page=1"
        row = {"category": "sms", "start_date": query.get("StartDate", "2026-01-10")}
        return page("usage_records", row, link=link if len(query) == 3 else None)

    output, asked = ask(twilio, "usage_records", start_date="2020-01-01T00:00:00Z")
    assert status(output, "usage_records") == "COMPLETE"
    sizes = Counter(entry.partition("PageSize=")[2][:4] for entry in asked)
    assert sizes["1000"] == 6
    assert warnings(output, "usage_records") == []


@pytest.mark.parametrize("odd", [None, {}])
def test_rows_that_are_null(odd: Any, ask: Ask) -> None:
    """BEHAVIOR 29: a null among the rows costs no other row."""
    output, _ = ask(lambda *_: page("queues", {"sid": "QU1"}, odd, {"sid": "QU2"}), "queues")
    assert sids(output, "queues") == ["QU1", "QU2"]
    assert status(output, "queues") == "COMPLETE"
    assert len(problems(output)) == 1


@pytest.mark.parametrize(("refused", "ends"), [("failed", "COMPLETE"), ("completed", "INCOMPLETE")])
def test_rooms_of_a_status_that_is_refused(refused: str, ends: str, ask: Ask) -> None:
    """BEHAVIOR 43: only the list of failed rooms may be one that Twilio does not know."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if query["Status"] == refused:
            return 400, {"code": 20001, "message": "Invalid Status value"}
        return product("rooms", {"sid": f"RM{query['Status']}", "date_created": NEW})

    output, _ = ask(twilio, "video_rooms")
    assert status(output, "video_rooms") == ends
    assert len(records(output, "video_rooms")) == 2
    start, name = CONFIG["start_date"], f"{ACCOUNT} {refused}"
    found = {cursor for where, cursor in cursors(output, "video_rooms").items() if refused in where}
    assert found == {start}, name


@pytest.mark.parametrize(("page_number", "ends"), [(1, "COMPLETE"), (0, "INCOMPLETE")])
def test_accounts_that_are_limited(
    page_number: int, ends: str, opened: Make, clock: object, slept: list[float]
) -> None:
    """BEHAVIOR 31: patience is short for the first page of the account list, and for a check."""
    twilio = opened(page_size_max=2)
    match = f"Accounts.json.*Page={page_number}" if page_number else "Accounts.json"
    limit: Row = {"headers": {"Retry-After": "5"}}
    twilio.fail(match, 429, **limit)
    output = read(config(twilio), "queues", expecting_exception=True)
    assert status(output, "queues") == ends
    twilio.fail(match, 429, **limit)
    assert check(config(twilio))[0] == "FAILED"


# --------------------------------------------------------------------------------------------------
# Lists below a list
# --------------------------------------------------------------------------------------------------


def test_items_without_an_id(ask: Ask) -> None:
    """BEHAVIOR 50: an item without its id costs itself; a line names it."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if path == "/v2/Flows":
            return product("flows", {"sid": "FW1"}, {"date_created": NEW}, {"sid": "FW3"})
        return product("revisions", {"sid": path.split("/")[3], "revision": 1})

    output, _ = ask(twilio, "flow_revisions")
    assert sids(output, "flow_revisions") == ["FW1", "FW3"]
    assert status(output, "flow_revisions") == "COMPLETE"
    assert problems(output) == [
        f"flow_revisions: rows of flows of account {ACCOUNT} have no sid, so none of their "
        f"children are read. In their page they are the rows 2 ({NEW})."
    ]


def media(answers: dict[int, Answer], count: int = 12) -> Twilio:
    """Return a Twilio with messages that have media, of which some answer otherwise."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if path == "Messages":
            row = {"num_media": "1", "date_sent": NEW, "date_created": NEW}
            return page("messages", *({**row, "sid": f"MM{each}"} for each in range(count)))
        number = int(path.split("/")[1].removeprefix("MM"))
        row = {"sid": f"ME{number}", "date_created": NEW}
        return answers.get(number, page("media_list", row))

    return twilio


def test_message_without_an_id(ask: Ask) -> None:
    """BEHAVIOR 50: a message without its SID does not keep the cursor."""
    whole = media({})

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        found = whole(sid, path, query)
        if path == "Messages":
            del found[1]["messages"][1]["sid"]
        return found

    output, _ = ask(twilio, "message_media")
    assert len(records(output, "message_media")) == 11
    assert set(cursors(output, "message_media").values()) == {REACHED}


@pytest.mark.parametrize("answer", [HTML, GONE])
def test_all_items_are_missing(answer: Answer, ask: Ask) -> None:
    """BEHAVIOR 48: one item may be gone; if all are, that is a refusal, and the cursor stays."""
    output, _ = ask(media(dict.fromkeys(range(12), answer)), "message_media")
    assert status(output, "message_media") == "INCOMPLETE"
    assert cursors(output, "message_media").get(f"{ACCOUNT} dated") != REACHED
    output, _ = ask(media(dict.fromkeys(range(11), GONE)), "message_media")
    assert status(output, "message_media") == "COMPLETE"
    assert set(cursors(output, "message_media").values()) == {REACHED}


@pytest.mark.parametrize(
    ("count", "failing", "requests"),
    [
        # Five items six times, the others once.
        pytest.param(25, 1, 5 * 6 + 20, id="all of 25"),
        # And none after a hundred that failed.
        pytest.param(200, 1, 5 * 6 + 95, id="all of 200"),
        pytest.param(60, 3, 5 * 6 + 15 + 40, id="a third"),
    ],
)
def test_outage(count: int, failing: int, requests: int, ask: Ask) -> None:
    """BEHAVIOR 49: an outage of one endpoint costs the same, however many items there are."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if path.endswith("/Services"):
            return product("services", {"sid": "IS1"})
        if path.endswith("/Configuration"):
            return 200, {"default_chat_service_sid": "IS1"}
        if path.endswith("/Conversations"):
            return product("conversations", *({"sid": f"CH{each}"} for each in range(count)))
        number = int(path.split("/")[5].removeprefix("CH"))
        return FAILS if number % failing == 0 else product("participants", {"sid": f"MB{number}"})

    output, asked = ask(twilio, "conversation_participants", num_workers=1)
    assert status(output, "conversation_participants") == "INCOMPLETE"
    assert len([entry for entry in asked if "Participants" in entry]) == requests
    expected = count - len(range(0, count, failing))
    assert len(records(output, "conversation_participants")) == expected


def test_outage_for_many_accounts(ask: Ask) -> None:
    """BEHAVIOR 49: nor does it cost more with each account."""
    output, asked = ask(lambda *_: FAILS, "queues", accounts=100, num_workers=1)
    assert status(output, "queues") == "INCOMPLETE"
    # Ten lists six times; those that are asked for at that moment too.
    assert (len(asked) - 10 * 6 - 90) // 15 == 0


# --------------------------------------------------------------------------------------------------
# Refusals
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["calls", "messages"])
@pytest.mark.parametrize("answer", [REVOKED, (403, {"code": 20403}), GONE, HTML])
def test_refused_after_the_first_page(stream: str, answer: Answer, ask: Ask) -> None:
    """BEHAVIOR 9: an account that is refused in the middle ends the stream, without a wait."""
    name = {"calls": "StartTime>", "messages": "DateSent>"}[stream]
    link = f"/2010-04-01/Accounts/{ACCOUNT}/{stream.capitalize()}.json?Page=1"

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if name in query or "Page" in query:
            return answer
        row = {"sid": "X1", "date_sent": NEW, "start_time": NEW, "date_created": NEW}
        return page(stream, row, link=link)

    output, _ = ask(twilio, stream)
    assert status(output, stream) == "INCOMPLETE"
    assert REACHED not in cursors(output, stream).values()


@pytest.mark.parametrize("stream", ["flows", "flow_revisions"])
def test_token_that_is_revoked(stream: str, ask: Ask) -> None:
    """BEHAVIOR 34: who was served is not without the product: its token is revoked."""
    listed: list[str] = []

    def accounts(sid: str, path: str, query: dict[str, str]) -> Answer:
        listed.append(path)
        # Of revisions the flows have told: the account list need not be asked again.
        return REVOKED if listed[1:] else page("accounts", account(ACCOUNT))

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        served = path == "/v2/Flows" and stream == "flow_revisions"
        return product("flows", {"sid": "FW1"}) if served else REVOKED

    output, _ = ask(twilio, stream, listed=accounts)
    assert status(output, stream) == "INCOMPLETE"
    assert ["may not read it (HTTP 401, code 20003)" in m for _, m in errors(output)][0]
    assert len(listed) == (1 if stream == "flow_revisions" else 2)


@pytest.mark.parametrize(
    ("stream", "answer"),
    [
        ("addresses", HTML),
        ("addresses", GONE),
        ("messages", HTML),
        ("messages", GONE),
        ("usage_records_all_time", (404, b"not found")),
        ("usage_records", HTML),
        ("flows", HTML),
        ("flow_revisions", HTML),
    ],
)
def test_lists_that_are_not_found(stream: str, answer: Answer, ask: Ask) -> None:
    """BEHAVIOR 48: a 404 of the configured account is no empty list."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if path == "/v2/Flows" and stream == "flow_revisions":
            return product("flows", {"sid": "FW1"}, {"sid": "FW2"})
        return answer

    output, _ = ask(twilio, stream)
    assert status(output, stream) == "INCOMPLETE"
    assert ["(HTTP 404" in m or "returned HTTP 404" in m for _, m in errors(output)][0]


def test_usage_that_does_not_exist(ask: Ask) -> None:
    """BEHAVIOR 16: Twilio's own answer of that kind is an empty list."""
    output, _ = ask(lambda *_: GONE, "usage_records_all_time")
    assert status(output, "usage_records_all_time") == "COMPLETE"
    assert problems(output) == []


@pytest.mark.parametrize("account_status", ["active", "suspended"])
@pytest.mark.parametrize("stream", ["addresses", "recordings"])
def test_list_that_lacks_an_account(stream: str, account_status: str, ask: Ask) -> None:
    """BEHAVIOR 48: a list that is read in full is not complete without an active account."""
    key = stream

    def accounts(*_: Any) -> Answer:
        other = {**account(SUBACCOUNT), "status": account_status}
        return page("accounts", account(ACCOUNT), other)

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if sid == SUBACCOUNT and path != "Queues":
            return REVOKED
        return page(path.lower(), {"sid": f"X{sid[-1]}", "date_created": NEW})

    output, _ = ask(twilio, "queues", stream, listed=accounts)
    assert sids(output, key) == ["X1"]
    lacks = stream == "addresses" and account_status == "active"
    assert status(output, stream) == ("INCOMPLETE" if lacks else "COMPLETE")
    assert status(output, "queues") == "COMPLETE"
    named = [m for _, m in errors(output) if f"the rows of account {SUBACCOUNT} are missing" in m]
    assert len(named[:1]) == lacks


# --------------------------------------------------------------------------------------------------
# Odd rows
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_held", [False, True])
def test_newer_version_leaves_last(
    is_held: bool, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEHAVIOR 6: a message that is sent while the sync reads ends as sent.

    Also if its older version is held up, once it was chosen, until the newer one has left.
    """
    sent, converted = threading.Event(), TwilioRetriever._converted

    def held(self: TwilioRetriever, page: Page, schema: Any) -> Iterator[Any]:
        statuses = {row.get("status") for row in page.rows}
        if is_held and "queued" in statuses:
            assert sent.wait(60)
        yield from converted(self, page, schema)
        if "sent" in statuses:
            sent.set()

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        if "DateSent>" in query:
            return page("messages", {"sid": "SM1", "status": "sent", "date_sent": NEW})
        if "Page" in query:
            return page("messages", {"sid": "SM3", "status": "failed", "date_sent": None})
        queued = {"sid": "SM1", "status": "queued", "date_sent": None, "date_created": NEW}
        link = f"/2010-04-01/Accounts/{sid}/Messages.json?Page=1"
        return page("messages", queued, {**queued, "sid": "SM2"}, link=link)

    monkeypatch.setattr(TwilioRetriever, "_converted", held)
    output, _ = ask(twilio, "messages", num_workers=1)
    last = {row["sid"]: row["status"] for row in records(output, "messages")}
    assert last == {"SM1": "sent", "SM2": "queued", "SM3": "failed"}


@pytest.mark.parametrize("year", ["0001", "9999"])
@pytest.mark.parametrize("stream", ["calls", "recordings"])
def test_row_of_an_odd_year(stream: str, year: str, ask: Ask) -> None:
    """BEHAVIOR 3: the date of one row does not decide how the others are read."""
    name = {"calls": "StartTime>", "recordings": "DateCreated>"}[stream]
    odd, usual = (
        {"sid": sid, "date_created": date, "start_time": date}
        for sid, date in (("X1", f"{year}-01-01T00:00:00Z"), ("X2", NEW))
    )

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        first = "Page" not in query and ("<" not in str(query) and name not in query)
        first = first or (stream == "recordings" and "DateCreated<" not in query)
        link = f"/2010-04-01/Accounts/{sid}/{path}.json?Page=1"
        newest = name.replace(">", "<") not in query or "Page" in query
        rows = [odd, usual] if first else [usual] if newest else []
        return page(path.lower(), *rows, link=link if first and "Page" not in query else None)

    output, _ = ask(twilio, stream, start_date="2024-01-01T00:00:00Z")
    assert status(output, stream) == "COMPLETE"
    assert "X2" in sids(output, stream)
    assert problems(output) == []


def test_number_of_days_that_no_calendar_has(ask: Ask) -> None:
    """BEHAVIOR 10: a 20004 with a huge number is an error that says what came."""
    message = f"The date must be within the last {'9' * 5000} days"
    output, _ = ask(lambda *_: (400, {"code": 20004, "message": message}), "recordings")
    assert status(output, "recordings") == "INCOMPLETE"
    assert errors(output)[0][1].endswith(f"returned HTTP 400, code 20004: {message}")


def test_account_without_a_sid(ask: Ask) -> None:
    """BEHAVIOR 50: the other accounts are read, of the 2010 API and of the product APIs."""
    unnamed = {"status": "active", "friendly_name": "?"}

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        return product("flows", {"sid": "FW1"}) if "Flows" in path else page("queues")

    rows = (account(ACCOUNT), unnamed, {**unnamed, "sid": None}, {**unnamed, "sid": 5})
    output, _ = ask(
        twilio, "flows", "queues", "accounts", listed=lambda *_: page("accounts", *rows)
    )
    assert {status(output, name) for name in ("flows", "queues", "accounts")} == {"COMPLETE"}
    assert sids(output, "accounts") == [ACCOUNT]
    assert problems(output) == [
        "accounts: 3 rows of the account list have no sid: they are left out."
    ]


def test_bad_request_on_a_later_page(ask: Ask) -> None:
    """BEHAVIOR 23: beyond 10,000 rows a list without windows ends with a sentence."""

    def twilio(sid: str, path: str, query: dict[str, str]) -> Answer:
        number = int(query.get("Page", 0))
        if number == 10:
            return 400, {"code": 20001, "message": "Invalid page"}
        link = f"/2010-04-01/Accounts/{sid}/{path}.json?PageSize=1000&Page={number + 1}"
        return page("queues", {"sid": f"QU{number}"}, link=link)

    output, asked = ask(twilio, "queues")
    assert len(records(output, "queues")) == 10
    assert len(asked) == 11
    assert errors(output)[0][1].endswith("Queues.json returned HTTP 400, code 20001: Invalid page")


def test_no_days_at_all(ask: Ask) -> None:
    """BEHAVIOR 10: an account that shows the last 0 days is asked once, and not for ever."""
    said = {"code": 20004, "message": "The date must be within the last 0 days"}
    output, requests = ask(lambda *_: (400, said), "recordings")
    assert status(output, "recordings") == "COMPLETE"
    assert len(requests) == 1
