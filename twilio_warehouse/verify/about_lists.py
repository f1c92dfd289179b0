"""What lists hold, in which pages, and who may ask: the questions, as a table."""

from __future__ import annotations

from twilio_warehouse.verify import filters, lists
from twilio_warehouse.verify.question import (
    ALERTS,
    COMPLETED,
    DAILY,
    FLOWS,
    INSIGHTS,
    VERIFY,
    VIDEO,
    ask,
)

CONVERSATIONS = "https://conversations.twilio.com/v1"
SERVICES = f"{CONVERSATIONS}/Services"
WORKSPACES = "https://taskrouter.twilio.com/v1/Workspaces"
# Of each product, a list that needs nothing above it.
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

f, m = filters, lists
ABOUT_LISTS = (
    # How far back lists go
    *(
        ask(
            f"What is a bound answered that is {days} days back ({name})?",
            *("10", m.too_old, path),
            lower=lower,
            days=days,
            upper=upper,
        )
        for name, path, lower, days, upper in (
            ("messages", "Messages", "DateSent>", 500, ""),
            # One of Twilio's texts says that some editions show 13 months.
            ("alerts", ALERTS, "StartDate", 40, "EndDate"),
            ("Verify attempts", f"{VERIFY}/Attempts", "DateCreatedAfter", 40, ""),
            ("conference summaries", f"{INSIGHTS}/Conferences", "CreatedAfter", 40, ""),
            ("audit events", "https://monitor.twilio.com/v1/Events", "StartDate", 420, ""),
        )
    ),
    ask(
        "What is the list of bulk messages answered?",
        *("54", m.answers, "https://comms.twilio.com/v1/Messages"),
    ),
    # A page token that can be made would let a first sync that is cut go on with its list (6).
    ask(
        "Does a page token made of a row's SID begin after that row?",
        *("11", m.begins_after, "Messages"),
    ),
    # What is listed
    ask(
        "Are deleted recordings listed unless asked for?",
        *("17", f.hidden, "Recordings"),
        shown_by="IncludeSoftDeleted=true",
        lower="DateCreated>",
        upper="DateCreated<",
    ),
    ask(
        "Are deleted video recordings listed unless asked for?",
        *("17", f.hidden, f"{VIDEO}/Recordings"),
        shown_by="Status=deleted",
        lower="DateCreatedAfter",
        upper="DateCreatedBefore",
    ),
    ask(
        "Which video rooms does a list without `Status` show?",
        *("43", f.default_of, f"{VIDEO}/Rooms"),
        name="Status",
        values=("in-progress", "completed", "failed"),
        field="status",
        by="date_created",
    ),
    ask(
        "What is a list of video rooms with `Status=failed` answered?",
        *("43", m.answers, f"{VIDEO}/Rooms?Status=failed"),
    ),
    ask(
        "Is date_updated of executions that ended a later one?",
        *("42", m.moved, FLOWS + "/{sid}/Executions"),
        since="DateCreatedFrom",
        above=FLOWS,
        counts_on=("yes",),
    ),
    ask(
        "Which TaskRouter tasks are listed?",
        *("15", m.kinds, WORKSPACES + "/{sid}/Tasks"),
        field="assignment_status",
        above=WORKSPACES,
    ),
    ask(
        "Is the default Conversations service listed?",
        *("39", m.default_service, SERVICES),
        configured=f"{CONVERSATIONS}/Configuration",
    ),
    ask(
        "Does a new message change the date_updated of its conversation?",
        *("36", m.touched, SERVICES + "/{sid}/Conversations"),
        below=SERVICES + "/{chat_service_sid}/Conversations/{sid}/Messages",
        above=SERVICES,
    ),
    # Pages and their order
    *(
        ask(
            f"In which order are {name} listed?",
            *(touches, m.order, path),
            field=by,
            counts_on=counted,
        )
        for name, touches, path, by, counted in (
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
            *("38", m.page_size, path),
            most=most,
            above=above,
        )
        for name, path, most, above in (
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
        "Does a full page of messages hold PageSize rows?", "25", m.full_page, "Messages", size=1000
    ),
    ask("Does a full page of calls hold PageSize rows?", "25", m.full_page, "Calls", size=1000),
    ask(
        "Does a link keep all parameters of its list?",
        *("11", m.link_keeps, "Recordings"),
        query={"DateCreated>": "2008-01-01"},
        counts_on=("yes",),
    ),
    ask("Does a link name the host that was asked?", "27", m.link_host, ALERTS),
    ask(
        "Do numbers for sale have a second page?",
        *("19", m.next_link, "AvailablePhoneNumbers/US/Local"),
        counts_on=("no",),
    ),
    ask(
        "Do TaskRouter events have a second page?",
        *("40", m.next_link, WORKSPACES + "/{sid}/Events"),
        since="StartDate",
        above=WORKSPACES,
    ),
    # Usage
    ask(
        "What is a range without usage answered?",
        *("16", m.answers, DAILY),
        query={"StartDate": "2007-01-01", "EndDate": "2007-01-02"},
    ),
    ask(
        "What is a PageSize of 1000 answered (a year of usage)?",
        *("16", m.answers, DAILY),
        query={"StartDate": "-365days"},
        size=1000,
    ),
    ask(
        "Does usage include subaccounts unless asked?",
        *("16", m.subaccounts_included, DAILY),
        who="main",
    ),
    ask(
        "Does a bound inside a month cut monthly usage?",
        "16",
        m.cut_to_bound,
        "Usage/Records/Monthly",
    ),
    # Who may ask
    ask(
        "Does a main API key open subaccounts?",
        *("26", m.subaccount_by_key, "Calls"),
        who="active subaccount",
    ),
    ask(
        "What is the list of a suspended account answered?",
        "9",
        m.answers,
        "Calls",
        who="suspended",
    ),
    ask("What is the list of a closed account answered?", "9", m.answers, "Calls", who="closed"),
    ask(
        "What is the balance of a subaccount answered?",
        *("9", m.answers, "Balance"),
        who="active subaccount",
    ),
    ask("Which product APIs refuse the account?", "34", m.many, "", lists=PRODUCTS, who="main"),
    ask(
        "Does Chat v2 still answer?",
        *("39", m.answers, "https://chat.twilio.com/v2/Services"),
        who="main",
    ),
)
