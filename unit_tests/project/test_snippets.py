"""Every command and snippet of the pages for users does what it promises, as it stands there.

Blocks are taken from the pages. What differs from a user's machine is in `put_in_place`: the
sandbox, its credentials, a PostgreSQL of our own. A block is in one of three tables: WALKS
(run, in this order, on a fresh copy of the checkout), PARSED or NOT_RUN (with the reason).
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import duckdb
import pytest
import yaml

from sandbox import Sandbox
from unit_tests.support.handover import left
from unit_tests.support.postgres import binaries
from unit_tests.support.syncing import ROOT

FENCE = re.compile(r"(?ms)^( *)```(\w*)\n(.*?)^\1```$")
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
STAMPS = ("warehouse", "installed")


class Block(NamedTuple):
    """A block of a page, without its indentation."""

    page: str
    language: str
    text: str


class Fresh(NamedTuple):
    """A fresh copy of the checkout, and an empty home."""

    folder: Path
    home: Path
    twilio: Sandbox


# What is run, in this order: the page, how the block begins, and what the output holds.
WALKS: dict[str, list[tuple[str, str, str]]] = {
    "demo": [("README.md", "git clone", "The tables are in build/demo.duckdb. Query them:")],
    "first steps": [
        ("README.md", "pip install", "report.html"),
        ("README.md", "mkdir -p secrets", "build/report.html"),
        ("docs/twilio.md", "make manifest", '"status":"SUCCEEDED"'),
        ("docs/twilio.md", ".venv/bin/pip install", "records of https://api.twilio.com/2010"),
        ("docs/tables.md", "twilio-warehouse query twilio", "usage_records"),
        ("docs/tables.md", "import duckdb", "delivered"),
        ("docs/tables.md", 'twilio-warehouse query "copy messages', "Success"),
        ("docs/tables.md", "mkdir -p dashboard", "Count"),
        ("docs/operating.md", "export TWILIO_ACCOUNT_SID", "delivered"),
        ("docs/operating.md", "# At minute 7", ""),
        ("docs/operating.md", "twilio-warehouse sync secrets/config.json --streams u", "category"),
        ("docs/operating.md", "twilio-warehouse sync secrets/config.json --streams m", "complete."),
        ("docs/operating.md", 'twilio-warehouse query "select began_at', "complete"),
        ("docs/operating.md", "twilio-warehouse sync secrets/config.json --json", ""),
        ("docs/proof.md", "make sync CONFIG=secrets/config.json make rec", "Expected differences"),
        ("docs/proof.md", "make report", "build/report.html"),
        ("docs/proof.md", "make verify-api", ""),
        ("docs/migration.md", ".venv/bin/twilio-warehouse migrate", "calls"),
        ("docs/dbt.md", "make query SQL=", "outbound"),
        ("docs/dbt.md", ".venv/bin/python -m dev.docs.dbt_views", ""),
        ("docs/twilio.md", "AIRBYTE_ENABLE_UNSAFE_CODE=true", '"type":"RECORD"'),
        ("docs/operating.md", "openssl rand -hex 32", "messages: rows that were loaded before"),
    ],
    "PostgreSQL": [
        ("docs/twilio.md", "export DESTINATION__POSTGRES__CREDENTIALS", "are in postgres;"),
        ("docs/operating.md", "from datetime import", "are in postgres;"),
        ("docs/tables.md", 'psql "$DATABASE_URL"', "ALTER DEFAULT PRIVILEGES"),
        ("docs/proof.md", '(echo "set search_path', "| agrees"),
    ],
    "PyAirbyte": [("docs/twilio.md", "import airbyte as ab", "rows x ")],
}
# Lines of those that are not run.
LEFT_OUT = {
    "make test   # linters, type checks and the whole test suite; what CI runs": "It runs this.",
    "pip install 'source-twilio[warehouse]'": "Not published; test_release.py installs the wheel.",
    "git clone https://github.com/source-twilio/source-twilio.git && cd source-twilio": "Remote.",
    ".venv/bin/pip install 'airbyte-cdk[manifest-server]>=7.39,<7.40'": "It is installed.",
}
PARSED: dict[tuple[str, str], str] = {
    ("CONTRIBUTING.md", "sip_domains: $ref"): "a part of manifest.yaml",
    ("CONTRIBUTING.md", '{ "$schema"'): "a schema",
    ("CONTRIBUTING.md", '{ "row"'): "an example of a row",
    ("CONTRIBUTING.md", "sip_domains: product"): "a part of docs/notes.yaml",
    ("docs/dbt.md", "packages: - git:"): "test_dbt_models.py takes the package with it",
    ("docs/dbt.md", "vars: source_twilio:"): "test_dbt_models.py gives other values",
    ("docs/dbt.md", "packages: - package:"): "needs dbt and a network",
    ("docs/dbt.md", "vars: twilio_schema:"): "needs dbt and a network",
}
NOT_RUN: dict[tuple[str, str], str] = {
    ("docs/operating.md", "pip install"): "Is not published; test_release.py installs the wheel.",
    ("README.md", "17,107 records"): "What the block before it prints, of the demo's data.",
    ("docs/operating.md", "FROM python"): "Needs Docker, and is not published.",
    ("CONTRIBUTING.md", "source_twilio/ "): "The tree: test_release.py compares it with git.",
    ("docs/dbt.md", "dbt deps"): "Needs dbt; test_dbt_models.py runs it.",
    (
        "docs/operating.md",
        "resource",
    ): "Needs Terraform; test_docs_for_users.py reads its settings.",
    ("docs/performance.md", "make bench"): "Takes an hour, and a network; test_bench.py runs it.",
    ("docs/twilio.md", "make image"): "Needs Docker; test_platform.py reads the Dockerfile.",
    ("docs/twilio.md", "docker run"): "Needs Docker.",
}


def one_line(text: str) -> str:
    """Return a text with single spaces."""
    return " ".join(text.split())


def blocks() -> Iterator[Block]:
    """Yield the blocks of the pages, but for diagrams (test_docs.py)."""
    for page in PAGES:
        for found in FENCE.finditer((ROOT / page).read_text("utf-8")):
            if found[2] != "mermaid":
                lines = found[3].splitlines(keepends=True)
                yield Block(page, found[2], "".join(ln.removeprefix(found[1]) for ln in lines))


def block(page: str, beginning: str) -> Block:
    """Return the one block of a page that begins so."""
    [found] = [b for b in blocks() if b.page == page and one_line(b.text).startswith(beginning)]
    return found


def test_every_block_is_in_one_table() -> None:
    """A new block is run, or parsed, or named with the reason why not."""
    listed = [(page, beginning) for walk in WALKS.values() for page, beginning, _ in walk]
    listed += [*PARSED, *NOT_RUN]
    assert sorted(block(*entry) for entry in listed) == sorted(blocks())


@pytest.mark.parametrize("entry", PARSED, ids=" ".join)
def test_parsed(entry: tuple[str, str]) -> None:
    """What cannot be run has no mistake of syntax."""
    found = block(*entry)
    readers: dict[str, Callable[[str], Any]] = {"json": json.loads, "yaml": yaml.safe_load}
    assert readers[found.language](found.text)


@pytest.fixture
def fresh(tmp_path: Path, sandbox: Sandbox) -> Fresh:
    """A copy of what git holds, whose `.venv` is this one and up to date."""
    folder, home = tmp_path / "source-twilio", tmp_path / "home"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).splitlines():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    home.mkdir()
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name not in STAMPS:
            (folder / ".venv" / part.name).symlink_to(part)
    # make installs nothing: these are newer than setup.py.
    for stamp in STAMPS:
        (folder / ".venv" / stamp).touch()
    return Fresh(folder, home, sandbox)


def put_in_place(text: str, here: Fresh, database_url: str = "") -> str:
    """Return a block with this machine's values in place of the placeholders."""
    for line in LEFT_OUT:
        text = text.replace(line, "")
    for old, new in {
        '"account_sid": "AC..."': f'"account_sid": "{here.twilio.config["account_sid"]}"',
        '"auth_token": "..."': f'"auth_token": "{here.twilio.config["auth_token"]}"',
        "TWILIO_ACCOUNT_SID=AC...": f"TWILIO_ACCOUNT_SID={here.twilio.config['account_sid']}",
        "TWILIO_AUTH_TOKEN=...": f"TWILIO_AUTH_TOKEN={here.twilio.config['auth_token']}",
        "/srv/source-twilio": str(here.folder),
        "/srv/data": str(here.home),
        "postgresql://loader:password@db.example.com:5432/analytics": f"'{database_url}'",
    }.items():
        text = text.replace(old, new)
    return text


def commands(found: Block) -> str:
    """Return a block as a script of bash: of a line of cron the command."""
    if found.language == "python" and "airflow" in found.text:
        return of_airflow(found.text)
    if found.language == "python":
        return f"cat > example.py <<'END'\n{found.text}END\npython example.py"
    return re.sub(r"(?m)^\d+ \* \* \* \*  ", "", found.text)


def of_airflow(text: str) -> str:
    """Return the command that an example of Airflow runs, which a stand-in for Airflow takes."""
    tasks: list[dict[str, Any]] = []

    class DAG:
        def __init__(self, name: str, **settings: object) -> None:
            self.given = name, settings

        def __enter__(self) -> None:
            """Begin."""

        def __exit__(self, *_: object) -> None:
            """End."""

    modules: dict[str, dict[str, Any]] = {
        "airflow": {},
        "airflow.sdk": {"DAG": DAG},
        "airflow.providers": {},
        "airflow.providers.standard": {},
        "airflow.providers.standard.operators": {},
        "airflow.providers.standard.operators.bash": {
            "BashOperator": lambda **given: tasks.append(given)
        },
    }
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        sys.modules[name] = module
    try:
        exec(compile(ast.parse(text), "airflow", "exec"), {})
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "airflow"]:
            del sys.modules[name]
    [task] = tasks
    assert task["append_env"] is True
    assert task["env"] == {"DESTINATION__POSTGRES__CREDENTIALS": "{{ conn.warehouse.get_uri() }}"}
    return str(task["bash_command"])


def run(script: str, here: Fresh, **environment: str) -> str:
    """Run a script in the copy, with an empty home; return what it printed."""
    # What make says to the makes below it is not for those of a user.
    kept = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=here.folder,
        env={**kept, "HOME": str(here.home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{script}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
    return ended.stdout


def walk(name: str, here: Fresh, database_url: str = "", **environment: str) -> dict[str, str]:
    """Run the blocks of a walk; return what each printed, by its beginning."""
    printed = {}
    for page, beginning, said in WALKS[name]:
        script = put_in_place(commands(block(page, beginning)), here, database_url)
        printed[beginning] = run(script, here, **environment)
        assert said in printed[beginning]
    return printed


def test_demo(fresh: Fresh) -> None:
    """`make demo`; then nobody takes its tables for one's own."""
    walk("demo", fresh)
    asked = subprocess.run(["make", "query"], cwd=fresh.folder, capture_output=True, text=True)
    assert asked.stderr.splitlines()[0] == (
        "There is no twilio.duckdb: sync writes it. The demo's is --from build/demo.duckdb (make: "
        "DATABASE=build/demo.duckdb)."
    )
    assert "messages" in run("make query DATABASE=build/demo.duckdb", fresh)


def test_first_steps(fresh: Fresh) -> None:
    """From the clone to the page, with the commands as they stand in the pages."""
    (fresh.folder / "old.json").write_text(json.dumps(left()["state"]))
    streams = [{"name": "queues", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}]
    catalog = [
        {"stream": s, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
        for s in streams
    ]
    (fresh.folder / "catalog.json").write_text(json.dumps({"streams": catalog}))
    path = f"{fresh.folder}/.venv/bin:{os.environ['PATH']}"
    printed = walk("first steps", fresh, PATH=path)
    with duckdb.connect(str(fresh.folder / "twilio.duckdb"), read_only=True) as connection:
        counted = connection.execute("select status, count(*) from messages group by 1").fetchall()
    for status, count in counted:
        assert re.search(rf"(?m)^  {status} +{count:,}$", printed["pip install"])
    assert f"The tables are in {fresh.home}/twilio.duckdb;" in (fresh.home / "last.out").read_text(
        "utf-8"
    )
    for name in ("summary", "rows", "days", "answers"):
        assert json.loads((fresh.folder / f"{name}.json").read_text("utf-8"))
    assert "requests, with an Auth Token, in us1." in (fresh.folder / "verify-api.md").read_text(
        "utf-8"
    )
    assert "create view" in (fresh.folder / "views.sql").read_text("utf-8").replace(
        "or replace ", ""
    )


def test_postgres(fresh: Fresh, postgres: str) -> None:
    """The commands for PostgreSQL, and those of Airflow."""
    secrets = fresh.folder / "secrets"
    secrets.mkdir()
    (secrets / "config.json").write_text(json.dumps(fresh.twilio.config))
    path = f"{binaries()}:{os.environ['PATH']}"
    given = {"DATABASE_URL": postgres, "DESTINATION__POSTGRES__CREDENTIALS": postgres}
    walk("PostgreSQL", fresh, postgres, PATH=path, **given)
    for target in ("query", "report", "reconcile"):
        asked = subprocess.run(
            ["make", target, "DESTINATION=postgres"],
            cwd=fresh.folder,
            capture_output=True,
            text=True,
        )
        assert (asked.returncode, asked.stderr.splitlines()[0]) == (
            2,
            "Only DuckDB files are read here. Query postgres with its own client: the tables are "
            "in its schema twilio. docs/proof.md has the comparison in plain SQL.",
        )


def test_pyairbyte(fresh: Fresh) -> None:
    """The example of PyAirbyte."""
    pytest.importorskip("airbyte", reason="PyAirbyte does not install on Python 3.13 and later")
    walk(
        "PyAirbyte",
        fresh,
        PATH=f"{fresh.folder}/.venv/bin:{os.environ['PATH']}",
        TWILIO_ACCOUNT_SID=fresh.twilio.config["account_sid"],
        TWILIO_AUTH_TOKEN=fresh.twilio.config["auth_token"],
        DO_NOT_TRACK="1",
        AIRBYTE_OFFLINE_MODE="1",
    )
