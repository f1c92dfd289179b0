"""A lower bound of the cost of reading Twilio, which `make bench` compares with connectors.

`python -m dev.bench.plain_loop config.json messages calls` follows the pages of each list of each
account one after the other, converts text values by hand, and prints Airbyte RECORD lines. It
has no windows, no state, no schema and no retries, and it checks nothing.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import requests

API = "https://api.twilio.com"
NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MONTHS = {name: f"{number:02}" for number, name in enumerate(NAMES, 1)}


class List(NamedTuple):
    """One list: its path, its field in the body, and the fields to convert."""

    path: str
    key: str
    dates: tuple[str, ...]
    integers: tuple[str, ...]
    decimals: tuple[str, ...]


CREATED = ("date_created", "date_updated")
LISTS = {
    "messages": List(
        "Messages.json?",
        "messages",
        (*CREATED, "date_sent"),
        ("num_segments", "num_media"),
        ("price",),
    ),
    "calls": List(
        "Calls.json?",
        "calls",
        (*CREATED, "start_time", "end_time"),
        ("duration", "queue_time"),
        ("price",),
    ),
    "recordings": List(
        "Recordings.json?IncludeSoftDeleted=true&",
        "recordings",
        (*CREATED, "start_time"),
        ("duration",),
        ("price",),
    ),
    "usage_records": List(
        "Usage/Records/Daily.json?IncludeSubaccounts=false&",
        "usage_records",
        (),
        (),
        ("count", "usage", "price"),
    ),
}


def main() -> None:
    """Print the records of the lists named on the command line."""
    config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    session = requests.Session()
    session.auth = (config["account_sid"], config["auth_token"])
    write = sys.stdout.buffer.write
    readable = [
        account["sid"]
        for page in pages(session, "/2010-04-01/Accounts.json?PageSize=1000")
        for account in page["accounts"]
        if account["status"] != "closed"
    ]
    for stream in sys.argv[2:]:
        for account in readable:
            copy(session, stream, account, write)
    sys.stdout.flush()


def copy(
    session: requests.Session, stream: str, account: str, write: Callable[[bytes], Any]
) -> None:
    """Print one list of one account."""
    path, key, dates, integers, decimals = LISTS[stream]
    for page in pages(session, f"/2010-04-01/Accounts/{account}/{path}PageSize=1000"):
        emitted_at = int(time.time() * 1000)
        for row in page[key]:
            for name in dates:
                text = row[name]
                if text:
                    # "Fri, 24 May 2019 17:44:46 +0000"
                    row[name] = f"{text[12:16]}-{MONTHS[text[8:11]]}-{text[5:7]}T{text[17:25]}Z"
            for name in integers:
                if row[name]:
                    row[name] = int(row[name])
            for name in decimals:
                if row[name]:
                    row[name] = float(row[name])
            record = {"stream": stream, "data": row, "emitted_at": emitted_at}
            write(orjson.dumps({"type": "RECORD", "record": record}) + b"\n")


def pages(session: requests.Session, uri: str | None) -> Iterator[dict[str, Any]]:
    """Yield the pages of a list."""
    while uri:
        response = session.get(API + uri)
        # An account without usage returns 404.
        if response.status_code == 404:
            return
        response.raise_for_status()
        page = orjson.loads(response.content)
        yield page
        uri = page.get("next_page_uri")


if __name__ == "__main__":
    main()
