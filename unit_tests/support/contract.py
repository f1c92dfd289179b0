"""What the tests of the contract share: small Twilios, settings, what is shown and what arrived."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import time_machine
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

from sandbox import Sandbox
from sandbox.data import seconds_of
from sandbox.endpoints import ENDPOINTS
from sandbox.streams import STREAMS
from source_twilio import SourceTwilio
from unit_tests.conftest import NOW
from unit_tests.support.embedded import use_as_twilio
from unit_tests.support.reading import entries, problems, records

ROOT = Path(__file__).parents[2]
DAY, HOUR, MINUTE, SECOND = (timedelta(**{u: 1}) for u in ("days", "hours", "minutes", "seconds"))
START = datetime(2025, 11, 1, tzinfo=timezone.utc)
# Where the newest window ends.
END = "2026-01-15T11:00:00Z"
# The field that the date filter of a stream acts on, and the filter's lower bound.
DATED = {
    "messages": ("date_sent", "DateSent>"),
    "calls": ("start_time", "StartTime>"),
    "recordings": ("date_created", "DateCreated>"),
    "conferences": ("date_updated", "DateUpdated>"),
    "usage_records": ("start_date", "StartDate"),
    "alerts": ("date_generated", "StartDate"),
}
ACCOUNT_DATED = [name for name in DATED if name != "alerts"]
RESOURCES = {
    "usage_records": "/Usage/Records/Daily.json",
    "alerts": "/v1/Alerts",
    "message_media": "/Messages.json",
    "incoming_phone_numbers": "/IncomingPhoneNumbers.json",
}
# What tells the rows of an account apart, where it is not the SID.
ROW_KEYS = {endpoint.stream: endpoint.row_key for endpoint in ENDPOINTS}
KEYS = {
    "available_phone_number_countries": ["country_code"],
    "available_phone_numbers_local": ["phone_number"],
    "available_phone_numbers_mobile": ["phone_number"],
    "available_phone_numbers_toll_free": ["phone_number"],
    "conference_participants": ["conference_sid", "call_sid"],
    "usage_records": ["category", "start_date"],
}
# The queries that the connector makes of these lists, but for dates.
QUERIES = {
    "recordings": {"IncludeSoftDeleted": "true"},
    "usage_records": {"IncludeSubaccounts": "false"},
}
# The lists of an account that are asked one by one (BEHAVIOR 32).
STATUSES = ({"Status": "init"}, {"Status": "in-progress"}, {"Status": "completed"})
UNDATED = {
    "messages": {"date_sent": None},
    "calls": {"start_time": None, "end_time": None},
}
Make = Callable[..., Sandbox]
Row = dict[str, Any]
Found = Counter[tuple[str, ...]]


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait long, yet let threads that poll give way to each other."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.005)))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes a sandbox of three accounts, with `closed` of four, and little in it."""
    with ExitStack() as stack:

        def make(
            kind: type[Sandbox] = Sandbox, *, closed: bool = False, **settings: Any
        ) -> Sandbox:
            small: Row = {"seed": 7, "scale": 0, "page_size_max": 5, "retry_after": 0}
            twilio = stack.enter_context(kind(**{**small, **settings}))
            kept = {"Northwind", "Northwind Retail", "Northwind Field"}
            kept |= {"Northwind Closed"} if closed else set()
            for number, row in enumerate(twilio.rows("accounts", twilio.accounts[0].sid)):
                if row["friendly_name"] not in kept:
                    twilio.delete("accounts", row["sid"])
                else:
                    twilio.update("accounts", row["sid"], auth_token=f"{number:08}" + "5ec2e7" * 4)
            return use_as_twilio(twilio, monkeypatch)

        yield make


@pytest.fixture
def twilio(opened: Make, clock: time_machine.Traveller) -> Sandbox:
    """A sandbox with the usual settings, at NOW."""
    return opened()


def text(moment: datetime) -> str:
    """Return a moment as states and filters spell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def config(twilio: Sandbox, start: datetime = START, **more: Any) -> Row:
    """Return a configuration that starts at START, and reads no days again (test_settling.py)."""
    return {**twilio.config, "start_date": text(start), "settling_days": 0, **more}


def sids(twilio: Sandbox) -> list[str]:
    """Return the accounts, the main one first."""
    return [account.sid for account in twilio.accounts]


def identity(stream: str, row: Mapping[str, Any], account: str) -> tuple[str, ...]:
    """Return what tells a row apart from all others of its stream."""
    return account, *(str(row[field]) for field in KEYS.get(stream) or ROW_KEYS[stream])


def moment_of(stream: str, row: Mapping[str, Any]) -> int:
    """Return the time that counts for a row: by the filter's field, else of its creation."""
    return seconds_of(row[DATED[stream][0]] or row["date_created"])


def shown(
    twilio: Sandbox, stream: str, accounts: Iterable[str] = (), since: datetime | None = None
) -> Found:
    """Return what Twilio shows, of all accounts if none is given."""
    query = QUERIES.get(stream)
    found: Found = Counter()
    for account in accounts or sids(twilio):
        main_only = stream == "accounts" or STREAMS[stream].main_only
        if main_only and account != twilio.accounts[0].sid:
            continue
        for row in twilio.rows(stream, account, query):
            if since is None or moment_of(stream, row) >= since.timestamp():
                found[identity(stream, row, "" if stream == "accounts" else account)] += 1
    return found


def arrived(output: EntrypointOutput, stream: str) -> Found:
    """Return what the connector emitted."""
    rows = records(output, stream)
    return Counter(identity(stream, row, row.get("account_sid", "")) for row in rows)


def status(output: EntrypointOutput, stream: str) -> str:
    """Return what the connector says of the stream in the end."""
    return str(output.get_stream_statuses(stream)[-1].value)


def cursors(output: EntrypointOutput, stream: str, rows: str = "") -> dict[str, str]:
    """Return the final cursor of each account: of several lists the one furthest behind.

    Of messages `rows` picks one: the cursor of those without a date goes back once a day.
    """
    found: dict[str, str] = {}
    states = entries(output, stream)
    for entry in states:
        account, [cursor] = entry["partition"]["account_sid"], entry["cursor"].values()
        if entry["partition"].get("rows", rows) == rows or not rows:
            found[account] = min(cursor, found.get(account, cursor))
    assert len(found) * LISTS.get(stream, 1) == len(states)
    return found


# How many lists of an account have a cursor of their own.
LISTS = {"messages": 2, "calls": 2, "message_media": 2, "conferences": 3}


def saved(stream: str, cursor: str, accounts: Iterable[str]) -> Row:
    """Return a state as this connector saves it."""
    field = DATED[stream][0] if stream in DATED else CURSOR_FIELDS[stream]
    return {
        "use_global_cursor": False,
        "states": [
            {"partition": {"account_sid": account, "parent_slice": {}}, "cursor": {field: cursor}}
            for account in accounts
        ],
    }


CURSOR_FIELDS = {"incoming_phone_numbers": "date_updated", "message_media": "date_created"}


def asked(twilio: Sandbox, stream: str, begin: int = 0) -> list[tuple[str, Row]]:
    """Return account and query of the requests for a list, less the page size, in some order."""
    path = RESOURCES.get(stream, f"/{stream.capitalize()}.json")
    found = []
    for request in twilio.requests[begin:]:
        if request.path.endswith(path):
            account = re.search("AC[0-9a-f]{32}", request.path)
            query = {name: value for name, value in request.pairs if name != "PageSize"}
            found.append((account[0] if account else request.account, query))
    return sorted(found, key=str)


def queries(stream: str) -> tuple[Row, ...]:
    """Return what the queries for a list hold, less dates."""
    return STATUSES if stream == "conferences" else (QUERIES.get(stream, {}),)


def refusal(stream: str, account: str, status: int) -> str:
    """Return the warning about an account that Twilio refuses to show."""
    return (
        f"{stream}: Twilio refuses to show account {account} (HTTP {status}): "
        "skipped, its cursor was not advanced."
    )


def warnings(output: EntrypointOutput, stream: str) -> list[str]:
    """Return what the connector itself logged as a warning of the stream, less the CDK's."""
    return [message for message in problems(output) if message.startswith(f"{stream}: ")]


def errors(output: EntrypointOutput) -> list[tuple[str, str]]:
    """Return failure type and message of the errors that were raised."""
    found = [m.trace.error for m in output.errors if m.trace and m.trace.error]
    return [(str(e.failure_type.value if e.failure_type else ""), str(e.message)) for e in found]


def raised(output: EntrypointOutput, stream: str) -> list[str]:
    """Return the messages of the errors that a stream ended with, less the CDK's summary."""
    found = [m.trace.error for m in output.errors if m.trace and m.trace.error]
    return [
        f"{error.message} {error.internal_message}"
        for error in found
        if error.stream_descriptor and error.stream_descriptor.name == stream
    ]


def add(twilio: Sandbox, stream: str, account: str, when: datetime, **fields: Any) -> Row:
    """Add a row whose dates are all that moment; usage of a category of its own."""
    if stream == "usage_records":
        fields = {"category": f"c{len(twilio.rows(stream, account, NO_CHILDREN))}", **fields}
        return twilio.add(stream, account, start_date=f"{when:%Y-%m-%d}", **fields)
    if stream == "alerts":
        fields = {"date_generated": when, **fields}
    return twilio.add(stream, account, date_created=when, **fields)


NO_CHILDREN = QUERIES["usage_records"]
# A list with dates, one without, and one below a list.
KINDS = ["messages", "incoming_phone_numbers", "message_media"]
LAST = "2026-01-01T00:00:00Z"


def with_media(twilio: Sandbox) -> None:
    """Add messages with media, and numbers, to all accounts."""
    for account in sids(twilio):
        for days in (1, 5):
            row = add(twilio, "messages", account, NOW - days * DAY, num_media="2")
            for _ in range(2):
                twilio.add("message_media", account, row["sid"], date_created=NOW - days * DAY)
            add(twilio, "incoming_phone_numbers", account, NOW - days * DAY)


def since_last(twilio: Sandbox, stream: str, accounts: Iterable[str]) -> Found:
    """Return what these accounts show since LAST."""
    if stream == "messages":
        return shown(twilio, stream, accounts, since=datetime(2026, 1, 1, tzinfo=timezone.utc))
    rows = [(a, row) for a in accounts for row in twilio.rows(stream, a)]
    bound = seconds_of(LAST)
    return Counter(
        identity(stream, row, a) for a, row in rows if seconds_of(row["date_created"]) >= bound
    )


ALL = sorted(stream.name for stream in SourceTwilio(config={"start_date": ""}).streams({}))
