"""The two connectors from PyPI, each in its own environment in build/competitors."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from dev.bench import ROOT
from sandbox import Sandbox

COMPETITORS = ROOT / "build" / "competitors"


def install(requirement: str) -> Path:
    """Return the environment of a competitor; it is created if it is missing."""
    folder = COMPETITORS / requirement.partition("==")[0]
    stamp = folder / "installed"
    if not stamp.exists():
        print(f"Installing {requirement} ...", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        # tap-twilio imports pkg_resources, which newer versions of setuptools do not have.
        subprocess.run([*pip, "setuptools<81", requirement], check=True)
        stamp.touch()
    return folder


def trust(folder: Path, twilio: Sandbox) -> None:
    """Make an environment trust the sandbox. Airbyte's connector trusts only certifi's."""
    [bundle] = folder.glob("lib/python*/site-packages/certifi/cacert.pem")
    original = bundle.with_name("cacert.original")
    if not original.exists():
        original.write_bytes(bundle.read_bytes())
    authority = Path(twilio.environment["REQUESTS_CA_BUNDLE"]).read_bytes()
    bundle.write_bytes(original.read_bytes() + b"\n" + authority)
