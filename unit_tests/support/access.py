"""What the tests of credentials, settings and accounts share."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.api import Key
from source_twilio import SourceTwilio
from unit_tests.support.contract import Row, config

ALL = [stream.name for stream in SourceTwilio(config={"start_date": ""}).streams({})]
SECRET = "5ec2e7" * 5 + "00"
SK, AC = "SK" + "1" * 32, "AC" + "1" * 32


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let nothing wait long; the list is of the seconds that it would have."""
    sleep, seconds = time.sleep, list[float]()

    def nap(wanted: float) -> None:
        seconds.append(wanted)
        sleep(min(wanted, 0.005))

    monkeypatch.setattr(time, "sleep", nap)
    return seconds


def waited(slept: list[float]) -> float:
    """Return the seconds that requests would have waited in all, however fast the machine is."""
    # The CDK's own threads poll; they sleep a tenth of a second.
    return sum(nap for nap in slept if nap >= 1)


def keyed(key: Key) -> Row:
    """Return the credentials of an API key, or of an OAuth app."""
    if key.kind == "oauth":
        secret = {"client_id": key.sid, "client_secret": key.secret}
        return {"credentials": {"auth_type": "oauth", **secret}}
    return {
        "credentials": {
            "auth_type": "api_key",
            "api_key_sid": key.sid,
            "api_key_secret": key.secret,
        }
    }


def with_key(twilio: Sandbox, key: Key, **more: Any) -> Row:
    """Return a configuration of the main account with a key instead of the token."""
    found = {**config(twilio), **keyed(key), **more}
    del found["auth_token"]
    return found
