"""Settings: the data set, and Twilio's behavior where sources disagree or it varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sandbox.data import ACCOUNTS, AccountSpec


@dataclass(kw_only=True, eq=False, repr=False)
class Settings:
    """The settings. Each can be changed at any time, except those marked *.

    Attributes:
        seed: * seed of the data set.
        scale: * factor of the length of the long lists.
        counts: * rows of the main account by stream, in place of the scaled number.
        account_specs: * the accounts, the main one first: name, status, share or rows by stream.
        clock: * the time at the start, which then stands still; None is real time.
        upper_bound: whether an upper date bound includes its own day (or second).
        time_of_day: whether the 2010 API honours the time in a date filter or cuts it to its day.
        null_dates: whether a date filter drops rows without that date or judges by date_created.
        conferences_without_status: which conferences a request without Status lists: those in
            progress, as since 2026-09-30, or all, as before. Those in status init are listed on
            request only, because Twilio does not document them.
        conference_dates: whether the date filters of conferences combine with Status or are
            ignored with it, which is not documented.
        default_service: whether the list of Conversations services has the default one, which is
            not documented.
        message_retention_days: how far back the messages list goes.
        message_retention_overrides: the same for single accounts, by SID.
        alerts_cap: the number of alerts that one query can page through.
        empty_usage: the response to a query of usage without rows.
        usage_page_limit: the page size above which usage returns 500.
        page_size_max: the largest page of every list.
        region: the region that holds the data, the only one that accepts the Auth Tokens.
        main_keys_open: whether the main account's main keys can access its subaccounts too.
        not_permitted: status and code of a list that a restricted key cannot access.
        links_host: the host of links of a product API, such as monitor.twilio.com, whatever the
            product; None is that of the request.
    """

    seed: int = 1
    scale: float = 1.0
    counts: Mapping[str, int] = field(default_factory=dict)
    account_specs: Sequence[AccountSpec] = ACCOUNTS
    clock: datetime | None = None
    upper_bound: Literal["exclusive", "inclusive"] = "exclusive"
    time_of_day: bool = True
    null_dates: Literal["hidden", "shown"] = "hidden"
    conferences_without_status: Literal["in-progress", "all"] = "in-progress"
    conference_dates: Literal["combined", "ignored"] = "combined"
    default_service: Literal["listed", "unlisted"] = "unlisted"
    message_retention_days: int = 400
    message_retention_overrides: dict[str, int] = field(default_factory=dict)
    alerts_cap: int = 10_000
    empty_usage: Literal["404", "empty"] = "404"
    usage_page_limit: int | None = None
    page_size_max: int = 1000
    region: str = "us1"
    main_keys_open: Literal["account", "subaccounts"] = "account"
    not_permitted: tuple[int, int] = (401, 70051)
    links_host: str | None = None
