"""`verify-api`: its answers are right under all filter semantics, and hold nothing private."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev.soak.filter_semantics import SEMANTICS, FilterSemantics
from sandbox import Sandbox
from twilio_warehouse.cli import main
from twilio_warehouse.verify_api.client import Client
from twilio_warehouse.verify_api.questions import QUESTIONS
from twilio_warehouse.verify_api.report import markdown, run_questions
from unit_tests.support.access import keyed
from unit_tests.support.access import slept as slept
from unit_tests.support.syncing import ROOT, configured

# What the sandbox does under all filter semantics.
ALWAYS = {
    "Does `EndDate=DAY` of usage include that day?": "yes",
    "When is end_time of calls null?": "null when canceled, failed, no-answer",
    "When is start_time of calls null?": "null when canceled, failed",
    "Which status have conferences listed with `Status=init`?": "init",
    "Does `StartDate` of alerts include its own time?": "yes",
    "Does `DateCreatedAfter` of Verify attempts include its own time?": "yes",
    "How does Twilio respond to a bound 500 days back (messages)?": "HTTP 400, code 20004",
    "How does Twilio respond to a bound 40 days back (alerts)?": "HTTP 400, code 20001",
    "Are deleted recordings listed by default?": "no",
    "In which order are messages listed?": "newest first",
    "In which order are usage listed?": "newest first",
    "What does Twilio make of a PageSize of 1001 (messages)?": "cut to 50",
    "Does a full page of messages hold PageSize rows?": "no",
    "Does a link keep all parameters of its list?": "yes",
    "Does a link name the host of the request?": "yes",
    "Do available phone numbers have a second page?": "no",
    "How does Twilio respond to a range without usage?": "HTTP 404, code 20404",
    "Does usage include subaccounts by default?": "yes",
    "Does a main API key open subaccounts?": "",
    "How does Twilio respond to the list of a suspended account?": "rows",
    "How does Twilio respond to the list of a closed account?": "HTTP 401, code 20003",
    "How does Twilio respond to the balance of a subaccount?": "a record",
}


def expected(semantics: FilterSemantics) -> dict[str, str]:
    """Return the answers that depend on the filter semantics."""
    inclusive = "yes" if semantics.upper_bound == "inclusive" else "no"
    timed = "yes" if semantics.time_of_day else "no"
    shown = "yes" if semantics.null_dates == "shown" else "no"
    combined = semantics.conference_dates == "combined"
    by_default = {"all": "all", "in-progress": "not completed, init"}
    return {
        "Does `DateSent<=DAY` of messages include that day?": inclusive,
        "Does `StartTime<=DAY` of calls include that day?": inclusive,
        "Does `DateCreated<=DAY` of recordings include that day?": inclusive,
        # Where the filter does not count, nothing can be said of its bound.
        "Does `DateUpdated<=DAY` of conferences include that day?": inclusive if combined else "",
        "Does the time in `DateSent>=` count?": timed,
        "Does the time in `StartTime>=` count?": timed,
        "Does the time in `DateCreated>=` count?": timed,
        "Does `DateSent` show messages without a date_sent?": shown,
        "Does `StartTime` show calls without a start_time?": shown,
        "Which conferences does a list without `Status` show?": by_default[
            semantics.conferences_without_status
        ],
        "Does `DateUpdated` have an effect with `Status`?": "yes" if combined else "no",
        "Does `DateCreated` have an effect with `Status`?": "yes" if combined else "no",
        "Does `EndDate` of alerts include its own time?": inclusive,
        "Does `DateCreatedBefore` of Verify attempts include its own time?": inclusive,
    }


def answered(config: dict[str, Any], *texts: str) -> dict[str, str]:
    """Return the answers to some questions, or to all."""
    asked = [question for question in QUESTIONS if not texts or question.text in texts]
    assert not texts or len(asked) == len(texts)
    return {r.question.text: r.answer for r in run_questions(Client(config), asked)}


@pytest.mark.parametrize(
    "semantics", SEMANTICS, ids=lambda semantics: "-".join(map(str, semantics))
)
def test_filter_semantics(sandbox: Sandbox, semantics: FilterSemantics) -> None:
    """Each answer is that of the filter semantics."""
    for name, value in semantics._asdict().items():
        setattr(sandbox, name, value)
    wanted = ALWAYS | expected(semantics)
    assert answered(sandbox.config, *wanted) == wanted


def setting(**values: Any) -> Callable[[Sandbox], None]:
    """Set what the sandbox does."""

    def prepare(twilio: Sandbox) -> None:
        for name, value in values.items():
            setattr(twilio, name, value)

    return prepare


def saying(*bodies: tuple[str, Any], status: int = 200) -> Callable[[Sandbox], None]:
    """Answer requests that match with a body; a list becomes the rows of one page."""

    def prepare(twilio: Sandbox) -> None:
        for match, body in bodies:
            if isinstance(body, list):
                body = {"meta": {"key": "rows", "next_page_url": None}, "rows": body}
            twilio.fail(match, status, body=body, times=None)

    return prepare


def sparse_usage(twilio: Sandbox) -> None:
    """Leave usage on one day only."""
    days = set[str]()
    for account in twilio.accounts:
        for row in twilio.rows("usage_records", account.sid, {"IncludeSubaccounts": "false"}):
            days.add(row["start_date"])
            if row["start_date"] != max(days):
                twilio.delete("usage_records", f"{row['category']}:{row['start_date']}")


SID = "IS" + "1" * 32
TALK = {"sid": "CH1", "chat_service_sid": SID, "date_updated": "2026-01-02T00:00:00Z"}
CALL = {
    "call_sid": "CA1",
    "start_time": "2026-01-02T10:00:00Z",
    "end_time": "2026-01-02T10:20:00Z",
}
DEFAULT = "Is the default Conversations service listed?"
TOUCHED = "Does a new message change the date_updated of its conversation?"
ACTS_ON = "Does `EndTime` of call summaries act on the start or the end of calls?"
STATES = "Which call summaries does a list without `ProcessingState` show?"
EVENTS = "Do TaskRouter events have a second page?"
MOVED = "Is date_updated of executions that ended a later one?"
RUN = {
    **dict.fromkeys(("date_created", "date_updated"), "2026-01-02T00:00:00Z"),
    "status": "ended",
}
MONTHLY = "Does a bound inside a month cut monthly usage?"
VIDEO = "Are deleted video recordings listed by default?"
GONE = {"sid": "RT1", "status": "deleted", "date_created": "2026-01-02T00:00:00Z"}
COMPLETE, PARTIAL = (
    {"call_sid": f"CA{n}", "processing_state": state, "start_time": "2026-01-02T10:00:00Z"}
    for n, state in enumerate(("complete", "partial"))
)


@pytest.mark.parametrize(
    ("prepare", "question", "says"),
    [
        (sparse_usage, "Does `EndDate=DAY` of usage include that day?", "yes"),
        (
            setting(empty_usage="empty"),
            "How does Twilio respond to a range without usage?",
            "an empty list",
        ),
        (
            setting(usage_page_limit=20),
            "How does Twilio respond to a PageSize of 1000 (a year of usage)?",
            "HTTP 500, code 20500",
        ),
        (
            saying(("Messages.*PageSize=1001", {}), status=400),
            "What does Twilio make of a PageSize of 1001 (messages)?",
            "refused",
        ),
        (
            setting(message_retention_days=4000),
            "How does Twilio respond to a bound 500 days back (messages)?",
            "it is answered",
        ),
        (
            setting(links_host="monitor.sydney.au1.twilio.com"),
            "Does a link name the host of the request?",
            "no",
        ),
        (
            saying(("Configuration", {"default_chat_service_sid": SID}), ("Services", [])),
            DEFAULT,
            "no",
        ),
        (
            saying(
                ("Configuration", {"default_chat_service_sid": SID}), ("Services", [{"sid": SID}])
            ),
            DEFAULT,
            "yes",
        ),
        (
            saying(
                ("Messages", [{"date_created": "2026-01-01T00:00:00Z"}]), ("Conversations", [TALK])
            ),
            TOUCHED,
            "yes",
        ),
        (
            saying(
                ("Messages", [{"date_created": "2026-01-03T00:00:00Z"}]), ("Conversations", [TALK])
            ),
            TOUCHED,
            "no",
        ),
        (saying(("EndTime", []), ("Summaries", [CALL])), ACTS_ON, "its end"),
        (saying(("Summaries", [CALL])), ACTS_ON, "its start"),
        (saying(("State", [COMPLETE, PARTIAL]), ("Summaries", [COMPLETE])), STATES, "not partial"),
        (saying(("Summaries", [COMPLETE, PARTIAL])), STATES, "all"),
        (saying(("Events.*PageSize=1$", [{}]), ("Events", [{}, {}])), EVENTS, "no"),
        (saying(("Events", [{}])), EVENTS, ""),
        (
            saying(("Executions", [RUN, {**RUN, "date_updated": "2026-01-02T00:00:09Z"}])),
            MOVED,
            "yes",
        ),
        (saying(("Executions", [RUN])), MOVED, "no"),
        (saying(("Executions", [{**RUN, "status": "active"}])), MOVED, ""),
        (
            saying(("Rooms", {"code": 20001}), status=400),
            "How does Twilio respond to a list of video rooms with `Status=failed`?",
            "HTTP 400, code 20001",
        ),
        (saying(("Monthly", [{"start_date": "2026-01-01"}])), MONTHLY, "no"),
        (saying(("Monthly", [{"start_date": "2026-01-15"}])), MONTHLY, "yes"),
        (saying(("Status=deleted", [GONE]), ("Recordings", [])), VIDEO, "no"),
        (saying(("Recordings", [GONE])), VIDEO, "yes"),
        (saying(("Recordings", [])), VIDEO, ""),
        (
            saying(("Messages", [{"date_created": f"2026-01-0{n}"} for n in (1, 2)])),
            "In which order are messages listed?",
            "oldest first",
        ),
        (
            lambda twilio: twilio.restrict(twilio.accounts[2].sid, 403, 20005),
            "How does Twilio respond to the list of a suspended account?",
            "HTTP 403, code 20005",
        ),
        (
            saying(("video", {"code": 20003}), status=401),
            "Which product APIs refuse the account?",
            "HTTP 401, code 20003: video",
        ),
    ],
)
def test_other_semantics(
    sandbox: Sandbox,
    slept: list[float],
    prepare: Callable[[Sandbox], None],
    question: str,
    says: str,
) -> None:
    """What else Twilio may answer is told apart."""
    prepare(sandbox)
    assert answered(sandbox.config, question) == {question: says}


@pytest.mark.parametrize(
    ("opens", "says"), [("account", "no (HTTP 401, code 20003)"), ("subaccounts", "yes")]
)
def test_main_keys(sandbox: Sandbox, opens: str, says: str) -> None:
    """Whether a main key opens subaccounts is tried on one."""
    sandbox.main_keys_open = opens  # type: ignore[assignment]
    key = sandbox.key(sandbox.accounts[0].sid)
    text = "Does a main API key open subaccounts?"
    assert answered({**sandbox.config, **keyed(key)}, text) == {text: says}


def test_private(tmp_path: Path, sandbox: Sandbox) -> None:
    """The output holds no SID, token, number, name or date, and has all questions."""
    configured(tmp_path, sandbox.config)
    command = [
        sys.executable,
        "-m",
        "twilio_warehouse",
        "verify-api",
        str(tmp_path / "config.json"),
    ]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert ran.returncode == 0
    table = [line for line in ran.stdout.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(QUESTIONS)
    assert ran.stdout.splitlines()[-1].endswith("requests, with an Auth Token, in us1.")
    for printed in (ran.stdout, ran.stderr):
        assert re.findall(r"[0-9a-f]{32}|\+\d|\d{4}-\d\d|Northwind|Traceback", printed) == []
    assert {request.method for request in sandbox.requests} == {"GET"}


def test_masked(sandbox: Sandbox) -> None:
    """A row that holds something private where a status is expected shows nothing of it."""
    bad = f"AC{'0' * 32} +14155550100 jo@example.com 2026-01-01"
    saying(("Tasks", [{"sid": "WT1", "assignment_status": bad}]))(sandbox)
    asked = [q for q in QUESTIONS if q.text == "Which TaskRouter tasks are listed?"]
    *_, row = markdown(run_questions(Client(sandbox.config), asked))
    assert re.split(r"\s*\|\s*", row)[2] == "... ... ... ..."


@pytest.mark.parametrize(
    ("code", "says"),
    [(20404, "HTTP 404, code 20404"), ("Jo \x1b]0;x\x07", "HTTP 404, code ...")],
)
def test_codes(sandbox: Sandbox, code: Any, says: str) -> None:
    """A code that is no number shows nothing of itself."""
    saying(("Tasks", {"code": code}), status=404)(sandbox)
    asked = [q for q in QUESTIONS if q.text == "Which TaskRouter tasks are listed?"]
    [result] = run_questions(Client(sandbox.config), asked)
    assert result.evidence == f"the list was refused ({says})"


@pytest.mark.parametrize(
    ("after", "waits"), [("3600", [30]), ("2", [2]), ("soon", []), ("-5", []), ("0", [])]
)
def test_waits(
    sandbox: Sandbox,
    slept: list[float],
    capsys: pytest.CaptureFixture[str],
    after: str,
    waits: list[int],
) -> None:
    """It waits for half a minute at most, and says so."""
    sandbox.fail("Accounts.json", 429, headers={"Retry-After": after}, times=1)
    assert len(Client(sandbox.config).accounts()) == len(sandbox.accounts)
    assert [seconds for seconds in slept if seconds] == waits
    assert capsys.readouterr().err.splitlines() == [
        f"Twilio asks to wait: {seconds} seconds ..." for seconds in waits
    ]


def test_surprise(sandbox: Sandbox) -> None:
    """The table ends with what the connector relies on in vain."""
    saying(("Executions", [RUN]))(sandbox)
    asked = [q for q in QUESTIONS if q.text == MOVED]
    *_, last = markdown(run_questions(Client(sandbox.config), asked))
    assert last == f"\nThe connector relies on another answer (yes): {MOVED}"


def test_errors(
    tmp_path: Path, sandbox: Sandbox, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the user gives one line."""
    assert main(["verify-api"]) == 2
    assert main(["verify-api", str(tmp_path / "config.json")]) == 2
    configured(tmp_path, {**sandbox.config, "auth_token": "0" * 32})
    assert main(["verify-api", str(tmp_path / "config.json")]) == 2
    configured(tmp_path, json.loads('{"account_sid": "AC123", "auth_token": "x1"}'))
    assert main(["verify-api", str(tmp_path / "config.json")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    example = (
        '{"account_sid": "AC...", "auth_token": "...", "start_date": "2025-01-01T00:00:00Z"}, '
        "with your values"
    )
    environment = (
        "TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or TWILIO_API_KEY with TWILIO_API_SECRET, in "
        "the environment."
    )
    path = tmp_path / "config.json"
    assert captured.err.splitlines() == [
        "Which account? twilio-warehouse verify-api secrets/config.json (make verify-api "
        f"CONFIG=secrets/config.json), a file of {example}; or {environment}",
        f"There is no file {path}: make one of {example}. Without a file, the settings are "
        f"{environment}",
        "Asking Twilio for the accounts ...",
        "Twilio refused account_sid and auth_token (HTTP 401, code 20003): take the current Auth "
        "Token of that account in region us1; the account must be active.",
        "account_sid must be AC and 32 hexadecimal digits, as the Twilio Console shows it. "
        f"The file is {path}.",
    ]
