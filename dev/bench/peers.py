"""The two connectors from PyPI, each in an environment of its own below build/peers."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from dev.bench import ROOT
from sandbox import Sandbox

PEERS = ROOT / "build" / "peers"


def installed(requirement: str) -> Path:
    """Return the environment of a peer. If it is missing, it is made."""
    folder = PEERS / requirement.partition("==")[0]
    mark = folder / "installed"
    if not mark.exists():
        print(f"Installing {requirement} ...", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        # tap-twilio imports pkg_resources, which newer versions of setuptools do not have.
        subprocess.run([*pip, "setuptools<81", requirement], check=True)
        mark.touch()
    return folder


def trust(folder: Path, twilio: Sandbox) -> None:
    """Make an environment trust the sandbox. Airbyte's peer trusts only certifi's authorities."""
    [bundle] = folder.glob("lib/python*/site-packages/certifi/cacert.pem")
    original = bundle.with_name("cacert.original")
    if not original.exists():
        original.write_bytes(bundle.read_bytes())
    authority = Path(twilio.environment["REQUESTS_CA_BUNDLE"]).read_bytes()
    bundle.write_bytes(original.read_bytes() + b"\n" + authority)
