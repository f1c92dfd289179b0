"""The scenario of a week: the number of requests to read rows until they are final."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import Any

import time_machine
from airbyte_cdk.models import AirbyteStateMessage, SyncMode, Type
from airbyte_cdk.test.catalog_builder import CatalogBuilder

from dev.bench.measuring import Options
from dev.bench.tables import table
from sandbox import Sandbox
from source_twilio.source import SourceTwilio

States = list[AirbyteStateMessage]
STREAMS = ("messages", "calls", "recordings", "usage_records")
START = datetime(2026, 3, 2, 0, 30, tzinfo=timezone.utc)
DAY = timedelta(days=1)
# To be fast, pages have 20 rows instead of 1,000, and a day has 42 messages instead of 2,100.
COUNTS = {"messages": 15_000, "calls": 15_000, "recordings": 7_500, "usage_records": 2_150}
ROWS_PER_PAGE = 20
POLICIES: dict[str, dict[str, int]] = {
    "lookback of 1 day": {"lookback_window": 1440, "settling_days": 0},
    "lookback of 14 days": {"lookback_window": 14 * 1440, "settling_days": 0},
    "1 day, and 14 once a day": {"lookback_window": 1440, "settling_days": 14},
}


def count_requests(every: timedelta) -> dict[str, Counter[str]]:
    """Return the requests of a week of syncs by policy and stream; the first sync is left out."""
    found: dict[str, Counter[str]] = {}
    for policy, settings in POLICIES.items():
        twilio = Sandbox(
            clock=START,
            counts=COUNTS,
            page_size_max=ROWS_PER_PAGE,
            account_specs=[("Week", "active", 1.0)],
        )
        with twilio:
            os.environ.update(twilio.environment)
            config = {**twilio.config, "start_date": "2026-01-01T00:00:00Z", **settings}
            state: States = []
            for number in range(1 + round(7 * DAY / every)):
                twilio.clock = START + number * every
                with time_machine.travel(twilio.clock, tick=True):
                    state = sync(config, state)
                if number == 0:
                    twilio.requests.clear()
            found[policy] = Counter(stream_of(request.path) for request in twilio.requests)
    return found


def sync(config: Mapping[str, Any], state: list[AirbyteStateMessage]) -> list[AirbyteStateMessage]:
    """Read the streams; return the state for the next sync."""
    builder = CatalogBuilder()
    for name in STREAMS:
        builder.with_stream(name, SyncMode.incremental)
    catalog = builder.build()
    # Stdout is for the tables.
    logging.getLogger("airbyte").setLevel(logging.ERROR)
    source = SourceTwilio(catalog, config, state)
    last = {
        message.state.stream.stream_descriptor.name: message.state
        for message in source.read(logging.getLogger("airbyte"), config, catalog, state)
        if message.type == Type.STATE and message.state and message.state.stream
    }
    return [*last.values()]


def stream_of(path: str) -> str:
    """Return the stream that a path belongs to."""
    names = {"Messages": "messages", "Calls": "calls", "Recordings": "recordings"}
    last = path.partition("?")[0].removesuffix(".json").rpartition("/")[2]
    return names.get(last, "usage_records" if "/Usage/" in path else "accounts")


def week(options: Options, stack: ExitStack) -> str:
    """A week of syncs, hourly and daily, of an account with 2,100 messages and calls a day."""
    return table(HEADS, [*lines()])


def lines() -> Iterator[tuple[str, ...]]:
    """Yield a line for each frequency and policy: requests by stream, and in total."""
    for name, every in (("hourly", DAY / 24), ("daily", DAY)):
        for policy, requests in count_requests(every).items():
            cells = [f"{requests[stream]:,}" for stream in ("accounts", *STREAMS)]
            yield name, policy, *cells, f"{requests.total():,}"


HEADS = ("syncs", "policy", "accounts", *STREAMS, "total")
