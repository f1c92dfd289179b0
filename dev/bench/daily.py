"""The scenario of a day's first sync: the number of requests to re-read rows that may change."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import timedelta
from math import ceil
from typing import Any

import time_machine

from dev.bench.measuring import Options
from dev.bench.tables import table
from dev.bench.week import DAY, ROWS_PER_PAGE, START, stream_of, sync
from sandbox import Sandbox

# Pages have 20 rows instead of 1,000, so 40 rows a day stand for 2,000.
DAYS, PER_DAY = 60, 2 * ROWS_PER_PAGE
STREAMS = ("messages", "calls")


def daily(options: Options, stack: ExitStack) -> str:
    """The first sync of a day, of an account with 2,000 messages and 2,000 calls a day."""
    lines = []
    for scheduled in (0, 1):
        twilio = Sandbox(
            clock=START,
            counts=dict.fromkeys(STREAMS, 0),
            page_size_max=ROWS_PER_PAGE,
            account_specs=[("Day", "active", 1.0)],
        )
        with twilio:
            os.environ.update(twilio.environment)
            account = twilio.accounts[0].sid
            for number in range(DAYS * PER_DAY):
                date = START - number * DAY / PER_DAY
                twilio.add("messages", account, date_created=date, date_sent=date)
                twilio.add("calls", account, date_created=date, start_time=date)
            if scheduled:
                date = START - 20 * DAY
                open_row: dict[str, Any] = {"date_created": date, "date_sent": None}
                twilio.add("messages", account, status="scheduled", **open_row)
            config = {**twilio.config, "start_date": f"{START - DAYS * DAY:%Y-%m-%d}"}
            with time_machine.travel(START, tick=True):
                state = sync(config, [])
            twilio.requests.clear()
            twilio.clock = START + DAY + timedelta(minutes=1)
            with time_machine.travel(twilio.clock, tick=True):
                sync(config, state)
            found = [stream_of(request.path) for request in twilio.requests]
            # 14 days before the last sync, the rest of its day, and the new day so far.
            least = ceil((14 * PER_DAY + PER_DAY * 49 / 48) / ROWS_PER_PAGE)
            for stream in STREAMS:
                requests = found.count(stream)
                name = f"{stream}, one scheduled 20 days ago" * bool(scheduled) or stream
                lines.append([name, requests, least, f"{requests / least:.2f}"])
    return table(("stream", "requests", "pages that settle", "ratio"), lines)
