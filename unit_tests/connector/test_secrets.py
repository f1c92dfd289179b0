"""No secret leaves, of whatever stream (BEHAVIOR 2).

Twilio's table tells which fields hold secrets; those that the manifest's streams have are planted.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteStream

from sandbox import Sandbox
from sandbox.endpoints import ENDPOINTS, HOSTS, ROUTES
from sandbox.fields import RESOURCES
from sandbox.streams import STREAMS
from source_twilio import SourceTwilio
from unit_tests.support.contract import (
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
# What the name of a field says that holds a secret, and such fields of Twilio's lists. A new one
# must not leave the connector either.
SECRET = re.compile("token|secret|password|verification_code|passcode|private_key")
STRIPPED = {
    ("accounts", "auth_token"),
    ("channel_senders", "configuration", "verification_code"),
    ("hosted_number_orders", "verification_code"),
}


class Planted(Sandbox):
    """Answers with a secret in each object of each body, another one for each stream."""

    def __post_init__(self) -> None:
        """Make the secrets, and count the rows that are shown with one."""
        lists = [endpoint.stream for endpoint in ENDPOINTS]
        self.planted = {name: f"{n:08x}" + "5ec2e7" * 4 for n, name in enumerate(lists, 4096)}
        self.shown: Counter[str] = Counter()
        super().__post_init__()

    def answer(self, host: str, path: str, *request: Any) -> tuple[int, bytes]:
        """Return status and body."""
        status, body = super().answer(host, path, *request)
        product = HOSTS[host][0]
        lists = [e for of, where, e in ROUTES if of == product and where.fullmatch(path)]
        if not lists:
            return status, body
        page, stream = json.loads(body), lists[0].stream
        if status == 200:
            self.shown[stream] += len(page.get(lists[0].key, [page]))
        plant(page, self.planted[stream])
        return status, json.dumps(page).encode()


def plant(value: Any, secret: str) -> None:
    """Put a secret into each object that has none."""
    if isinstance(value, dict):
        plant([*value.values()], secret)
        value.setdefault("auth_token", secret)
    for part in value if isinstance(value, list) else ():
        plant(part, secret)


@pytest.fixture
def connection(opened: Make, tmp_path: Path) -> tuple[Planted, list[str], Path]:
    """An embedded Twilio of today, the command that reads all of it, and its temporary folder."""
    twilio = opened(Planted, closed=True)
    assert isinstance(twilio, Planted)
    # Rows of the lists that have none in the last days.
    main, yesterday = twilio.accounts[0].sid, twilio.now() - DAY
    twilio.add("monitor_events", main, date_created=yesterday, event_date=yesterday)
    message = twilio.add("messages", main, date_created=yesterday, num_media="1")
    twilio.add("message_media", main, message["sid"], date_created=yesterday)
    twilio.add("intelligence_v3_conversations", main)
    transcript = twilio.add(
        "intelligence_transcripts", main, date_created=yesterday, status="completed"
    )
    for below in ("intelligence_sentences", "intelligence_operator_results"):
        twilio.add(below, main, transcript["sid"])
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


def secrets(twilio: Planted) -> list[bytes]:
    """Return what nobody may see: every token and secret, alone and as Basic sends it."""
    pairs = [(account.sid, account.auth_token) for account in twilio.accounts]
    pairs += [(key.sid, key.secret) for key in twilio._keys.values()]
    basics = [b64encode(f"{user}:{password}".encode()) for user, password in pairs]
    passwords = [*(password for _, password in pairs), *twilio.planted.values()]
    return [password.encode() for password in passwords] + basics


@pytest.mark.parametrize("kind", ["token", "key"])
@pytest.mark.parametrize("killed_after", [None, 40])
def test_secrets(
    killed_after: int | None,
    kind: str,
    connection: tuple[Planted, list[str], Path],
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
        child.wait(timeout=600)
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
    # Each stream has shown rows with secrets, and passed them on without.
    lines = [
        json.loads(line) for line in output.splitlines() if line.startswith(b'{"type":"RECORD"')
    ]
    came = {line["record"]["stream"] for line in lines}
    assert killed_after or came == {*STREAMS} == {*STREAMS} & {*+twilio.shown}
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


def test_which_fields_hold_secrets() -> None:
    """BEHAVIOR 2: of the fields of all streams, those whose name says so are taken out of rows."""
    found = {
        (name, *dict.fromkeys((field, part)))
        for name in STREAMS
        for field, of in RESOURCES[name].fields.items()
        for part in (field, *of.properties)
        if SECRET.search(part)
    }
    assert found == STRIPPED
    declared = {
        (name, *dict.fromkeys((field, part)))
        for name, stream in STREAMS.items()
        for field, of in stream.schema["properties"].items()
        for part in (field, *of.get("properties", {}))
    }
    assert declared & STRIPPED == set()
