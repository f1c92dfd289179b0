"""A PostgreSQL of its own, on a socket."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, as Debian or a PATH has it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def server() -> Iterator[str]:
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
