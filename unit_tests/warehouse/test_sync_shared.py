"""Concurrent syncs, and what other users of the machine can read."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from sandbox import Sandbox
from twilio_warehouse.log import redact, register_secrets
from twilio_warehouse.progress import Progress
from twilio_warehouse.query import cell
from unit_tests.support.syncing import configured, killed, log_of, logged, start, sync

TOKEN = "0123456789abcdef0123456789abcdef"


def two_folders(folder: Path, sandbox: Sandbox) -> list[Path]:
    """Return two folders with one config."""
    folders = [folder / name for name in ("one", "two")]
    for path in folders:
        path.mkdir()
        configured(path, sandbox.config)
    return folders


def counted(url: str) -> tuple[int, int]:
    """Return the rows and keys of the messages in PostgreSQL, and drop them."""
    import psycopg2

    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*), count(distinct sid) from twilio.messages")
        found: tuple[int, int] = cursor.fetchone()
        cursor.execute("drop schema twilio cascade")
    connection.close()
    return found


# The sandbox may find a connection half made when the read is killed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_folders(postgres: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """Of two syncs into one database the second is refused, until the first has ended or died."""
    one, two = two_folders(tmp_path, sandbox)
    given = ("--to", "postgres", "--streams", "messages", "--load-every", "0")
    environment = {"DESTINATION__POSTGRES__CREDENTIALS": postgres}
    # The first waits, so that it does not end before the second begins.
    sandbox.fail("Messages.json", 429, headers={"Retry-After": "300"}, times=1)
    log = one / "build" / "postgres.sync" / "sync.log"
    refused = (
        "Another sync into postgres is under way, from another folder: wait for its end, or stop "
        "it.\n"
    )
    with start(one, *given, cwd=one, **environment) as first:
        assert first.stderr
        reading, phases = "Reading 1 streams into postgres ...\n", set()
        while (line := first.stderr.readline()) not in (reading, ""):
            phases.add(line.partition(" ")[2])
        assert line == reading
        assert phases == {
            "checking the settings\n",
            "opening postgres\n",
            "asking Twilio for the accounts\n",
        }
        while "Retrying in" not in log.read_text("utf-8") and first.poll() is None:
            time.sleep(0.05)
        status, output, errors = sync(two, *given, cwd=two, **environment)
        assert (status > 0, output, errors.partition("The log")[0]) == (True, "", refused)
        first.send_signal(signal.SIGKILL)
        first.communicate()
    assert sync(two, *given, cwd=two, **environment)[0] == 0
    number = sum(len(sandbox.rows("messages", account.sid)) for account in sandbox.accounts[:-1])
    assert counted(postgres) == (number, number)


def test_without_password(postgres: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """A URL without a password is passed on to PostgreSQL, which may ask for none."""
    configured(tmp_path, sandbox.config)
    url = postgres.replace(":a-password@", "@")
    environment = {"DESTINATION__POSTGRES__CREDENTIALS": url}
    given = ("--to", "postgres", "--streams", "messages")
    assert sync(tmp_path, *given, cwd=tmp_path, **environment)[0] == 0
    assert counted(postgres)[0] > 0


@pytest.mark.parametrize("destination", ["duckdb", "postgres"])
def test_cause(
    destination: str, request: pytest.FixtureRequest, tmp_path: Path, sandbox: Sandbox
) -> None:
    """A load that fails for any other reason says what the database says, not what dlt says."""
    import duckdb

    configured(tmp_path, sandbox.config)
    table = "create table {}messages (needed int not null)"
    environment = {}
    if destination == "duckdb":
        with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
            connection.execute(table.format(""))
    else:
        import psycopg2

        url = request.getfixturevalue("postgres")
        environment["DESTINATION__POSTGRES__CREDENTIALS"] = url
        with psycopg2.connect(url) as other, other.cursor() as cursor:
            cursor.execute("create schema twilio")
            cursor.execute(table.format("twilio."))
        other.close()
    given = ["--streams", "messages"]
    given += ["--to", "postgres"] if destination == "postgres" else []
    status, _, errors = sync(tmp_path, *given, cwd=tmp_path, **environment)
    if destination == "postgres":
        counted(url)
    said = errors.splitlines()[1]
    assert status == 1
    # DuckDB adds no column that may not be empty.
    assert ("needed" if destination == "postgres" else "Adding columns with constraints") in said
    assert [word for word in ("Pipeline", "step=", "job_id", "exception") if word in said] == []


def test_owner(tmp_path: Path, sandbox: Sandbox) -> None:
    """While a sync runs, and after it, nobody else can read rows, whatever the umask."""
    configured(tmp_path, sandbox.config)
    (tmp_path / "config.json").chmod(0o600)
    sandbox.latency_ms = 300
    before = os.umask(0)
    try:
        with start(tmp_path, "--streams", "messages,queues", "--load-every", "0") as child:
            during: set[str] = set()
            while child.poll() is None:
                during |= open_to_others(tmp_path)
                time.sleep(0.01)
            child.communicate()
    finally:
        os.umask(before)
    assert child.returncode == 0
    assert (during, open_to_others(tmp_path)) == (set(), set())


def open_to_others(folder: Path) -> set[str]:
    """Return the files and folders that others can read, through folders that they can enter."""
    found = set()
    for top, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            try:
                mode = os.stat(Path(top, name)).st_mode
            except FileNotFoundError:
                continue
            if stat.S_IMODE(mode) & 0o077:
                found.add(name)
    return found


# The sandbox may find a connection half made when the read is killed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nothing_stays(tmp_path: Path, sandbox: Sandbox) -> None:
    """After SIGKILL the read ends too, and what had arrived is removed, with no sync to do it."""
    configured(tmp_path, sandbox.config)
    sandbox.fail("Messages.json", 429, headers={"Retry-After": "300"}, times=None)
    assert killed(tmp_path, logged("Retrying in", 1), "--streams", "messages,queues")
    until = time.monotonic() + 60
    while (left := left_by(tmp_path)) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []


def left_by(folder: Path) -> list[str]:
    """Return what there is of a sync: files with rows, and programs that were given its folder."""
    files = [path.name for path in log_of(folder).parent.iterdir() if path.name.startswith("buf")]
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return files + [line for line in listed.stdout.splitlines() if str(folder) in line]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (f"token {TOKEN} refused", "token **** refused"),
        ('{"auth_token": "short"}', '{"auth_token": "****"}'),
        ("auth_token=short&x", "auth_token=****&x"),
        ("Authorization: Basic QUNhYWE6YmJiYg==", "Authorization: Basic ****"),
        ("postgresql://u:a:b@c@host/db", "postgresql://****@host/db"),
        ("AC" + TOKEN, "AC" + TOKEN),
        ("p:a@ss w/rd", "****"),
        ("p%3Aa%40ss%20w%2Frd and p%3Aa%40ss+w%2Frd", "**** and ****"),
        ('no host "ss w/rd@host"', 'no host "****host"'),
        ("a\x1b]0;title\x07b\x9b2J\u202ec\nd\te", "a]0;titleb2Jc\nd\te"),
    ],
)
def test_redact(given: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are masked however they are spelled, and terminals get no orders."""
    monkeypatch.setattr("twilio_warehouse.log.SECRETS", [])
    register_secrets(["p%3Aa%40ss%20w%2Frd"])
    assert redact(given) == expected


def test_cell() -> None:
    """Cells of a query and lines of a sync give terminals no orders, and show no token."""
    assert cell("a\x1b]52;c;eA==\x07b") == "a]52;c;eA==b"
    progress = Progress(1)
    progress.failed["a"] = f"\x1b[2J{TOKEN}"
    assert progress.summary()[1:] == ["Incomplete: a: [2J****"]


def test_trace(tmp_path: Path, sandbox: Sandbox) -> None:
    """An error that quotes a token shows and logs none of it."""
    configured(tmp_path, sandbox.config)
    secret = str(sandbox.config["auth_token"])
    body = {"code": 20001, "message": f"{TOKEN} and {secret} are wrong\x1b[2J"}
    sandbox.fail("Queues", 400, body=json.dumps(body), times=None)
    status, output, errors = sync(tmp_path, "--streams", "queues")
    log = log_of(tmp_path).read_text("utf-8")
    assert status == 1
    for text in (output, errors, log):
        assert [hidden for hidden in (TOKEN, secret, "\x1b") if hidden in text] == []
    assert "**** and **** are wrong[2J" in output
