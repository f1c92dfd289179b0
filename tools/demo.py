"""The main job, for real, without a Twilio account: sync the embedded Twilio into DuckDB, twice."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sandbox import Sandbox
from tools.sync import sync, table

DATABASE = Path("build/demo.duckdb")


def main() -> int:
    """Sync, let Twilio go on for an hour, sync again, and print what each sync fetched."""
    DATABASE.parent.mkdir(exist_ok=True)
    DATABASE.unlink(missing_ok=True)
    with Sandbox(seed=1) as twilio:
        os.environ.update(twilio.environment)
        print(f"Embedded Twilio: {len(twilio.accounts)} accounts. First sync, a year of data ...\n")
        print(table(sync(twilio.config, DATABASE)))

        main_account = twilio.accounts[0].sid
        for number in range(3):
            twilio.add("messages", main_account, body=f"Message {number} since the first sync")
        twilio.add("calls", main_account, status="completed")
        print("\nThree messages and a call later, the second sync reads the last day again ...\n")
        print(table(sync(twilio.config, DATABASE)))
    print(f"\nThe tables are in {DATABASE}. With your own account, into twilio.duckdb:\n")
    print("    make sync CONFIG=secrets/config.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
