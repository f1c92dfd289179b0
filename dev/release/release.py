"""What is released: `python -m dev.release.release build|tag|version`.

`build` writes wheel, sdist, manifest.yaml, components.py and SHA256SUMS into build/. The same
commit and the same tools give the same bytes. `tag` fails unless a tag, such as v1.0.0, may be set.
"""

import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import yaml

from dev.release.manifest import build as build_manifest

ROOT = Path(__file__).parents[2]
# What the package is made of. A build from a copy does not see what else lies about in a checkout.
SOURCES = [
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "metadata.yaml",
    "pyproject.toml",
    "setup.py",
    "source_twilio",
    "twilio_warehouse",
]
# The oldest moment that a wheel, which is a zip archive, can hold.
EPOCH_1980 = 315532800


def version() -> str:
    """Return the version, of which metadata.yaml is the one place."""
    data = yaml.safe_load((ROOT / "metadata.yaml").read_text("utf-8"))["data"]
    return str(data["dockerImageTag"])


def moment() -> int:
    """Return the moment that all files bear: SOURCE_DATE_EPOCH, or that of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    log = ["git", "log", "-1", "--format=%ct"]
    found = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return int(found.strip() or EPOCH_1980)


def build(target: Path) -> list[Path]:
    """Write everything that is released into the folder `target` and return the files."""
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("source_twilio-*"):
        old.unlink()
    epoch = moment()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "source")
        copy.mkdir()
        for name in SOURCES:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, copy / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, copy)
        for path in copy.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), "."]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
    [wheel] = target.glob("source_twilio-*.whl")
    [sdist] = target.glob("source_twilio-*.tar.gz")
    settle(sdist, epoch)
    build_manifest(target)
    files = [wheel, sdist, target / "manifest.yaml", target / "components.py"]
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (target / "SHA256SUMS").write_text("".join(sums), "utf-8")
    return [*files, target / "SHA256SUMS"]


def settle(archive: Path, epoch: int) -> None:
    """Rewrite a .tar.gz without what differs from build to build: setuptools puts the time in."""
    packed = io.BytesIO()
    with (
        tarfile.open(archive) as before,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as after,
    ):
        for member in sorted(before.getmembers(), key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.pax_headers = {}
            after.addfile(member, before.extractfile(member) if member.isfile() else None)
    archive.write_bytes(gzip.compress(packed.getvalue(), mtime=epoch))


def unfit(tag: str) -> str:
    """Return why the tag must not be set, or an empty text."""
    if tag != f"v{version()}":
        return f"The tag is {tag}, and metadata.yaml says {version()}."
    title = titles()[0]
    if not re.fullmatch(rf"\[{re.escape(version())}\] - \d{{4}}-\d\d-\d\d", title):
        return f"CHANGELOG.md begins with '{title}': write '[{version()}] - ' and the day."
    return ""


def titles() -> list[str]:
    """Return the titles of the changelog's sections, the newest first."""
    return re.findall(r"(?m)^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"))


def main(arguments: list[str]) -> str:
    """Do what the command line says; return the error, if any."""
    match arguments:
        case ["version"]:
            print(version())
        case ["tag", name]:
            return unfit(name)
        case ["build"]:
            for file in build(ROOT / "build"):
                print(f"Wrote build/{file.name}")
        case _:
            return str(__doc__)
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
