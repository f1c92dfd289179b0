"""Syncs that are killed repeatedly, at any point, while Twilio changes."""

from __future__ import annotations

import os
import random
from pathlib import Path

from sandbox import Sandbox
from unit_tests.support.syncing import (
    catalog,
    configured,
    go_on,
    killed,
    log_of,
    logged,
    read,
    sync,
    tables,
)

SOME = ("calls", "messages", "queues", "recordings", "usage_records")
# More of them for a longer run, say SYNC_KILLS=30.
KILLS = int(os.environ.get("SYNC_KILLS", "4"))


def test_kills_anywhere(tmp_path: Path, sandbox: Sandbox) -> None:
    """Whenever it is killed, also in a load, the next sync that ends leaves what is read."""
    configured(tmp_path, sandbox.config)
    streams = {name: stream for name, stream in catalog().items() if name in SOME}
    asked = ("--streams", ",".join(SOME), "--load-every", "0")
    assert sync(tmp_path, *asked)[0] == 0
    log_of(tmp_path).unlink()
    # How long a sync takes varies with the machine; how much it logs does not.
    assert sync(tmp_path, *asked)[0] == 0
    usual = log_of(tmp_path).read_text("utf-8").count("\n")
    dice = random.Random(1)
    kills = 0
    for _ in range(KILLS):
        sandbox.add("queues", sandbox.accounts[0].sid)
        go_on(sandbox)
        kills += killed(
            tmp_path, logged("\n", int(dice.random() * usual), dice.random() / 5), *asked
        )
    print(kills, "of", KILLS, "were killed before their end")
    assert kills >= KILLS / 2
    assert sync(tmp_path, *asked)[0] == 0
    assert tables(tmp_path, streams) == read(tmp_path, streams)
