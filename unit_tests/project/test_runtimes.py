"""One connector, four runtimes: the same catalog and the same records in each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.release.manifest import self_contained
from dev.release.release import version
from sandbox import Sandbox
from sandbox.streams import STREAMS
from source_twilio import SourceTwilio
from unit_tests.support.embedded import small, use_as_twilio

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
# An import of the package fails in a process that starts with this.
WITHOUT_PACKAGE = "import sys; sys.modules['source_twilio'] = None; "
# The CDK would go on with one cursor for all accounts above so many partitions (BEHAVIOR 44).
FEW_PARTITIONS = (
    "from airbyte_cdk.sources.declarative.incremental import ConcurrentPerPartitionCursor as c; "
    "c.SWITCH_TO_GLOBAL_LIMIT = c.DEFAULT_MAX_PARTITIONS_NUMBER = 2; "
)

Catalog = dict[str, Any]
Records = dict[str, list[Any]]


def run(*command: str | Path, cwd: Path, **environment: str) -> list[dict[str, Any]]:
    """Run a command that speaks the Airbyte protocol and return its messages."""
    completed = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout[-2000:] + completed.stderr[-2000:]
    return [json.loads(line) for line in completed.stdout.split("\n") if line.startswith("{")]


def catalog_of(messages: list[dict[str, Any]]) -> Catalog:
    """Return the catalog that `discover` printed."""
    [catalog] = [message["catalog"] for message in messages if message["type"] == "CATALOG"]
    return dict(catalog)


def records_of(messages: list[dict[str, Any]]) -> Records:
    """Return the records by stream, in an order that does not depend on the workers'."""
    found: Records = {}
    for message in messages:
        if message["type"] == "RECORD":
            record = message["record"]
            # Twilio computes it anew for each request.
            record["data"].pop("as_of", None)
            found.setdefault(record["stream"], []).append(record["data"])
    return {name: sorted(rows, key=str) for name, rows in sorted(found.items())}


def global_cursors(messages: list[dict[str, Any]]) -> set[Any]:
    """Return what the states of streams with cursors say of a cursor for all accounts."""
    states = [m["state"]["stream"]["stream_state"] for m in messages if m["type"] == "STATE"]
    return {state["use_global_cursor"] for state in states if "use_global_cursor" in state}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all runtimes."""
    with small() as twilio, pytest.MonkeyPatch.context() as patch:
        yield use_as_twilio(twilio, patch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Path:
    """A working directory with the config, and a manifest that is not ours."""
    path = tmp_path_factory.mktemp("runtimes")
    (path / "config.json").write_text(json.dumps(sandbox.config))
    (path / "manifest.yaml").write_text("not ours")
    return path


def discover() -> tuple[str, ...]:
    """Return the arguments of discover."""
    return "discover", "--config", "config.json"


def read() -> tuple[str, ...]:
    """Return the arguments of read."""
    return "read", "--config", "config.json", "--catalog", "catalog.json"


@pytest.fixture(scope="module")
def expected(folder: Path) -> tuple[Catalog, Records]:
    """What the command of the development environment finds and reads, with all streams."""
    catalog = catalog_of(run(BIN / "source-twilio", *discover(), cwd=folder))
    streams = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
        for stream in catalog["streams"]
    ]
    (folder / "catalog.json").write_text(json.dumps({"streams": streams}))
    return catalog, records_of(run(BIN / "source-twilio", *read(), cwd=folder))


def test_installed(folder: Path, expected: tuple[Catalog, Records], tmp_path: Path) -> None:
    """`pip install .` installs manifest and schemas, and nothing of the sandbox."""
    checkout, target = tmp_path / "checkout", tmp_path / "target"
    checkout.mkdir()
    for name in ("setup.py", "README.md", "metadata.yaml"):
        shutil.copy(ROOT / name, checkout)
    for name in ("source_twilio", "twilio_warehouse"):
        shutil.copytree(ROOT / name, checkout / name)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    pip.append("--use-pep517")
    subprocess.run([*pip, "--target", target, checkout], check=True, capture_output=True)
    installed = sorted(path.name for path in target.iterdir())
    distribution = f"source_twilio-{version()}.dist-info"
    assert installed == ["bin", "source_twilio", distribution, "twilio_warehouse"]

    # The copy is found before the checkout, which the development environment links to.
    command = [target / "bin" / "source-twilio"]
    path = {"PYTHONPATH": str(target)}
    assert run(*command, "spec", cwd=folder, **path)[-1]["type"] == "SPEC"
    [status] = run(*command, "check", "--config", "config.json", cwd=folder, **path)[-1:]
    assert status["connectionStatus"] == {"status": "SUCCEEDED"}
    assert catalog_of(run(*command, *discover(), cwd=folder, **path)) == expected[0]
    assert records_of(run(*command, *read(), cwd=folder, **path)) == expected[1]


def test_manifest_runner(
    folder: Path, expected: tuple[Catalog, Records], built_manifest: Path
) -> None:
    """The CDK's manifest runner needs two files and not the package."""
    runner = "from airbyte_cdk.cli.source_declarative_manifest import run; run()"
    command = [sys.executable, "-c", WITHOUT_PACKAGE + FEW_PARTITIONS + runner]
    files: list[str | Path] = [
        *("--manifest-path", built_manifest / "manifest.yaml"),
        *("--components-path", built_manifest / "components.py"),
    ]
    unsafe = {"AIRBYTE_ENABLE_UNSAFE_CODE": "true"}
    assert catalog_of(run(*command, *discover(), *files, cwd=folder, **unsafe)) == expected[0]
    messages = run(*command, *read(), *files, cwd=folder, **unsafe)
    assert records_of(messages) == expected[1]
    assert global_cursors(messages) == {False}


def injected(sandbox: Sandbox, built_manifest: Path) -> dict[str, Any]:
    """Return a config as the builder makes it: manifest and components are part of it."""
    components = (built_manifest / "components.py").read_text("utf-8")
    return {
        **sandbox.config,
        "__injected_declarative_manifest": self_contained(),
        "__injected_components_py": components,
        "__injected_components_py_checksums": {"md5": hashlib.md5(components.encode()).hexdigest()},
    }


def shown(test_read: Mapping[str, Any], expected: list[Any]) -> str:
    """Say what a test read shows."""
    pages = [page["records"] for part in test_read["slices"] for page in part["pages"]]
    # The entry point drops nulls on output, the builder shows them.
    found = [{k: v for k, v in row.items() if v is not None} for page in pages for row in page]
    if not found:
        return "nothing"
    return "records of the stream" if all(row in expected for row in found) else "other records"


def test_builder(
    folder: Path, expected: tuple[Catalog, Records], sandbox: Sandbox, built_manifest: Path
) -> None:
    """The builder resolves the manifest, and shows requests, pages and records of a stream."""
    builder = "from airbyte_cdk.connector_builder.main import handle_request; import sys; "
    command = [
        *(sys.executable, "-c"),
        WITHOUT_PACKAGE + FEW_PARTITIONS + builder + "print(handle_request(sys.argv[1:]))",
    ]
    arguments = ("read", "--config", "builder.json", "--catalog", "one.json")

    def ask(**command_config: Any) -> Any:
        config = {**injected(sandbox, built_manifest), **command_config}
        (folder / "builder.json").write_text(json.dumps(config))
        unsafe = {"AIRBYTE_ENABLE_UNSAFE_CODE": "true"}
        [*_, message] = run(*command, *arguments, cwd=folder, **unsafe)
        return message["record"]["data"]

    (folder / "one.json").write_text('{"streams": []}')
    manifest = ask(__command="resolve_manifest")["manifest"]
    assert [stream["name"] for stream in manifest["streams"]] == [*expected[1]]

    streams = json.loads((folder / "catalog.json").read_text())["streams"]
    for name in ("calls", "dependent_phone_numbers"):
        one = [stream for stream in streams if stream["stream"]["name"] == name]
        (folder / "one.json").write_text(json.dumps({"streams": one}))
        limits = {"max_records": 100, "max_slices": 20, "max_pages_per_slice": 3}
        result = ask(__command="test_read", __test_read_config=limits)
        assert [log for log in result["logs"] if log["level"] in ("ERROR", "FATAL")] == []
        pages = [page for part in result["slices"] for page in part["pages"]]
        # Rows without a date may come from a page that was asked for before (BEHAVIOR 6).
        asked = [page["request"] for page in pages if page["request"]]
        hosts = {request["url"].partition("/20")[0] for request in asked}
        assert hosts == {"https://api.twilio.com"}
        assert shown(result, expected[1][name]) == "records of the stream"
        left = [one["stream"]["stream_state"] for part in result["slices"] for one in part["state"]]
        assert {state["use_global_cursor"] for state in left} == {False}


@pytest.fixture
def manifest_server(folder: Path) -> Iterator[str]:
    """The CDK's manifest-server on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "airbyte_cdk.manifest_server.app:app"]
    environment = {**os.environ, "AIRBYTE_ENABLE_UNSAFE_CODE": "true"}
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                requests.get(f"{address}/health", timeout=1, proxies={"http": ""})
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def test_manifest_server(
    manifest_server: str,
    expected: tuple[Catalog, Records],
    sandbox: Sandbox,
    built_manifest: Path,
) -> None:
    """The builder's HTTP server checks, discovers and reads."""
    config = injected(sandbox, built_manifest)
    manifest = config.pop("__injected_declarative_manifest")

    def post(path: str, **body: Any) -> Any:
        answer = requests.post(
            f"{manifest_server}/v1/manifest/{path}",
            json={"manifest": manifest, "config": config, **body},
            timeout=600,
        )
        assert answer.status_code == 200, answer.text[-2000:]
        return answer.json()

    assert post("check")["success"] is True
    names = [stream["name"] for stream in post("discover")["catalog"]["streams"]]
    assert names == [*expected[1]]
    result = post(
        "test_read",
        stream_name="calls",
        state=[],
        custom_components_code=config["__injected_components_py"],
        record_limit=100,
        page_limit=3,
        slice_limit=20,
    )
    assert shown(result, expected[1]["calls"]) == "records of the stream"


def test_pyairbyte(sandbox: Sandbox, tmp_path: Path) -> None:
    """PyAirbyte loads all streams into DuckDB; its second sync reads less of incremental ones."""
    pytest.importorskip("airbyte", reason="PyAirbyte does not install on Python 3.13 and later")
    script = (
        "import json, sys, warnings; from pathlib import Path\n"
        "warnings.filterwarnings('ignore', category=FutureWarning)\n"
        "import airbyte\n"
        "for streams in ('*', json.loads(sys.argv[3])):\n"
        "    source = airbyte.get_source('source-twilio', config=json.loads(sys.argv[1]),\n"
        "        local_executable=Path(sys.executable).with_name('source-twilio'))\n"
        "    source.select_streams(streams)\n"
        "    result = source.read(cache=airbyte.caches.DuckDBCache(db_path=Path(sys.argv[2])))\n"
        "    # It has no public place for what was read of a single stream.\n"
        "    print('ROWS', json.dumps(result._progress_tracker.stream_read_counts))\n"
    )
    incremental = sorted(name for name in STREAMS if STREAMS[name].incremental)
    arguments = [json.dumps(sandbox.config), str(tmp_path / "t.duckdb"), json.dumps(incremental)]
    completed = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "TMPDIR": str(tmp_path),
            "DO_NOT_TRACK": "1",
            "AIRBYTE_OFFLINE_MODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    first, second = (
        json.loads(line.removeprefix("ROWS"))
        for line in completed.stdout.splitlines()
        if line.startswith("ROWS")
    )
    names = [stream.name for stream in SourceTwilio(config=sandbox.config).streams(sandbox.config)]
    assert [name for name in names if not first.get(name)] == []
    fewer = {name for name in incremental if second.get(name, 0) < first[name]}
    assert fewer >= {
        *("alerts", "calls", "conferences", "incoming_phone_numbers", "message_media"),
        *("messages", "recordings", "usage_records"),
    }
