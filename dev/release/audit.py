"""Checks what the image holds besides our own code, all of which requirements.lock names.

The image's own pip commands fill build/audit/. Then come a check of the sandbox, the
licences (the allowed ones stand in pyproject.toml), an SBOM, and the known vulnerabilities.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.release.release import ROOT, version
from sandbox import Sandbox

BIN = Path(sys.executable).parent
PLACE = ROOT / "build" / "audit"
LOCK = ROOT / "requirements.lock"


def pip_commands() -> list[list[str]]:
    """Return the arguments that the Dockerfile gives to pip."""
    lines = re.findall(r"(?m)^RUN pip (.*)$", (ROOT / "Dockerfile").read_text("utf-8"))
    return [line.replace("${VERSION}", version()).split() for line in lines]


def run(
    title: str,
    command: Sequence[str | Path],
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Say what comes, run it, and return what it printed; what it finds wrong ends the audit."""
    print(f"{title} ...", flush=True)
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout.strip()}\n{title}: failed.")
    return done.stdout


def install() -> None:
    """Fill build/audit/ as the Dockerfile fills the image."""
    venv.create(PLACE, with_pip=True, clear=True)
    for file in (LOCK, ROOT / "build" / f"source_twilio-{version()}-py3-none-any.whl"):
        shutil.copy(file, PLACE)
    for arguments in pip_commands():
        command: list[str | Path] = [PLACE / "bin" / "python", "-m", "pip", *arguments]
        run(f"pip {' '.join(arguments)}", command, PLACE)


def check() -> None:
    """Let what was installed check the sandbox."""
    with Sandbox() as twilio:
        (PLACE / "config.json").write_text(json.dumps(twilio.config), "utf-8")
        command: list[str | Path] = [
            PLACE / "bin" / "source-twilio",
            "check",
            "--config",
            PLACE / "config.json",
        ]
        said = run("Check of the sandbox", command, environment=twilio.environment)
    if '"SUCCEEDED"' not in said:
        raise SystemExit(said)


def main() -> None:
    """Run the audit. What needs most of the network comes last."""
    install()
    check()
    python = PLACE / "bin" / "python"
    print(
        run("Licences", [BIN / "pip-licenses", f"--python={python}", "--with-system", "--summary"])
    )
    sbom: list[str | Path] = [BIN / "cyclonedx-py", "environment", python]
    target = ROOT / "build" / "sbom.json"
    for file in PLACE.rglob("direct_url.json"):
        file.unlink()  # It names a folder of this machine, which would stand in the SBOM.
    run("SBOM into build/sbom.json", [*sbom, "--output-reproducible", "--output-file", target])
    known: list[str | Path] = [BIN / "pip-audit", "--requirement", LOCK, "--require-hashes"]
    # --strict: where PyPI does not answer what is known of a package, the audit fails.
    try:
        print(run("Known vulnerabilities", [*known, "--disable-pip", "--strict"]))
    except SystemExit as failed:
        if "could not be audited" not in str(failed):
            raise
        raise SystemExit(
            f"{failed}\nPyPI does not say here what is known: run it where it does. "
            "What comes before has passed."
        ) from None


if __name__ == "__main__":
    main()
