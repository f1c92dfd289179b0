"""Runs the dbt package as a project of a user's own, which has taken it with `dbt deps`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.docs.dbt_models import DBT
from unit_tests.support.syncing import ROOT, catalog

GIT = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a"}
GIT |= {"GIT_COMMITTER_EMAIL": "a@b", "GIT_CONFIG_GLOBAL": os.devnull}


def require_dbt() -> None:
    """Skip the test where dbt is not installed."""
    if not DBT.exists():
        # CI installs it, so that this test cannot be left out unseen.
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"dbt is not at {DBT} (make test installs it; DBT=/path/to/dbt names another)")


class Project:
    """A project in a folder, with the package installed from a git repository of its own."""

    def __init__(self, folder: Path) -> None:
        """Write the project, and run `dbt deps`."""
        require_dbt()
        origin = folder / "origin"
        shutil.copytree(ROOT / "dbt", origin / "dbt")
        for command in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "dbt"]):
            subprocess.run(["git", *command], cwd=origin, env={**os.environ, **GIT}, check=True)
        self.folder = folder / "project"
        self.folder.mkdir()
        page = (ROOT / "docs" / "dbt.md").read_text("utf-8")
        package = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
        assert package["packages"][0]["git"] == "https://github.com/source-twilio/source-twilio.git"
        package["packages"][0]["git"] = origin.as_uri()
        self._write("packages.yml", package)
        self._write("dbt_project.yml", {"name": "mine", "version": "1.0", "profile": "mine"})
        self._write(
            "profiles.yml", {"mine": {"outputs": {"none": {"type": "duckdb"}}, "target": "none"}}
        )
        self.run("deps")

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        (self.folder / name).write_text(yaml.safe_dump(content), "utf-8")

    def target(self, name: str, **output: Any) -> None:
        """Make the profile that of a database."""
        output = {"schema": "models", "threads": 2, **output}
        self._write("profiles.yml", {"mine": {"outputs": {name: output}, "target": name}})

    def run(self, *arguments: str, **variables: str) -> str:
        """Run dbt with values for the package's variables; return what it has printed."""
        command = [str(DBT), "--no-send-anonymous-usage-stats", *arguments]
        if variables:
            command += ["--vars", json.dumps(variables)]
        done = subprocess.run(
            command,
            cwd=self.folder,
            # Days are in UTC wherever dbt runs.
            env={**os.environ, "TZ": "America/New_York", "DBT_PROFILES_DIR": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def results(self) -> dict[str, str]:
        """Return what has come of each node of the last run."""
        found = json.loads((self.folder / "target" / "run_results.json").read_text("utf-8"))
        return {entry["unique_id"]: entry["status"] for entry in found["results"]}

    def compiled(self) -> Iterator[tuple[str, str]]:
        """Yield the names and the SQL of the models that have been compiled."""
        for path in (self.folder / "target" / "compiled" / "source_twilio").rglob("*.sql"):
            if "models" in path.parts:
                yield path.stem, path.read_text("utf-8")


def columns(stream: str, json_type: str) -> dict[str, str]:
    """Return the columns of a stream with their types, as the loaders give them."""
    types = {"integer": "bigint", "number": "decimal(38, 9)", "boolean": "boolean"}
    types |= {"object": json_type, "array": json_type}
    found = {}
    for name, schema in catalog()[stream]["json_schema"]["properties"].items():
        declared = schema.get("type", "string")
        kinds = [declared] if isinstance(declared, str) else declared
        kind = next(kind for kind in kinds if kind != "null")
        formats = {"date-time": "timestamptz", "date": "date"}
        found[name] = types.get(kind) or formats.get(schema.get("format", ""), "text")
    return found
