"""Settings from the environment, where no file is given."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox import Sandbox
from twilio_warehouse.cli import main
from twilio_warehouse.config import VARIABLES, settings_of
from twilio_warehouse.connector import Connector
from twilio_warehouse.errors import UserError
from unit_tests.support.syncing import ROOT, catalog, without_progress

SID, KEY, TOKEN, SECRET = "AC" + "a" * 32, "SK" + "b" * 32, "c" * 32, "d" * 32
OF_TOKEN = {"auth_type": "auth_token", "auth_token": TOKEN}
OF_KEY = {"auth_type": "api_key", "api_key_sid": KEY, "api_key_secret": SECRET}
BOTH_WAYS = (
    'a file of {"account_sid": "AC...", "auth_token": "...", "start_date": "2025-01-01T00:00:00Z"}'
)


def environment(*values: str) -> dict[str, str]:
    """Return an environment with these values of the variables; "" leaves one out."""
    return {name: value for name, value in zip(VARIABLES, values, strict=True) if value}


@pytest.mark.parametrize(
    ("given", "credentials", "origin"),
    [
        ((SID, TOKEN, "", ""), OF_TOKEN, "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN"),
        ((SID, "", KEY, SECRET), OF_KEY, "TWILIO_ACCOUNT_SID, TWILIO_API_KEY, TWILIO_API_SECRET"),
        # As Twilio's own command line chooses.
        (
            (SID, TOKEN, KEY, SECRET),
            OF_KEY,
            "TWILIO_ACCOUNT_SID, TWILIO_API_KEY, TWILIO_API_SECRET",
        ),
        ((SID, TOKEN, KEY, ""), OF_TOKEN, "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN"),
        ((f" {SID}\n", f"{TOKEN}\n", "", ""), OF_TOKEN, "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN"),
    ],
)
def test_settings(given: tuple[str, ...], credentials: dict[str, str], origin: str) -> None:
    """The variables become a config that reads all that Twilio shows."""
    expected = {"account_sid": SID, "credentials": credentials, "start_date": "2008-01-01"}
    assert settings_of(environment(*given), "sync") == (
        expected,
        f"The settings are those of {origin}.",
    )


def test_region() -> None:
    """The variables of Twilio's libraries for region and edge are settings too."""
    given = {**environment(SID, TOKEN, "", ""), "TWILIO_REGION": "ie1", "TWILIO_EDGE": "dublin"}
    config, origin = settings_of(given, "sync")
    assert (config["region"], config["edge"]) == ("ie1", "dublin")
    assert origin.endswith("TWILIO_AUTH_TOKEN, TWILIO_REGION, TWILIO_EDGE.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("", "", "", ""), "Which account? twilio-warehouse sync secrets/config.json (make sync "),
        ((SID, "", "", ""), "TWILIO_AUTH_TOKEN is not set: "),
        ((SID, "", KEY, ""), "TWILIO_API_SECRET is not set: "),
        ((SID, "", "", SECRET), "TWILIO_API_KEY is not set: "),
        (("", TOKEN, "", ""), "TWILIO_AUTH_TOKEN without TWILIO_ACCOUNT_SID: "),
    ],
)
def test_what_is_missing(given: tuple[str, ...], said: str) -> None:
    """What is missing is named, with both ways to give it."""
    with pytest.raises(UserError) as refused:
        settings_of(environment(*given), "sync")
    message = str(refused.value)
    assert (message.startswith(said), BOTH_WAYS in message) == (True, True)
    assert [secret for secret in (TOKEN, SECRET) if secret in message] == []


@pytest.mark.parametrize("number", range(4))
def test_placeholders(number: int) -> None:
    """A variable that nobody has filled in is named."""
    values = [SID, TOKEN, KEY, SECRET]
    values[number] = "<your value>"
    with pytest.raises(UserError, match=f"^{VARIABLES[number]} is still a placeholder: "):
        settings_of(environment(*values), "sync")


def test_a_wrong_value(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What the connector would refuse is said before any request, with the variables' names."""
    for name, value in zip(VARIABLES, ("AC" + "Z" * 32, TOKEN, "", ""), strict=True):
        monkeypatch.setenv(name, value)
    assert main(["sync"]) == 2
    assert capsys.readouterr().err.endswith(
        "account_sid must be AC and 32 hexadecimal digits, as the Twilio Console shows it. "
        "The settings are those of TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN.\n"
    )


@pytest.mark.parametrize("kind", ["token", "key"])
def test_sync(kind: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """A sync without a file, with an Auth Token and with an API key."""
    account, token = (str(sandbox.config[name]) for name in ("account_sid", "auth_token"))
    given = environment(account, token, "", "")
    if kind == "key":
        key = sandbox.key(account, "standard")
        given = environment(account, "", key.sid, key.secret)
    command = [sys.executable, "-m", "twilio_warehouse", "sync", "--streams", "messages,queues"]
    ended = subprocess.run(
        [*command, "--start-date", "2025-01-01"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **given},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (ended.returncode, without_progress(ended.stderr)) == (
        0,
        "Reading 2 streams into twilio.duckdb ...\n",
    )
    with duckdb.connect(str(tmp_path / "twilio.duckdb"), read_only=True) as connection:
        found = connection.execute("select count(*) from queues").fetchone()
    accounts = [row for row in sandbox.accounts if row.status != "closed"]
    read = accounts if kind == "token" else accounts[:1]
    assert found == (sum(len(sandbox.rows("queues", row.sid)) for row in read),)
    hidden = given.get("TWILIO_API_SECRET", token).encode()
    assert [
        path for path in tmp_path.rglob("*") if path.is_file() and hidden in path.read_bytes()
    ] == []


def test_no_copy_of_the_config(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the connector reads, no file and no command line holds a secret."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    hidden = str(sandbox.config["auth_token"]).encode()
    # More than a pipe holds.
    config: dict[str, Any] = {**sandbox.config, "comment": "x" * 200_000}
    with closing(Connector(config).read([catalog()["queues"]], {}, tmp_path)) as messages:
        assert next(messages)["type"] in ("LOG", "TRACE")
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert [path for path in files if hidden in path.read_bytes()] == []
        assert files != []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            assert hidden not in path.read_bytes()
        assert [m for m in messages if m["type"] == "RECORD"] != []
