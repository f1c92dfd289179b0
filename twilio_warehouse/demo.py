"""The main job, for real, without a Twilio account: sync the embedded Twilio into DuckDB, twice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

STARTED_AT = time.monotonic()
DATABASE = Path("build/demo.duckdb")
BEFORE = Path("build/demo-before.duckdb")


def main() -> int:
    """Sync, let Twilio go on for an hour, sync again, and ask the tables."""
    say("Starting an embedded Twilio and the connector ...")
    # In a new .venv modules are compiled when they are first used: dlt's here, the CDK's beside.
    beside = subprocess.Popen([sys.executable, "-c", "import source_twilio.source"])
    from twilio_warehouse.connector import Connector
    from twilio_warehouse.log import log_to
    from twilio_warehouse.target import Target

    beside.wait()
    say("dlt and DuckDB are ready; the embedded Twilio makes a year of data ...")
    from sandbox import Sandbox

    DATABASE.parent.mkdir(exist_ok=True)
    for path in (DATABASE, BEFORE):
        path.unlink(missing_ok=True)
    with Sandbox(seed=1) as twilio, TemporaryDirectory() as folder:
        os.environ.update(twilio.environment)
        config = Path(folder, "config.json")
        config.write_text(json.dumps(twilio.config))
        connector = Connector(config, twilio.config, Path(folder))
        with Target(database=DATABASE) as target:
            log_to(target.log, [twilio.config["auth_token"]])
            say("The connector checks the credentials and lists its streams ...")
            known = connector.discover()
            streams = [stream for stream in known if stream["name"] in suggested()]
            say(
                f"First sync: a year of {len(twilio.accounts)} accounts, the {len(streams)} of "
                f"{len(known)} streams that the platform suggests."
            )
            sync(connector, target, streams)
        shutil.copy(DATABASE, BEFORE)
        go_on(twilio)
        say("An hour later: messages, a call, a text delivered, a queue deleted. Second sync.")
        with Target(database=DATABASE) as target:
            sync(connector, target, streams)
    answer()
    return 0


def suggested() -> set[str]:
    """Return the streams that cost no request per row and no money."""
    metadata = yaml.safe_load(Path("metadata.yaml").read_text("utf-8"))
    return {*metadata["data"]["suggestedStreams"]["streams"]}


def sync(connector: Any, target: Any, streams: list[dict[str, Any]]) -> None:
    """Sync once, and say what was done."""
    from twilio_warehouse.progress import Progress
    from twilio_warehouse.sync import Sync

    target.open()
    progress = Progress(len(streams), every=3, screen=sys.stdout)
    run = Sync(connector, target, streams, progress)
    with progress:
        run.run()
    print("  " + "\n  ".join(progress.report()), flush=True)


def go_on(twilio: Any) -> None:
    """Let happen in Twilio what happens in an hour."""
    account = twilio.accounts[0].sid
    for number in range(3):
        twilio.add("messages", account, body=f"Message {number} since the first sync")
    twilio.add("calls", account, status="completed")
    under_way = next(row for row in twilio.rows("messages", account) if row["status"] == "queued")
    twilio.update("messages", under_way["sid"], status="delivered")
    twilio.delete("queues", twilio.rows("queues", account)[0]["sid"])


def answer() -> None:
    """Print what the second sync changed, and what the tables know."""
    from twilio_warehouse.query import opened, show
    from twilio_warehouse.questions import QUESTIONS, changes

    with opened(DATABASE) as connection:
        connection.execute(f"attach '{BEFORE}' as earlier (read_only)")
        print("\nWhat the second sync changed\n")
        show(connection, changes("messages", "calls", "recordings", "queues", "usage_records"))
        for question, query in QUESTIONS.items():
            print(f"\n{question}\n")
            show(connection, query)
    print(
        f"\nDone in {time.monotonic() - STARTED_AT:.0f} seconds. The tables are in {DATABASE}. "
        f'Ask more:\n\n    make query DATABASE={DATABASE} SQL="select * from messages limit 5"'
        "\n\nWith your own account, into twilio.duckdb:"
        "\n\n    make sync CONFIG=secrets/config.json"
    )


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
