"""The questions: points that Twilio's documentation leaves open, and how each is tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from twilio_warehouse.verify_api import filters, lists
from twilio_warehouse.verify_api.filters import Answer

# Paths of lists, as in the manifest.
ALERTS = "https://monitor.twilio.com/v1/Alerts"
COMPLETED = "Conferences?Status=completed"
DAILY = "Usage/Records/Daily"
FLOWS = "https://studio.twilio.com/v2/Flows"
INSIGHTS = "https://insights.twilio.com/v1"
VERIFY = "https://verify.twilio.com/v2"
VIDEO = "https://video.twilio.com/v1"


@dataclass(frozen=True)
class Question:
    """A question that GET requests can answer.

    Attributes:
        text: the question; most are answered yes or no.
        entries: the entries of BEHAVIOR.md that depend on it.
        test: the function that answers it.
        path: of a list, as in the manifest; `{sid}` is an item of the list `parent`.
        arguments: further arguments of the test.
        account: the accounts to try, until one has the data.
        parent: the list of the parent items.
        expected: the answers that the connector relies on; none if it relies on no answer.
    """

    text: str
    entries: str
    test: Callable[..., Answer]
    path: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    account: Literal["any", "main", "active subaccount", "suspended", "closed"] = "any"
    parent: str = ""
    expected: tuple[str, ...] = ()


def ask(
    text: str, entries: str, test: Callable[..., Answer], path: str, /, **arguments: Any
) -> Question:
    """Return a question; arguments that are no attributes of it are those of its test."""
    names = [name for name in ("account", "parent", "expected") if name in arguments]
    own = {name: arguments.pop(name) for name in names}
    return Question(text, entries, test, path, arguments, **own)


def inequality(name: str, by: str) -> dict[str, str]:
    """Return the parameters of a date filter of the 2010 API, and the field that it filters by."""
    return {"lower": f"{name}>", "upper": f"{name}<", "field": by}


def between(lower: str, upper: str, by: str) -> dict[str, str]:
    """Return the parameters of a date filter of a product API, and the field it filters by."""
    return {"lower": lower, "upper": upper, "field": by}


FAILED_CALLS = ("busy", "no-answer", "failed", "canceled")
WAITING = ("queued", "ringing")
SENT, STARTED = inequality("DateSent", "date_sent"), inequality("StartTime", "start_time")
CREATED = inequality("DateCreated", "date_created")
GENERATED = between("StartDate", "EndDate", "date_generated")
RUNS = between("DateCreatedFrom", "DateCreatedTo", "date_created")
AFTER = between("DateCreatedAfter", "DateCreatedBefore", "date_created")
HELD = between("CreatedAfter", "CreatedBefore", "create_time")

ABOUT_FILTERS = (
    # Bounds of the 2010 API
    ask(
        "Does `DateSent<=DAY` of messages show that day?",
        "1",
        filters.upper_day,
        "Messages",
        **SENT,
    ),
    ask(
        "Does `StartTime<=DAY` of calls show that day?", "1", filters.upper_day, "Calls", **STARTED
    ),
    ask(
        "Does `DateCreated<=DAY` of recordings show that day?",
        *("1", filters.upper_day, "Recordings"),
        **CREATED,
    ),
    ask(
        "Does `DateUpdated<=DAY` of conferences show that day?",
        *("1, 32", filters.upper_day, COMPLETED),
        **inequality("DateUpdated", "date_updated"),
    ),
    ask(
        "Does `EndDate=DAY` of usage show that day?",
        *("1, 16", filters.upper_day, DAILY),
        **between("StartDate", "EndDate", "start_date"),
    ),
    ask("Does the time in `DateSent>=` count?", "1", filters.time_of_day, "Messages", **SENT),
    ask("Does the time in `StartTime>=` count?", "1", filters.time_of_day, "Calls", **STARTED),
    ask(
        "Does the time in `DateCreated>=` count?", "1", filters.time_of_day, "Recordings", **CREATED
    ),
    ask(
        "Does `DateSent` show messages without a date_sent?",
        *("6", filters.without_date, "Messages"),
        **SENT,
        among=({},),
    ),
    ask(
        "Does `StartTime` show calls without a start_time?",
        *("6", filters.without_date, "Calls"),
        **STARTED,
        among=[{"Status": status} for status in (*WAITING, *FAILED_CALLS)],
    ),
    ask(
        "When is end_time of calls null?",
        *("6", lists.null_dates, "Calls"),
        field="end_time",
        by="Status",
        values=("completed", *FAILED_CALLS),
    ),
    ask(
        "When is start_time of calls null?",
        *("6", lists.null_dates, "Calls"),
        field="start_time",
        by="Status",
        values=("completed", *FAILED_CALLS),
    ),
    # Conferences
    ask(
        "Which conferences does a list without `Status` show?",
        *("32", filters.default_values, "Conferences"),
        name="Status",
        values=("init", "in-progress", "completed"),
        field="status",
        by="date_created",
    ),
    ask(
        "Which status have conferences that `Status=init` shows?",
        *("32", lists.values, "Conferences?Status=init"),
        field="status",
    ),
    ask(
        "Does `DateUpdated` count beside `Status`?",
        "32",
        filters.has_effect,
        COMPLETED,
        upper="DateUpdated<",
    ),
    ask(
        "Does `DateCreated` count beside `Status`?",
        "32",
        filters.has_effect,
        COMPLETED,
        upper="DateCreated<",
    ),
    # Bounds of the product APIs
    *(
        ask(
            f"Does `{given[on]}` of {name} show its moment?",
            entries,
            filters.inclusive,
            path,
            **given,
            on=on,
        )
        for name, entries, path, given in (
            ("alerts", "1", ALERTS, GENERATED),
            ("Verify attempts", "35", f"{VERIFY}/Attempts", AFTER),
            ("conference summaries", "35", f"{INSIGHTS}/Conferences", HELD),
            ("video recordings", "35", f"{VIDEO}/Recordings", AFTER),
        )
        for on in ("lower", "upper")
    ),
    *(
        ask(
            f"Does `{RUNS[on]}` of executions show its moment?",
            *("1, 35", filters.inclusive, FLOWS + "/{sid}/Executions"),
            **RUNS,
            on=on,
            parent=FLOWS,
        )
        for on in ("lower", "upper")
    ),
    ask(
        "Does `EndTime` of call summaries act on the start or the end of calls?",
        *("35", lists.bound_applies_to, f"{INSIGHTS}/Voice/Summaries?ProcessingState=all"),
        lower="StartTime",
        upper="EndTime",
        start="start_time",
        end="end_time",
    ),
    ask(
        "Which call summaries does a list without `ProcessingState` show?",
        *("35", filters.default_values, f"{INSIGHTS}/Voice/Summaries"),
        name="ProcessingState",
        values=("all",),
        field="processing_state",
        by="start_time",
        since="StartTime",
    ),
)

CONVERSATIONS = "https://conversations.twilio.com/v1"
SERVICES = f"{CONVERSATIONS}/Services"
WORKSPACES = "https://taskrouter.twilio.com/v1/Workspaces"
# Of each product, a list that needs no parent.
PRODUCTS = (
    "content.twilio.com/v2/Content",
    "conversations.twilio.com/v1/Services",
    "insights.twilio.com/v1/Voice/Summaries",
    "intelligence.twilio.com/v2/Services",
    "messaging.twilio.com/v1/Services",
    "monitor.twilio.com/v1/Alerts",
    "numbers.twilio.com/v2/RegulatoryCompliance/Bundles",
    "studio.twilio.com/v2/Flows",
    "taskrouter.twilio.com/v1/Workspaces",
    "trunking.twilio.com/v1/Trunks",
    "trusthub.twilio.com/v1/CustomerProfiles",
    "verify.twilio.com/v2/Services",
    "video.twilio.com/v1/Rooms",
    "voice.twilio.com/v1/DialingPermissions/Countries",
)

ABOUT_LISTS = (
    # How far back lists go
    *(
        ask(
            f"What is a bound answered that is {days} days back ({name})?",
            *("10", lists.too_old, path),
            lower=lower,
            days=days,
            upper=upper,
        )
        for name, path, lower, days, upper in (
            ("messages", "Messages", "DateSent>", 500, ""),
            # One of Twilio's pages says that some editions show 13 months.
            ("alerts", ALERTS, "StartDate", 40, "EndDate"),
            ("Verify attempts", f"{VERIFY}/Attempts", "DateCreatedAfter", 40, ""),
            ("conference summaries", f"{INSIGHTS}/Conferences", "CreatedAfter", 40, ""),
            ("audit events", "https://monitor.twilio.com/v1/Events", "StartDate", 420, ""),
        )
    ),
    ask(
        "What is the list of bulk messages answered?",
        *("54", lists.response, "https://comms.twilio.com/v1/Messages"),
    ),
    # If page tokens can be made, an interrupted first sync could continue inside a list (6).
    ask(
        "Does a page token made of a row's SID begin after that row?",
        *("11", lists.begins_after, "Messages"),
    ),
    # What is listed
    ask(
        "Are deleted recordings listed unless asked for?",
        *("17", filters.deleted_listed, "Recordings"),
        shown_by="IncludeSoftDeleted=true",
        lower="DateCreated>",
        upper="DateCreated<",
    ),
    ask(
        "Are deleted video recordings listed unless asked for?",
        *("17", filters.deleted_listed, f"{VIDEO}/Recordings"),
        shown_by="Status=deleted",
        lower="DateCreatedAfter",
        upper="DateCreatedBefore",
    ),
    ask(
        "Which video rooms does a list without `Status` show?",
        *("43", filters.default_values, f"{VIDEO}/Rooms"),
        name="Status",
        values=("in-progress", "completed", "failed"),
        field="status",
        by="date_created",
    ),
    ask(
        "What is a list of video rooms with `Status=failed` answered?",
        *("43", lists.response, f"{VIDEO}/Rooms?Status=failed"),
    ),
    ask(
        "Is date_updated of executions that ended a later one?",
        *("42", lists.updated_at_end, FLOWS + "/{sid}/Executions"),
        since="DateCreatedFrom",
        parent=FLOWS,
        expected=("yes",),
    ),
    ask(
        "Which TaskRouter tasks are listed?",
        *("15", lists.values, WORKSPACES + "/{sid}/Tasks"),
        field="assignment_status",
        parent=WORKSPACES,
    ),
    ask(
        "Is the default Conversations service listed?",
        *("39", lists.default_service, SERVICES),
        configured=f"{CONVERSATIONS}/Configuration",
    ),
    ask(
        "Does a new message change the date_updated of its conversation?",
        *("36", lists.parent_updated, SERVICES + "/{sid}/Conversations"),
        child=SERVICES + "/{chat_service_sid}/Conversations/{sid}/Messages",
        parent=SERVICES,
    ),
    # Pages and their order
    *(
        ask(
            f"In which order are {name} listed?",
            *(entries, lists.order, path),
            field=by,
            expected=expected,
        )
        for name, entries, path, by, expected in (
            ("messages", "5, 6", "Messages", "date_created", ("newest first",)),
            ("calls", "5, 6", "Calls", "date_created", ("newest first",)),
            ("recordings", "5", "Recordings", "date_created", ()),
            ("conferences", "5", COMPLETED, "date_created", ()),
            ("usage", "5", DAILY, "start_date", ()),
            ("alerts", "5", ALERTS, "date_created", ()),
            ("Verify attempts", "5", f"{VERIFY}/Attempts", "date_created", ()),
            ("conference summaries", "5", f"{INSIGHTS}/Conferences", "create_time", ()),
        )
    ),
    *(
        ask(
            f"What becomes of a PageSize of {most + 1} ({name})?",
            *("38", lists.page_size, path),
            most=most,
            parent=parent,
        )
        for name, path, most, parent in (
            ("messages", "Messages", 1000, ""),
            ("usage", DAILY, 1000, ""),
            ("alerts", ALERTS, 1000, ""),
            ("Conversations services", SERVICES, 100, ""),
            ("Conversations users", SERVICES + "/{sid}/Users", 50, SERVICES),
            ("Verify services", f"{VERIFY}/Services", 100, ""),
            ("video recordings", f"{VIDEO}/Recordings", 100, ""),
        )
    ),
    ask(
        "Does a full page of messages hold PageSize rows?",
        "25",
        lists.full_page,
        "Messages",
        size=1000,
    ),
    ask("Does a full page of calls hold PageSize rows?", "25", lists.full_page, "Calls", size=1000),
    ask(
        "Does a link keep all parameters of its list?",
        *("11", lists.link_keeps_parameters, "Recordings"),
        query={"DateCreated>": "2008-01-01"},
        expected=("yes",),
    ),
    ask("Does a link name the host that was asked?", "27", lists.link_host, ALERTS),
    ask(
        "Do numbers for sale have a second page?",
        *("19", lists.next_link, "AvailablePhoneNumbers/US/Local"),
        expected=("no",),
    ),
    ask(
        "Do TaskRouter events have a second page?",
        *("40", lists.next_link, WORKSPACES + "/{sid}/Events"),
        since="StartDate",
        parent=WORKSPACES,
    ),
    # Usage
    ask(
        "What is a range without usage answered?",
        *("16", lists.response, DAILY),
        query={"StartDate": "2007-01-01", "EndDate": "2007-01-02"},
    ),
    ask(
        "What is a PageSize of 1000 answered (a year of usage)?",
        *("16", lists.response, DAILY),
        query={"StartDate": "-365days"},
        size=1000,
    ),
    ask(
        "Does usage include subaccounts unless asked?",
        *("16", lists.subaccounts_included, DAILY),
        account="main",
    ),
    ask(
        "Does a bound inside a month cut monthly usage?",
        "16",
        lists.cut_to_bound,
        "Usage/Records/Monthly",
    ),
    # Permissions
    ask(
        "Does a main API key open subaccounts?",
        *("26", lists.subaccount_by_key, "Calls"),
        account="active subaccount",
    ),
    ask(
        "What is the list of a suspended account answered?",
        "9",
        lists.response,
        "Calls",
        account="suspended",
    ),
    ask(
        "What is the list of a closed account answered?",
        "9",
        lists.response,
        "Calls",
        account="closed",
    ),
    ask(
        "What is the balance of a subaccount answered?",
        *("9", lists.response, "Balance"),
        account="active subaccount",
    ),
    ask(
        "Which product APIs refuse the account?",
        "34",
        lists.refused_lists,
        "",
        lists=PRODUCTS,
        account="main",
    ),
    ask(
        "Does Chat v2 still answer?",
        *("39", lists.response, "https://chat.twilio.com/v2/Services"),
        account="main",
    ),
)

QUESTIONS = (*ABOUT_FILTERS, *ABOUT_LISTS)
