"""`make sync DESTINATION=postgres`, into a real server on a socket of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from sandbox import Sandbox
from unit_tests.syncing import (
    between,
    catalog,
    configured,
    go_on,
    in_load,
    kept,
    killed,
    read,
    sync,
)

SOME = ("calls", "messages", "queues", "usage_records")


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, as Debian or a PATH has it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a server that listens on a socket only; dlt wants a host, the socket wins."""
    programs = binaries()
    if not programs:
        # CI installs it, so that this test cannot be left out unseen.
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("PostgreSQL is not installed (Debian: apt install postgresql)")
    # Not pytest's: the path of a socket is short, and the server's user must reach it.
    with TemporaryDirectory(prefix="pg") as folder:
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            # It does not run as root.
            os.chmod(folder, 0o755)
            shutil.chown(folder, "nobody")
            as_user["user"] = "nobody"
        data = f"{folder}/data"
        quiet: dict[str, Any] = {"check": True, "capture_output": True, "cwd": folder, **as_user}
        initdb = ["initdb", "-D", data, "-U", "twilio", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([str(programs / initdb[0]), *initdb[1:]], **quiet)
        control = [str(programs / "pg_ctl"), "-D", data, "-w", "-l", f"{folder}/log"]
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        subprocess.run([*control, "-o", options, "start"], **quiet)
        try:
            yield f"postgresql://twilio:a-password@localhost/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


def rows_of(url: str, streams: dict[str, Any]) -> dict[str, Any]:
    """Return what the tables hold."""
    import psycopg2

    found = {}
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")
        for name, stream in streams.items():
            cursor.execute(
                "select column_name, data_type from information_schema.columns where "
                "table_schema = 'twilio' and table_name = %s order by ordinal_position",
                (name,),
            )
            columns = [row for row in cursor.fetchall() if not row[0].startswith("_dlt")]
            listed = ", ".join(f'"{column}"' for column, _ in columns)
            cursor.execute(f"select {listed} from twilio.{name}")
            found[name] = kept(cursor.fetchall(), columns, stream)
    return found


def test_postgres(postgres: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """Syncs, also after kills, leave what is read; types are those of ours."""
    configured(tmp_path, sandbox.config)
    streams = {name: stream for name, stream in catalog().items() if name in SOME}
    asked = ("--destination", "postgres", "--streams", ",".join(SOME), "--load-every", "0")
    environment = {"DESTINATION__POSTGRES__CREDENTIALS": postgres}
    status, output, errors = sync(tmp_path, *asked, **environment)
    assert (status, errors) == (0, "Reading 4 streams into postgres ...\n")
    assert rows_of(postgres, streams) == read(tmp_path, streams)
    assert output.splitlines()[-1] == (
        "The tables are in postgres; the log is build/postgres.sync/sync.log."
    )
    log = Path("build/postgres.sync/sync.log")
    for when in (in_load(1, 0.1), between(1), in_load(2, 0.2)):
        go_on(sandbox)
        assert killed(tmp_path, when, *asked, log=log, **environment)
    assert sync(tmp_path, *asked, **environment)[0] == 0
    assert rows_of(postgres, streams) == read(tmp_path, streams)
    import psycopg2

    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select data_type from information_schema.columns where table_schema = 'twilio' and "
            "table_name = 'messages' and column_name in ('date_sent', 'price', 'subresource_uris') "
            "order by column_name"
        )
        types = [row[0] for row in cursor.fetchall()]
    assert types == ["timestamp with time zone", "numeric", "jsonb"]
    assert "a-password" not in log.read_text("utf-8")
