"""What the filters of lists mean: the questions, as a table."""

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
    between,
    signed,
)

FAILED_CALLS = ("busy", "no-answer", "failed", "canceled")
WAITING = ("queued", "ringing")
SENT, STARTED = signed("DateSent", "date_sent"), signed("StartTime", "start_time")
CREATED = signed("DateCreated", "date_created")
GENERATED = between("StartDate", "EndDate", "date_generated")
RUNS = between("DateCreatedFrom", "DateCreatedTo", "date_created")
AFTER = between("DateCreatedAfter", "DateCreatedBefore", "date_created")
HELD = between("CreatedAfter", "CreatedBefore", "create_time")

f, m = filters, lists
ABOUT_FILTERS = (
    # Bounds of the 2010 API
    ask("Does `DateSent<=DAY` of messages show that day?", "1", f.upper_day, "Messages", **SENT),
    ask("Does `StartTime<=DAY` of calls show that day?", "1", f.upper_day, "Calls", **STARTED),
    ask(
        "Does `DateCreated<=DAY` of recordings show that day?",
        *("1", f.upper_day, "Recordings"),
        **CREATED,
    ),
    ask(
        "Does `DateUpdated<=DAY` of conferences show that day?",
        *("1, 32", f.upper_day, COMPLETED),
        **signed("DateUpdated", "date_updated"),
    ),
    ask(
        "Does `EndDate=DAY` of usage show that day?",
        *("1, 16", f.upper_day, DAILY),
        **between("StartDate", "EndDate", "start_date"),
    ),
    ask("Does the time in `DateSent>=` count?", "1", f.time_of_day, "Messages", **SENT),
    ask("Does the time in `StartTime>=` count?", "1", f.time_of_day, "Calls", **STARTED),
    ask("Does the time in `DateCreated>=` count?", "1", f.time_of_day, "Recordings", **CREATED),
    ask(
        "Does `DateSent` show messages without a date_sent?",
        *("6", f.without_date, "Messages"),
        **SENT,
        among=({},),
    ),
    ask(
        "Does `StartTime` show calls without a start_time?",
        *("6", f.without_date, "Calls"),
        **STARTED,
        among=[{"Status": status} for status in (*WAITING, *FAILED_CALLS)],
    ),
    ask(
        "When is end_time of calls null?",
        *("6", m.nulls, "Calls"),
        field="end_time",
        by="Status",
        values=("completed", *FAILED_CALLS),
    ),
    ask(
        "When is start_time of calls null?",
        *("6", m.nulls, "Calls"),
        field="start_time",
        by="Status",
        values=("completed", *FAILED_CALLS),
    ),
    # Conferences
    ask(
        "Which conferences does a list without `Status` show?",
        *("32", f.default_of, "Conferences"),
        name="Status",
        values=("init", "in-progress", "completed"),
        field="status",
        by="date_created",
    ),
    ask(
        "Which status have conferences that `Status=init` shows?",
        *("32", m.kinds, "Conferences?Status=init"),
        field="status",
    ),
    ask(
        "Does `DateUpdated` count beside `Status`?", "32", f.counts, COMPLETED, upper="DateUpdated<"
    ),
    ask(
        "Does `DateCreated` count beside `Status`?", "32", f.counts, COMPLETED, upper="DateCreated<"
    ),
    # Bounds of the product APIs
    *(
        ask(f"Does `{given[on]}` of {name} show its moment?", touches, f.edge, path, **given, on=on)
        for name, touches, path, given in (
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
            *("1, 35", f.edge, FLOWS + "/{sid}/Executions"),
            **RUNS,
            on=on,
            above=FLOWS,
        )
        for on in ("lower", "upper")
    ),
    ask(
        "Does `EndTime` of call summaries act on the start or the end of calls?",
        *("35", m.acts_on, f"{INSIGHTS}/Voice/Summaries?ProcessingState=all"),
        lower="StartTime",
        upper="EndTime",
        start="start_time",
        end="end_time",
    ),
    ask(
        "Which call summaries does a list without `ProcessingState` show?",
        *("35", f.default_of, f"{INSIGHTS}/Voice/Summaries"),
        name="ProcessingState",
        values=("all",),
        field="processing_state",
        by="start_time",
        since="StartTime",
    ),
)
