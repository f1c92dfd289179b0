"""What the Airbyte platform reads: metadata, image, icon, and the CDK's standard test suite."""

from __future__ import annotations

import ast
import json
import re
import shlex
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from airbyte_cdk.models.connector_metadata import ConnectorLanguage, MetadataFile
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import DeclarativeSourceTestSuite, SourceTestSuiteBase

from sandbox.api import HOSTS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "source_twilio"
METADATA: dict[str, Any] = yaml.safe_load((ROOT / "metadata.yaml").read_text())["data"]


def setup_argument(name: str) -> Any:
    """Return a literal argument of the setup() call, without running setup.py."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    calls = [node.value for node in tree.body if isinstance(node, ast.Expr)]
    [setup] = [call for call in calls if isinstance(call, ast.Call)]
    [value] = [keyword.value for keyword in setup.keywords if keyword.arg == name]
    return ast.literal_eval(value)


def console_scripts() -> list[str]:
    """Return the names of the commands that pip installs."""
    return [line.split("=")[0] for line in setup_argument("entry_points")["console_scripts"]]


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, comments dropped and lines joined."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text())
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(line.split()[0].upper(), line.split(None, 1)[1]) for line in lines if line.strip()]


def arguments(instruction: str) -> list[str]:
    """Return what each use of a Dockerfile instruction says, in order."""
    return [argument for name, argument in dockerfile() if name == instruction]


def copied() -> list[str]:
    """Return the paths of the build context that the Dockerfile copies."""
    words = [shlex.split(argument) for argument in arguments("COPY")]
    return [path for line in words if not line[0].startswith("--from=") for path in line[:-1]]


def urls(node: Any) -> Iterator[str]:
    """Yield every URL of a manifest that requests can go to, so no links to documentation."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in {"$schema", "documentation_url", "documentationUrl"}:
                yield from urls(value)
    elif isinstance(node, list):
        for value in node:
            yield from urls(value)
    elif isinstance(node, str) and re.match(r"https?:", node.strip()):
        yield node.strip()


def test_metadata_satisfies_the_cdk() -> None:
    """The CDK's model accepts the file, and picks the suite for Python sources by its tags."""
    data = MetadataFile.from_file(ROOT / "metadata.yaml").data
    assert data.language == ConnectorLanguage.PYTHON
    assert data.connectorBuildOptions is not None
    assert data.connectorBuildOptions.baseImage == METADATA["connectorBuildOptions"]["baseImage"]


def test_metadata_names_what_the_package_is() -> None:
    """Name, licence and registry entry agree with setup.py."""
    assert METADATA["license"] == setup_argument("license")
    assert METADATA["remoteRegistries"]["pypi"]["packageName"] == setup_argument("name")
    assert METADATA["dockerRepository"].split("/")[1] == setup_argument("name")
    assert METADATA["githubIssueLabel"] == setup_argument("name")
    assert METADATA["connectorType"] == setup_argument("name").split("-")[0]


def test_suggested_streams_exist() -> None:
    """Each suggested stream has a schema, and none is named twice."""
    suggested = METADATA["suggestedStreams"]["streams"]
    assert suggested == sorted(set(suggested))
    assert [name for name in suggested if not (PACKAGE / "schemas" / f"{name}.json").exists()] == []


def test_allowed_hosts_cover_the_manifest() -> None:
    """A platform that enforces allowedHosts lets every request of the manifest through."""
    manifest = yaml.safe_load((PACKAGE / "manifest.yaml").read_text())
    # An expression stands for one label of the host or for a part of the path.
    plain = [re.sub(r"\{\{.*?\}\}", "x", url) for url in urls(manifest)]
    hosts = {urlsplit(url).hostname or url for url in plain}
    allowed = METADATA["allowedHosts"]["hosts"]
    assert "api.twilio.com" in hosts
    assert [host for host in hosts if not any(fnmatch(host, name) for name in allowed)] == []


def test_allowed_hosts_cover_regions_and_edges() -> None:
    """The hosts that a region or an edge leads to are let through as well (BEHAVIOR 27)."""
    allowed = METADATA["allowedHosts"]["hosts"]
    assert "monitor.dublin.ie1.twilio.com" in HOSTS
    assert [host for host in HOSTS if not any(fnmatch(host, name) for name in allowed)] == []


def test_image_holds_the_package_alone() -> None:
    """The Dockerfile copies the lock file and the wheel; the build context has nothing else."""
    assert copied() == ["requirements.lock", "build/source_twilio-${VERSION}-py3-none-any.whl"]
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns == ["*", *(f"!{path.replace('${VERSION}', '*')}" for path in copied())]


def test_image_runs_the_console_script_without_root() -> None:
    """Docker and Kubernetes start the same installed command, as the base image's user."""
    [entrypoint] = arguments("ENTRYPOINT")
    environment = dict(argument.split("=", 1) for argument in arguments("ENV"))
    assert json.loads(entrypoint) == [environment["AIRBYTE_ENTRYPOINT"]]
    assert [Path(environment["AIRBYTE_ENTRYPOINT"]).name, "twilio-warehouse"] == console_scripts()
    assert arguments("USER") == ["airbyte"]
    # A USER of the builder stage would not carry over.
    names = [name for name, _ in dockerfile()]
    assert names.index("USER") > len(names) - 1 - names[::-1].index("FROM")


def test_image_is_the_one_of_the_metadata() -> None:
    """Base image and labels say in the Dockerfile what they say in the metadata."""
    base = METADATA["connectorBuildOptions"]["baseImage"]
    assert arguments("ARG") == [f"BASE_IMAGE={base}", "VERSION", "VERSION"]
    assert {line.split()[0] for line in arguments("FROM")} == {"${BASE_IMAGE}"}
    assert dict(label.split("=", 1) for label in arguments("LABEL")) == {
        "io.airbyte.name": METADATA["dockerRepository"],
        "io.airbyte.version": "${VERSION}",
    }


def test_icon_is_a_small_square() -> None:
    """The icon of the metadata parses as SVG and is square."""
    icon = ROOT / METADATA["icon"]
    root = ET.fromstring(icon.read_text())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (left, top, width) == (0, 0, height)
    assert icon.stat().st_size < 2048


# An advisory problem in the catalog fails too: later CDKs enforce those checks.
@pytest.mark.filterwarnings("error::airbyte_cdk.test.standard_tests.DiscoveredCatalogWarning")
class SandboxSuite(SourceTestSuiteBase):
    """The CDK's standard suite on acceptance-test-config.yml, with the sandbox as the account."""

    @pytest.fixture(autouse=True)
    def _temporary_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Keep the suite's files in the test's directory: it leaves configs behind, secrets too."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def declared(self, config_path: str, config: dict[str, Any]) -> ConnectorTestScenario:
        """Return an entry of acceptance-test-config.yml, its secret file replaced."""
        [entry] = [item for item in self.get_scenarios() if str(item.config_path) == config_path]
        # A file, not config_dict: the suite takes the name of a scenario from it.
        path = Path(tempfile.gettempdir(), Path(config_path).name)
        path.write_text(json.dumps(config))
        return entry.model_copy(update={"config_path": path})

    @pytest.fixture
    def scenario(self, sandbox: Any) -> ConnectorTestScenario:
        """Return the entry of an account that works, as strict as the suite can be.

        Without sections it counts as basic_read: every stream must return records, and each
        record must match the schema of its stream.
        """
        accepted = self.declared("secrets/config.json", dict(sandbox.config))
        return accepted.model_copy(update={"sections": ()})

    def test_check_refused(self, sandbox: Any) -> None:
        """The entry with the wrong token fails the check, and no message holds the token."""
        config = {**sandbox.config, "auth_token": "0123456789abcdef" * 2}
        self.test_check(self.declared("secrets/invalid_config.json", config))


class TestManifest(SandboxSuite, DeclarativeSourceTestSuite):
    """The suite on the built manifest, the way the platform runs a declarative source."""

    @pytest.fixture(autouse=True)
    def _built(self, built_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Point the suite at the build, and undo what it does to the process."""
        for name in ("manifest.yaml", "components.py"):
            setattr(TestManifest, name.replace(".", "_") + "_path", built_manifest / name)
        # The suite sets the variable for good, and the CDK registers the injected module under
        # the names that the package uses.
        monkeypatch.setenv("AIRBYTE_ENABLE_UNSAFE_CODE", "true")
        names = ("components", "source_declarative_manifest.components")
        before = {name: sys.modules[name] for name in names if name in sys.modules}
        yield
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)


class TestPackage(SandboxSuite):
    """The suite on the installed package, which `airbyte-cdk connector test` finds by its name."""

    # The CDK takes it from the directory, and a checkout may have any name.
    connector_name = "source-twilio"


# These build an image with Docker and fetch the template for it: no unit tests.
for name in dir(SandboxSuite):
    if name.startswith("test_docker_image"):
        setattr(SandboxSuite, name, None)
