"""Errors of `twilio-warehouse sync`: a line or two, what to change, and no traceback."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox import Sandbox
from sandbox.streams import STREAMS
from source_twilio.run import run
from twilio_warehouse.cli import main
from twilio_warehouse.config import VARIABLES
from twilio_warehouse.progress import Progress
from unit_tests.support.syncing import ROOT, configured, log_of, start, sync, without_progress

Prepare = Callable[[Path], object]

TOKEN = "0123456789abcdef0123456789abcdef"
CONFIG = {
    "account_sid": "AC" + "a" * 32,
    "auth_token": TOKEN,
    "start_date": "2025-01-01T00:00:00Z",
}
EXAMPLE = (
    '{"account_sid": "AC...", "auth_token": "...", "start_date": "2025-01-01T00:00:00Z"}, '
    "with your values"
)
IN_ENVIRONMENT = (
    "TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or TWILIO_API_KEY with TWILIO_API_SECRET, in the "
    "environment"
)
AN_SID = "account_sid must be AC and 32 hexadecimal digits, as the Twilio Console shows it."


def written(text: str | bytes) -> Prepare:
    """Write the config file as it is."""
    raw = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / "config.json").write_bytes(raw)


def settings(**changed: Any) -> Prepare:
    """Write a config file with changed settings; None leaves one out."""
    config = {k: v for k, v in {**CONFIG, **changed}.items() if v is not None}
    return written(json.dumps(config))


def database(content: bytes) -> Prepare:
    """Write a good config, and something else in place of the database."""

    def prepare(folder: Path) -> None:
        settings()(folder)
        (folder / "t.duckdb").write_bytes(content)

    return prepare


# Checksum of the first block, what every file of DuckDB's begins with, version 999, no more.
OF_NEWER_DUCKDB = b"".join(
    ((10190598912423651105).to_bytes(8, "little"), b"DUCK", (999).to_bytes(8, "little"))
).ljust(1 << 14, b"\0")

# What is prepared, further arguments, and what is said; {} is the folder.
OFFLINE: dict[str, tuple[Prepare, list[str], str]] = {
    "no file": (
        lambda _: None,
        [],
        f"There is no file {{}}/config.json: make one of {EXAMPLE}. Without a file, the settings "
        f"are {IN_ENVIRONMENT}.",
    ),
    "a directory": (
        lambda folder: (folder / "config.json").mkdir(),
        [],
        "{}/config.json is a directory: name the file in it, {}/config.json/...",
    ),
    "broken JSON": (
        written(f'{{"auth_token": "{TOKEN}",\n "start_date": }}'),
        [],
        "{}/config.json is not valid JSON: Expecting value at line 2, column 16.",
    ),
    "no object": (
        written("[]"),
        [],
        f"{{}}/config.json must hold one JSON object: {EXAMPLE}.",
    ),
    "no text": (
        written(b"\xff\xfe"),
        [],
        "{}/config.json is not UTF-8 text: save it as UTF-8.",
    ),
    "token left as it was": (
        settings(auth_token="..."),
        [],
        "auth_token in {}/config.json is still a placeholder: put your own value there.",
    ),
    "key left as it was": (
        settings(credentials={"auth_type": "api_key", "api_key_secret": "<your secret>"}),
        [],
        "api_key_secret in {}/config.json is still a placeholder: put your own value there.",
    ),
    "SID left as it was": (
        settings(account_sid="AC..."),
        [],
        f"{AN_SID} The file is {{}}/config.json.",
    ),
    "no SID": (settings(account_sid=None), [], f"{AN_SID} The file is {{}}/config.json."),
    "no token": (
        settings(auth_token=None),
        [],
        "Set credentials: the Auth Token of account_sid, an API key and its secret, or client_id "
        "and client_secret of an OAuth app. The file is {}/config.json.",
    ),
    "no start date": (
        settings(start_date=None),
        [],
        'start_date is missing, such as "2020-10-01T00:00:00Z". The file is {}/config.json.',
    ),
    "a wrong date": (
        settings(start_date="1 January"),
        [],
        "start_date must be a day or a moment, such as 2025-01-01 or 2025-01-01T00:00:00Z. The "
        "file is {}/config.json.",
    ),
    "an unknown region": (
        settings(region="de1"),
        [],
        "region must be one of us1, ie1, au1. The file is {}/config.json.",
    ),
    "an object for text": (
        settings(edge={}),
        [],
        "edge must be of type string. The file is {}/config.json.",
    ),
    "an option for a setting": (
        settings(streams=["messages"]),
        [],
        "streams is no setting: use the option --streams. The file is {}/config.json.",
    ),
    "nearly an option": (
        settings(excepts=["messages"]),
        [],
        "excepts is no setting: did you mean except, the option --except? The file is "
        "{}/config.json.",
    ),
    "a setting with a typo": (
        settings(lookback_windows=60),
        [],
        "lookback_windows is no setting: did you mean lookback_window? The file is {}/config.json.",
    ),
    "a setting that is like none": (
        settings(verbosity=3),
        [],
        "verbosity is no setting: docs/twilio.md lists them. The file is {}/config.json.",
    ),
    "credentials with a typo": (
        settings(credentials={"auth_type": "auth_token", "auth_token": TOKEN, "api_key_sdi": "SK"}),
        [],
        "api_key_sdi is no setting: did you mean api_key_sid? The file is {}/config.json.",
    ),
    "an unknown destination": (
        settings(),
        ["--to", "oracle8"],
        "dlt has no destination oracle8: duckdb, postgres, bigquery, snowflake, ... are listed "
        "on https://dlthub.com/docs/dlt-ecosystem/destinations\n"
        "The log is build/oracle8.sync/sync.log.",
    ),
    "a destination without settings": (
        settings(),
        ["--to", "postgres"],
        "postgres needs its settings: DESTINATION__POSTGRES__CREDENTIALS=... in the environment, "
        "or .dlt/secrets.toml; see https://dlthub.com/docs/dlt-ecosystem/destinations/postgres\n"
        "The log is build/postgres.sync/sync.log.",
    ),
    "no directory for the database": (
        settings(),
        ["--to", "duckdb:///nowhere/t.duckdb"],
        "There is no directory nowhere: make it first.",
    ),
    "no database": (
        database(b"select 1;" * 1000),
        [],
        "{}/t.duckdb is not a DuckDB file: name another with --to (make: DATABASE=...).\n"
        "The log is {}/t.duckdb.sync/sync.log.",
    ),
    "the database of a newer DuckDB": (
        database(OF_NEWER_DUCKDB),
        [],
        "{}/t.duckdb was written by another DuckDB version: name another file with --to (make: "
        "DATABASE=...).\n"
        "The log is {}/t.duckdb.sync/sync.log.",
    ),
}


@pytest.mark.parametrize("case", OFFLINE)
def test_offline(case: str, tmp_path: Path) -> None:
    """Each error that needs no network ends the sync before the first request."""
    prepare, arguments, said = OFFLINE[case]
    prepare(tmp_path)
    # Whoever asks Twilio fails with another sentence: no proxy listens there.
    status, output, errors = sync(tmp_path, *arguments, HTTPS_PROXY="http://127.0.0.1:9")
    assert (status, output, errors) == (2, "", said.replace("{}", str(tmp_path)) + "\n")
    assert TOKEN not in errors


# Imported when they are needed: dlt and the CDK take seconds.
SLOW = {"dlt", "airbyte_cdk"}


@pytest.mark.parametrize("case", [*OFFLINE][:7])
def test_at_once(case: str, tmp_path: Path) -> None:
    """What is wrong with the file itself is said before anything slow is imported."""
    prepare, arguments, _ = OFFLINE[case]
    prepare(tmp_path)
    program = (
        "import sys; from twilio_warehouse.cli import main; status = main(sys.argv[1:]); "
        "print(status, *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "sync", str(tmp_path / "config.json"), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    status, *imported = ended.stdout.split()
    assert (status, SLOW & {*imported}) == ("2", set())


def test_no_config(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file, an example is shown, and the names in the environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert main(["sync"]) == 2
    assert capsys.readouterr() == (
        "",
        "Which account? twilio-warehouse sync secrets/config.json (make sync "
        f"CONFIG=secrets/config.json), a file of {EXAMPLE}; or {IN_ENVIRONMENT}.\n",
    )


ONLINE = {
    "a wrong token": (
        {"auth_token": TOKEN},
        [],
        "Twilio refused account_sid and auth_token (HTTP 401, code 20003): take the current Auth "
        "Token of that account in region us1; the account must be active.\n",
    ),
    "an unknown stream": (
        {},
        ["--streams", "calls,mesages"],
        "There is no stream mesages: did you mean messages? docs/twilio.md lists them.\n",
    ),
    "no stream left": (
        {},
        ["--streams", "calls", "--except", "calls"],
        "--except leaves none of --streams.\n",
    ),
}


@pytest.mark.parametrize("case", ONLINE)
def test_online(case: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """Errors that only Twilio knows of."""
    changed, arguments, said = ONLINE[case]
    configured(tmp_path, {**sandbox.config, **changed})
    status, output, errors = sync(tmp_path, *arguments)
    assert (status, output, errors) == (2, "", said)


def test_settings_of_others(tmp_path: Path, sandbox: Sandbox) -> None:
    """What other connectors' configs hold is not used, with a line; comments are not named."""
    others = {"user_agent": "a", "num_worker": 3, "_comment": "of ours", "//": "", "$schema": ""}
    configured(tmp_path, {**sandbox.config, **others})
    status, output, _ = sync(tmp_path, "--streams", "queues")
    said = [line for line in output.splitlines() if "connector" in line]
    assert (status, said) == (
        0,
        ["Note: user_agent is a setting of another connector, and not used."],
    )


def test_many_left_out() -> None:
    """Where many streams are left out, the option that names the others is shown."""
    progress = Progress(5)
    progress.left_out |= dict.fromkeys("abcd", "take a key, or deselect the stream.")
    progress.left_out["e"] = "or deselect the stream."
    assert progress.summary()[1:] == [
        "Left out: a, b, c and 1 more: take a key, or name those that you want with --streams.",
        "Left out: e: or leave it out with --except e.",
    ]


def test_unreachable(tmp_path: Path, sandbox: Sandbox) -> None:
    """Where a proxy is in the way, it is named."""
    sandbox.proxy_status = 403
    configured(tmp_path, sandbox.config)
    assert sync(tmp_path) == (
        2,
        "",
        "The proxy refuses connections to api.twilio.com (HTTP 403): have *.twilio.com allowed.\n",
    )


def test_no_destination(tmp_path: Path) -> None:
    """A database that cannot be reached."""
    configured(tmp_path, CONFIG)
    url = f"postgresql://loader:a-password@localhost/postgres?host={tmp_path}"
    given = {"DESTINATION__POSTGRES__CREDENTIALS": url}
    status, output, errors = sync(tmp_path, "--to", "postgres", **given)
    assert (status, output, "a-password" in errors) == (2, "", False)
    assert errors.startswith("postgres cannot be used: ")


# Each row of the table in docs/operating.md, and the test that has its status.
STATUSES = {
    "0 All streams are loaded.": "test_sync.test_two_syncs",
    "0 All streams are loaded, except those": "test_sync.test_left_out",
    "1 A stream is incomplete": "test_sync.test_incomplete",
    "1 Twilio refuses a stream that was loaded": "test_sync.test_refused_since",
    "1 The destination failed during the sync": "test_sync_errors.test_disk_full",
    "2 A setting is wrong": "test_sync_errors.test_offline",
    "2 Twilio refuses the credentials": "test_sync_errors.test_online",
    "2 The credentials open none": "test_sync.test_nothing_to_read",
    "2 The destination cannot be reached": "test_sync_errors.test_no_destination",
    "2 The tables hold another": "test_sync.test_another_region",
    "2 Another sync": "test_sync_errors.test_two_at_once",
    "130 The sync was stopped": "test_sync_errors.test_two_at_once",
}


def test_statuses_are_those_of_the_docs() -> None:
    """Each row of the table of exit statuses has a test."""
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    [page] = re.findall(r"(?s)\n## cron\n(.*?)\n## ", text)
    rows = [f"{status} {said}" for status, said in re.findall(r"(?m)^\| (\d+) \| (.*) \|$", page)]
    assert [r for r, key in zip(rows, STATUSES, strict=True) if not r.startswith(key)] == []
    for name in STATUSES.values():
        module, _, test = name.partition(".")
        [file] = (ROOT / "unit_tests").rglob(f"{module}.py")
        assert f"def {test}(" in file.read_text("utf-8")


def test_in_use(tmp_path: Path) -> None:
    """A database that another program has open, or another sync."""
    configured(tmp_path, CONFIG)
    with duckdb.connect(str(tmp_path / "t.duckdb")):
        status, _, errors = sync(tmp_path)
    first, second = errors.splitlines()
    assert status == 2
    assert first.startswith(f"{tmp_path}/t.duckdb is in use by another program (PID ")
    assert first.endswith("): close it, or name another file with --to (make: DATABASE=...).")
    assert second == f"The log is {tmp_path}/t.duckdb.sync/sync.log."


@pytest.mark.parametrize("seconds", [0.2, 0.5])
def test_stopped_in_a_load(seconds: float, tmp_path: Path, sandbox: Sandbox) -> None:
    """Ctrl-C in a load ends the sync when the load is complete."""
    # Without the signal the sync lasts for minutes.
    sandbox.latency_ms = 3000
    configured(tmp_path, sandbox.config)
    log = log_of(tmp_path)
    with start(tmp_path, "--load-every", "0") as child:
        while child.poll() is None and not (log.exists() and "sync: Loading" in log.read_text()):
            time.sleep(0.01)
        time.sleep(seconds)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=120)
    assert (child.returncode, "Stopped. What was loaded stays" in errors) == (130, True)


# The sandbox may find a connection half made when the read is killed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_at_once(tmp_path: Path, sandbox: Sandbox) -> None:
    """The second of two syncs into one file is refused; Ctrl-C ends the first with a line."""
    # The first lasts for minutes, however long the second takes to begin.
    sandbox.latency_ms = 3000
    configured(tmp_path, sandbox.config)
    with start(tmp_path) as first:
        assert first.stderr
        line = next(line for line in first.stderr if without_progress(line))
        assert line == f"Reading {len(STREAMS)} streams into {tmp_path}/t.duckdb ...\n"
        assert sync(tmp_path) == (
            2,
            "",
            f"Another sync into {tmp_path}/t.duckdb is under way (process {first.pid}): wait for "
            f"its end, or stop it. Its log is {tmp_path}/t.duckdb.sync/sync.log.\n",
        )
        time.sleep(1)
        first.send_signal(signal.SIGINT)
        output, errors = first.communicate(timeout=600)
    errors = without_progress(errors)
    assert (first.returncode, output) == (130, "")
    assert errors == (
        f"Stopped. What was loaded stays in {tmp_path}/t.duckdb; run it again to go on from "
        "there.\n"
        f"The log is {tmp_path}/t.duckdb.sync/sync.log.\n"
    )


# The sandbox may find a connection half made when the read is killed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_disk_full(tmp_path: Path, sandbox: Sandbox) -> None:
    """A file that may not grow is a disk that is full."""
    configured(tmp_path, sandbox.config)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Children inherit it; nothing that this process writes is as large.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))
    try:
        status, output, errors = sync(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert (status, output) == (1, "")
    assert errors == (
        f"Reading {len(STREAMS)} streams into {tmp_path}/t.duckdb ...\n"
        "The disk is full: make room, and run it again. What is loaded stays.\n"
        f"The log is {tmp_path}/t.duckdb.sync/sync.log.\n"
    )


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """`source-twilio` without arguments says what there is."""
    with pytest.raises(SystemExit) as ended:
        run([])
    assert ended.value.code == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.splitlines()[0] == "usage: source-twilio spec"
    assert "Traceback" not in errors
