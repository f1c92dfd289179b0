"""The ways in which Twilio may read the filters of a request: its documentation allows them."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """How Twilio reads date filters (BEHAVIOR 1, 6), lists conferences and services (32, 39).

    The fields are settings of the sandbox, which explains them.
    """

    upper_bound: str
    null_dates: str
    time_of_day: bool
    conferences_without_status: str
    conference_dates: str
    default_service: str


# A filter of conferences takes days, and their dates are never null. So `time_of_day` and
# `null_dates` do not matter to conferences, and what does matter to them varies in the same step.
# The first reading is the strictest, the last the laxest.
READINGS = [
    Reading(upper_bound, null_dates, time_of_day, without_status, conference_dates, service)
    for upper_bound, service in (("exclusive", "unlisted"), ("inclusive", "listed"))
    for null_dates, without_status in (("hidden", "in-progress"), ("shown", "all"))
    for time_of_day, conference_dates in ((True, "combined"), (False, "ignored"))
]
