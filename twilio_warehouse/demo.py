"""Syncs a Twilio simulator into DuckDB, twice, and runs sample queries: `make demo`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from twilio_warehouse.query import DEMO_FILE, open_database, print_table

# Of the first sync, to show what the second has changed.
FIRST_SYNC = DEMO_FILE.with_name("demo-before.duckdb")


def run_demo() -> None:
    """Sync, let Twilio change for an hour, sync again, and query the tables."""
    started_at = time.monotonic()
    log("Starting a Twilio simulator and the connector ...")
    # In a new .venv modules are compiled on first use: dlt's here, the CDK's in parallel.
    compilation = subprocess.Popen([sys.executable, "-c", "import source_twilio.source"])
    from twilio_warehouse.connector import Connector
    from twilio_warehouse.destination import Destination
    from twilio_warehouse.log import log_to_file

    compilation.wait()
    log("dlt and DuckDB are ready; the simulator generates a year of data ...")
    from sandbox import Sandbox

    DEMO_FILE.parent.mkdir(exist_ok=True)
    for path in (DEMO_FILE, FIRST_SYNC):
        path.unlink(missing_ok=True)
    with Sandbox(seed=1) as twilio:
        os.environ.update(twilio.environment)
        connector = Connector(twilio.config)
        with connector, Destination("duckdb", DEMO_FILE) as destination:
            log_to_file(destination.log, [twilio.config["auth_token"]])
            log("The connector checks the credentials and discovers its streams ...")
            catalog = connector.discover()
            suggested = suggested_streams()
            streams = [stream for stream in catalog if stream["name"] in suggested]
            log(
                f"First sync: a year of {len(twilio.accounts)} accounts, the {len(streams)} of "
                f"{len(catalog)} streams that the platform suggests."
            )
            sync(connector, destination, streams)
        shutil.copy(DEMO_FILE, FIRST_SYNC)
        simulate_an_hour(twilio)
        log("An hour later: messages, a call, a text delivered, a queue deleted. Second sync.")
        with Destination("duckdb", DEMO_FILE) as destination:
            sync(connector, destination, streams)
    print_results()
    print(
        f"\nDone in {time.monotonic() - started_at:.0f} seconds. The tables are in {DEMO_FILE}. "
        f'Query them:\n\n    make query DATABASE={DEMO_FILE} SQL="select * from messages limit 5"'
        "\n\nWith your own account, into twilio.duckdb:"
        "\n\n    make sync CONFIG=secrets/config.json"
    )


def suggested_streams() -> Collection[str]:
    """Return the streams that cost no request per row and no money."""
    metadata = yaml.safe_load(Path("metadata.yaml").read_text("utf-8"))
    return {*metadata["data"]["suggestedStreams"]["streams"]}


def sync(connector: Any, destination: Any, streams: list[dict[str, Any]]) -> None:
    """Sync once, and print the summary."""
    from twilio_warehouse.progress import Progress
    from twilio_warehouse.sync import Sync

    destination.open()
    progress = Progress(len(streams), every=3, screen=sys.stdout)
    run = Sync(connector, destination, streams, progress)
    with progress:
        run.run()
    print("  " + "\n  ".join(progress.summary()), flush=True)


def simulate_an_hour(twilio: Any) -> None:
    """Change in the simulator what an hour changes."""
    account = twilio.accounts[0].sid
    for number in range(3):
        twilio.add("messages", account, body=f"Message {number} since the first sync")
    twilio.add("calls", account, status="completed")
    queued = next(row for row in twilio.rows("messages", account) if row["status"] == "queued")
    twilio.update("messages", queued["sid"], status="delivered")
    twilio.delete("queues", twilio.rows("queues", account)[0]["sid"])


def print_results() -> None:
    """Print what the second sync changed, and the results of the sample queries."""
    from twilio_warehouse.models import create
    from twilio_warehouse.queries import SAMPLE_QUERIES, changes

    with open_database(DEMO_FILE) as connection:
        create(connection, *SAMPLE_QUERIES.values())
        connection.execute(f"attach '{FIRST_SYNC}' as earlier (read_only)")
        print("\nWhat the second sync changed\n")
        tables = ("messages", "calls", "recordings", "queues", "usage_records")
        print_table(connection, changes(*tables))
        for title, query in SAMPLE_QUERIES.items():
            print(f"\n{title}\n")
            print_table(connection, query)


def log(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)
