"""The ways in which Twilio may interpret date filters, all allowed by its documentation."""

from __future__ import annotations

from typing import NamedTuple


class FilterSemantics(NamedTuple):
    """How Twilio interprets date filters (BEHAVIOR 1, 6), lists conferences and services (32, 39).

    The fields are settings of the sandbox, which documents them.
    """

    upper_bound: str
    null_dates: str
    time_of_day: bool
    conferences_without_status: str
    conference_dates: str
    default_service: str


# Filters of conferences take days, and their dates are never null: `time_of_day` and `null_dates`
# do not matter to them. So their own settings vary together with these two.
# The first is the strictest, the last the laxest.
SEMANTICS = [
    FilterSemantics(upper_bound, null_dates, time_of_day, without_status, conference_dates, service)
    for upper_bound, service in (("exclusive", "unlisted"), ("inclusive", "listed"))
    for null_dates, without_status in (("hidden", "in-progress"), ("shown", "all"))
    for time_of_day, conference_dates in ((True, "combined"), (False, "ignored"))
]
