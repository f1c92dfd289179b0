"""`make sync` that is killed again and again, anywhere, while Twilio goes on."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from sandbox import Sandbox
from unit_tests.syncing import catalog, configured, go_on, killed, read, sync, tables

SOME = ("calls", "messages", "queues", "recordings", "usage_records")
# More of them for a longer run, say SYNC_KILLS=30.
KILLS = int(os.environ.get("SYNC_KILLS", "4"))


def test_kills_anywhere(tmp_path: Path, sandbox: Sandbox) -> None:
    """Whenever it is killed, also in a load, the next sync that ends leaves what is read."""
    configured(tmp_path, sandbox.config)
    streams = {name: stream for name, stream in catalog().items() if name in SOME}
    asked = ("--streams", ",".join(SOME), "--load-every", "0")
    began = time.monotonic()
    assert sync(tmp_path, *asked)[0] == 0
    usual = time.monotonic() - began
    dice = random.Random(1)
    kills = 0
    for _ in range(KILLS):
        sandbox.add("queues", sandbox.accounts[0].sid)
        go_on(sandbox)
        at = time.monotonic() + dice.uniform(0.3, 1) * usual
        kills += killed(tmp_path, lambda _, at=at: time.monotonic() > at, *asked)  # type: ignore[misc]
    print(kills, "of", KILLS, "were killed before their end")
    assert kills >= KILLS / 2
    assert sync(tmp_path, *asked)[0] == 0
    assert tables(tmp_path, streams) == read(tmp_path, streams)
