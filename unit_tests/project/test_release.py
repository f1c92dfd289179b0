"""What is released: one version, the same bytes twice, dependencies from a lock file."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from dev.release import release
from dev.release.audit import pip_commands
from sandbox import Sandbox
from twilio_warehouse.cli import main
from unit_tests.project.test_platform import setup_argument

ROOT = Path(__file__).parents[2]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What `make build` writes, all of a known moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        return release.build(tmp_path_factory.mktemp("first"))


def test_a_build_gives_the_same_bytes_twice(
    built: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two builds of one commit differ in nothing, although the clock has moved on."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    again = release.build(tmp_path)
    assert {file.name: file.read_bytes() for file in again} == {
        file.name: file.read_bytes() for file in built
    }
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000002")
    later = release.build(tmp_path)
    assert [a.name for a, b in zip(later, built, strict=True) if a.read_bytes() != b.read_bytes()][
        :2
    ] == [built[0].name, built[1].name]


def test_the_checksums_are_of_all_files(built: list[Path]) -> None:
    """SHA256SUMS, in the form of sha256sum, names each of the other files."""
    *files, sums = built
    assert sums.name == "SHA256SUMS"
    assert sums.read_text().splitlines() == [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files
    ]


def test_wheel_and_sdist_bear_the_one_version(built: list[Path]) -> None:
    """The version of metadata.yaml is that of wheel and sdist, in names and contents."""
    version, (wheel, sdist) = release.version(), built[:2]
    assert wheel.name == f"source_twilio-{version}-py3-none-any.whl"
    assert sdist.name == f"source_twilio-{version}.tar.gz"
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        assert message_from_bytes(archive.read(name))["Version"] == version
        tops = {name.split("/")[0] for name in archive.namelist()}
        assert tops == {"source_twilio", "twilio_warehouse", f"source_twilio-{version}.dist-info"}
    with tarfile.open(sdist) as archive:
        file = archive.extractfile(f"source_twilio-{version}/PKG-INFO")
        assert file
        assert message_from_bytes(file.read())["Version"] == version


@pytest.fixture
def command(built: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """`twilio-warehouse` of the wheel, outside any checkout."""
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(built[0])], check=True)
    # It is found before the checkout, which the development environment links to.
    monkeypatch.setenv("PYTHONPATH", str(target))
    monkeypatch.chdir(tmp_path)
    return str(target / "bin" / "twilio-warehouse")


def run(*command: str) -> tuple[int, str, str]:
    """Run a command; return its exit status and what it wrote."""
    ended = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def test_the_installed_command(command: str, sandbox: Sandbox) -> None:
    """The wheel alone syncs, queries, reports, reconciles, and migrates."""
    where = [sys.executable, "-c", "import twilio_warehouse; print(twilio_warehouse.__file__)"]
    assert run(*where)[1].startswith(f"{Path(command).parents[1]}/")
    Path("config.json").write_text(json.dumps(sandbox.config))
    streams = "accounts,calls,messages,recordings,usage_records"
    status, output, _ = run(command, "sync", "config.json", "--streams", streams)
    assert (status, output.splitlines()[-1]) == (
        0,
        "The tables are in twilio.duckdb; the log is twilio.duckdb.sync/sync.log.",
    )
    counted = run(command, "query", "select count(*) from accounts")
    assert (counted[0], counted[1].split()[-1]) == (0, str(len(sandbox.accounts)))
    assert run(command, "report")[0] == 0
    assert "<svg" in Path("report.html").read_text("utf-8")
    assert run(command, "reconcile")[0] in (0, 1)
    assert run(command, "verify-api")[0] == 2
    Path("old.json").write_text(json.dumps({"calls": {"end_time": "2026-01-01T00:00:00Z"}}))
    migration = run(command, "migrate", "--state", "old.json", "--config", "config.json")
    assert (migration[0], "calls" in migration[1]) == (0, True)
    assert run(command, "demo") == (
        2,
        "",
        "The demo needs a checkout of the repository: there, make demo runs it in an environment "
        "of its own.\n",
    )


COMMANDS = ("sync", "query", "report", "reconcile", "verify-api", "migrate", "demo")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_commands(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each help has an example, and the exit statuses where a program would read them."""
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    text = capsys.readouterr().out
    assert (ended.value.code, f"\n  twilio-warehouse {name}" in text) == (0, True)
    assert ("exit status:" in text) == (name != "demo")


def test_help_is_fast() -> None:
    """Nothing slow is imported for the help, which names all commands."""
    program = (
        "import sys; from twilio_warehouse.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    status, output, _ = run(sys.executable, "-c", program)
    *text, imported = output.splitlines()
    slow = {"dlt", "airbyte_cdk", "duckdb", "matplotlib", "source_twilio", "sandbox"}
    assert (status, slow & {*imported.split()}) == (0, set())
    assert [name for name in COMMANDS if not re.search(rf"(?m)^ +{name}\b", "\n".join(text))] == []


def test_no_other_file_states_the_version() -> None:
    """The version stands in metadata.yaml, and as the newest title of the changelog."""
    version, stated = release.version(), ["CHANGELOG.md", "metadata.yaml"]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    word = re.compile(
        rf"(source[-_]twilio\S*|version *=\W*|image ?tag\W*){re.escape(version)}\b", re.I
    )
    names = [name for name in listed.stdout.split("\n") if name and (ROOT / name).is_file()]
    found = [name for name in names if word.search((ROOT / name).read_text("utf-8", "replace"))]
    assert [name for name in found if name not in stated] == []
    assert re.fullmatch(
        rf"\[{re.escape(version)}\] - (Unreleased|\d{{4}}-\d\d-\d\d)", release.titles()[0]
    )


def test_a_tag_agrees_with_version_and_changelog(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag is refused for another version, and for a changelog without the day of the release."""
    version = release.version()
    monkeypatch.setattr(release, "titles", lambda: [f"[{version}] - 2026-12-01"])
    assert release.main(["tag", f"v{version}"]) == ""
    assert release.main(["tag", "v0.0.1"]) == (
        f"The tag is v0.0.1, and metadata.yaml says {version}."
    )
    monkeypatch.setattr(release, "titles", lambda: [f"[{version}] - Unreleased"])
    assert release.main(["tag", f"v{version}"]) == (
        f"CHANGELOG.md begins with '[{version}] - Unreleased': write '[{version}] - ' and the day."
    )


def test_tags_of_this_commit_are_fit() -> None:
    """No tag of this commit names another version or an unreleased one."""
    command = ["git", "tag", "--points-at", "HEAD", "--list", "v*"]
    tags = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert {tag: release.unfit(tag) for tag in tags.split()} == dict.fromkeys(tags.split(), "")


def locked() -> dict[str, list[str]]:
    """Return the versions that requirements.lock names, by package."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for entry in re.findall(r"(?m)^(\S.*(?:\n    --hash=sha256:.*)*)$", text):
        if entry.startswith("#"):
            continue
        pin, *hashes = entry.split("\n")
        assert hashes, f"{pin} has no hash"
        requirement = Requirement(pin.removesuffix(" \\"))
        found.setdefault(requirement.name, []).append(str(requirement.specifier)[2:])
    return found


def test_the_lock_file_satisfies_setup() -> None:
    """Every dependency of the package is locked, with hashes, within the range of setup.py."""
    for text in setup_argument("install_requires"):
        requirement = Requirement(text)
        versions = locked()[requirement.name]
        assert [version for version in versions if version not in requirement.specifier] == []


def test_the_image_installs_from_the_lock_file_and_the_wheel() -> None:
    """Pip checks the hashes of all it downloads, runs no setup.py, and asks for nothing else."""
    dependencies, package = pip_commands()
    assert dependencies[-2:] == ["-r", "requirements.lock"]
    assert {"--require-hashes", "--only-binary"} <= set(dependencies)
    assert package[-1] == f"source_twilio-{release.version()}-py3-none-any.whl"
    assert {"--no-deps", "--no-index"} <= set(package)


def test_the_pythons_are_the_same_everywhere() -> None:
    """CI runs the suite on exactly the Pythons that setup.py, README and Makefile allow."""
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    assert ci["jobs"]["test"]["strategy"]["matrix"]["python"] == PYTHONS
    assert [step["run"] for step in ci["jobs"]["test"]["steps"] if "run" in step] == [
        "make test PYTHON=python"
    ]
    allowed = SpecifierSet(setup_argument("python_requires"))
    assert [f"3.{minor}" for minor in range(20) if Version(f"3.{minor}") in allowed] == PYTHONS
    assert f"Python {PYTHONS[0]} to {PYTHONS[-1]}" in (ROOT / "SECURITY.md").read_text("utf-8")


def test_help_lists_every_target() -> None:
    """Make prints a line for each target that it knows, without anything being installed."""
    text = (ROOT / "Makefile").read_text("utf-8")
    named = {name for line in re.findall(r"(?m)^\.PHONY: (.*)$", text) for name in line.split()}
    targets = set(re.findall(r"(?m)^([a-z-]+):", text))
    assert targets == named
    # Below another make, as in `make test`, it would name the directory that it enters.
    make = ["make", "--no-print-directory"]
    for command in (make, [*make, "help"]):
        printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        lines = [re.match(r"make ([\w-]+) +\S", line) for line in printed.stdout.splitlines()]
        assert {line[1] for line in lines if line} == targets
        assert None not in lines


def test_the_tree_of_the_repository() -> None:
    """CONTRIBUTING.md has each file and folder of the top level in its tree, and no other."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [Path(line) for line in listed.splitlines() if (ROOT / line).exists()]
    [tree] = re.findall(r"(?ms)^```\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    words = {word.strip("/") for word in re.findall(r"[\w./-]+", tree)}
    known = {"CONTRIBUTING.md", "Makefile", "README.md"}
    assert sorted({path.parts[0] for path in paths} - known - words) == []
    folders = {part for path in paths for part in path.parts[:-1]} | {".venv", "build"}
    assert sorted(set(re.findall(r"([\w.]+)/", tree)) - folders) == []
    [modules] = re.findall(r"they are in ([\w, \n]+)\n  source\.py", tree)
    package = {path.stem for path in (ROOT / "source_twilio").glob("*.py")}
    assert {"source", *re.findall(r"\w+", modules)} - package == set()
