"""The log of a sync, a file beside the tables, and what is shown: without secrets and escapes."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

# Terminals obey them, and people who write to a customer can send them. Lines may stay lines.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# What is a secret whoever has it: an Auth Token, say of a subaccount, and the ways to quote one.
TOKEN = re.compile(
    r"(?<![0-9a-f])(?<![A-Z]{2})[0-9a-f]{32}(?![0-9A-Za-z])"
    r"""|(?<=auth_token)(["'\s\\]*[:=]["'\s\\]*)(?!\.\.\.)[^\s"'\\,;&<>{}\[\]]+"""
    r"|(?<=Basic )[0-9A-Za-z+/=]{8,}"
    r"|(?<=://)[^\s/:@]*:\S+(?=@)"
)
NAMES_SECRET = re.compile(r"PASSWORD|PASSPHRASE|SECRET|TOKEN|KEY|CREDENTIALS$", re.IGNORECASE)
# What `hide` was given, the longest first: one may be part of another.
HIDDEN: list[str] = []


def hide(secrets: Iterable[str]) -> None:
    """Have `clean` mask secrets, however they are spelled."""
    found = {spelling for secret in secrets for spelling in normalize_timestamp(secret)}
    HIDDEN[:] = sorted({*HIDDEN, *found}, key=lambda text: (-len(text), text))


def clean(text: str) -> str:
    """Return text that may be shown: stars in place of secrets, and no control characters."""
    for secret in HIDDEN:
        text = text.replace(secret, "****")
    return CONTROL.sub("", TOKEN.sub(r"\1****", text))


class Redacted(logging.Formatter):
    """Writes lines that are clean, whoever has put secrets into them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return clean(super().format(record))


def log_to(path: Path, secrets: Iterable[str]) -> None:
    """Send what is logged to a file, and nothing to the screen."""
    hide([*secrets, *passwords()])
    handler = RotatingFileHandler(path, maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(Redacted("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.INFO
    # A log that cannot be written must not end a sync, nor fill the screen.
    logging.raiseExceptions = False


def normalize_timestamp(secret: str) -> Iterator[str]:
    """Yield how a secret may stand in text; what is short would hide words."""
    plain = unquote(secret)
    ways = [secret, plain]
    # A password with these may be cut there, and its rest taken for a part of the host.
    for cut in re.finditer("[@:/]", plain):
        ways += [plain[: cut.start()], plain[cut.end() :]]
        if "@" in plain:
            yield f"{plain[cut.end() :]}@"
    for way in ways:
        if len(way) > 3:
            yield from (way, quote(way, safe=""), quote_plus(way), json.dumps(way)[1:-1])
            yield repr(way)[1:-1]


def passwords() -> Iterator[str]:
    """Yield the secrets in dlt's settings of the environment."""
    for name, value in os.environ.items():
        if "DESTINATION__" not in name:
            continue
        if in_url := re.search(r"://[^:/@]*:(.*)@", value):
            yield in_url[1]
        elif NAMES_SECRET.search(name):
            yield value
            yield from inside(value)


def inside(value: str) -> Iterator[str]:
    """Yield the secrets in a setting that is a JSON object."""
    try:
        found = json.loads(value)
    except ValueError:
        return
    for name, part in found.items() if isinstance(found, dict) else ():
        if NAMES_SECRET.search(name):
            yield str(part)
