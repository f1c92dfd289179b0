"""No secret leaves (BEHAVIOR 2)."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest
from airbyte_cdk.models import AirbyteStream

from sandbox import Sandbox
from source_twilio import SourceTwilio
from unit_tests.contract import (
    DAY,
    ROOT,
    Make,
    _haste,
    config,
    opened,
    sids,
    twilio,
)

__all__ = ["_haste", "opened", "twilio"]
# The command, which waits for nothing.
CHILD = """
import time
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.01))
from source_twilio.run import run
run()
"""


@pytest.fixture
def connection(opened: Make, tmp_path: Path) -> tuple[Sandbox, list[str], Path]:
    """An embedded Twilio of today, the command that reads all of it, and its temporary folder."""
    twilio = opened(closed=True)
    catalog = SourceTwilio(config=twilio.config).discover(logging.getLogger(), twilio.config)
    streams = [
        {
            "stream": {"name": s.name, "json_schema": {}, "supported_sync_modes": modes(s)},
            "sync_mode": modes(s)[-1],
            "destination_sync_mode": "append",
        }
        for s in catalog.streams
    ]
    (tmp_path / "config.json").write_text(json.dumps(config(twilio, twilio.now() - 40 * DAY)))
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": streams}))
    folder = tmp_path / "tmp"
    folder.mkdir()
    files = ["--config", str(tmp_path / "config.json"), "--catalog", str(tmp_path / "catalog.json")]
    return twilio, [sys.executable, "-c", CHILD, "read", "--debug", *files], folder


def modes(stream: AirbyteStream) -> list[str]:
    """Return the modes of a stream, of which the last may be the incremental one."""
    return [mode.value for mode in stream.supported_sync_modes]


def secrets(twilio: Sandbox) -> list[bytes]:
    """Return what nobody may see: every token and secret, alone and as Basic sends it."""
    pairs = [(account.sid, account.auth_token) for account in twilio.accounts]
    pairs += [(key.sid, key.secret) for key in twilio._keys.values()]
    basics = [b64encode(f"{user}:{password}".encode()) for user, password in pairs]
    return [password.encode() for _, password in pairs] + basics


@pytest.mark.parametrize("kind", ["token", "key"])
@pytest.mark.parametrize("killed_after", [None, 40])
def test_secrets(
    killed_after: int | None,
    kind: str,
    connection: tuple[Sandbox, list[str], Path],
    tmp_path: Path,
) -> None:
    """BEHAVIOR 2, 14: no secret is printed or left on disk, with DEBUG, errors, a kill midway."""
    twilio, command, folder = connection
    if kind == "key":
        twilio.main_keys_open = "subaccounts"
        key = twilio.key(sids(twilio)[0])
        settings = json.loads((tmp_path / "config.json").read_text())
        del settings["auth_token"]
        secret = {"api_key_sid": key.sid, "api_key_secret": key.secret}
        settings["credentials"] = {"auth_type": "api_key", **secret}
        (tmp_path / "config.json").write_text(json.dumps(settings))
    _, _, failing, closed = sids(twilio)
    twilio.fail(f"{failing}/Queues", status=200, body=b"<html></html>", times=None)
    twilio.fail(f"{failing}/Keys", status=400, code=20001, times=None)
    twilio.fail("v1/Alerts", status=500, times=2)
    twilio.fail("v1/Alerts", status=400, code=20001, times=1)
    link = "https://evil.example/Applications.json"
    twilio.fail(
        rf"{failing}/Applications.json\?", 200, body={"applications": [], "next_page_uri": link}
    )
    environment = {**os.environ, "TMPDIR": str(folder)}
    twilio.latency_ms = 10 if killed_after else 0
    printed = tmp_path / "printed"
    with printed.open("wb") as file:
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
        while killed_after and len(twilio.requests) < killed_after and child.poll() is None:
            time.sleep(0.005)
        if killed_after:
            child.kill()
        child.wait(timeout=120)
    output = printed.read_bytes()
    assert child.returncode == (-signal.SIGKILL if killed_after else 1)
    left = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # The account list is kept in memory only.
    assert [name for name, content in left.items() if b"owner_account_sid" in content] == []
    assert output.count(b"owner_account_sid") != 0
    # Subaccounts' tokens were in use, if there was time.
    asked = {r.account for r in twilio.requests if r.host == "monitor.twilio.com"}
    # Unless another list has shown before that it is refused.
    assert killed_after or asked | {closed} == set(sids(twilio))
    # Which secret, and where. The CDK's copy of the config has a test of its own.
    found = [
        (number, name)
        for number, secret in enumerate(secrets(twilio))
        for name, content in {**left, "config.json": b"", "printed": output}.items()
        if secret in content
    ]
    assert found == []


def test_config_is_not_copied(twilio: Sandbox, tmp_path: Path) -> None:
    """BEHAVIOR 2: the token is not written to the folder that the CDK makes for a command."""
    SourceTwilio(config=twilio.config).configure(twilio.config, str(tmp_path))
    assert list(tmp_path.iterdir()) == []
