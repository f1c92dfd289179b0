"""The log file of a sync; and text without secrets and control characters, for log and screen."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

# A terminal executes them, and anyone who sends a message can write them. Line breaks may stay.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Secrets that no config names, such as a subaccount's Auth Token, as errors and URLs quote them.
TOKEN = re.compile(
    r"(?<![0-9a-f])(?<![A-Z]{2})[0-9a-f]{32}(?![0-9A-Za-z])"
    r"""|(?<=auth_token)(["'\s\\]*[:=]["'\s\\]*)(?!\.\.\.)[^\s"'\\,;&<>{}\[\]]+"""
    r"|(?<=Basic )[0-9A-Za-z+/=]{8,}"
    r"|(?<=://)[^\s/:@]*:\S+(?=@)"
)
NAMES_SECRET = re.compile(r"PASSWORD|PASSPHRASE|SECRET|TOKEN|KEY|CREDENTIALS$", re.IGNORECASE)
# What `register_secrets` was given, the longest first: one may be part of another.
SECRETS: list[str] = []


def register_secrets(secrets: Iterable[str]) -> None:
    """Have `redact` mask secrets, in each encoding."""
    found = {encoding for secret in secrets for encoding in encodings(secret)}
    SECRETS[:] = sorted({*SECRETS, *found}, key=lambda text: (-len(text), text))


def redact(text: str) -> str:
    """Return text with stars in place of secrets, and without control characters."""
    for secret in SECRETS:
        text = text.replace(secret, "****")
    return CONTROL.sub("", TOKEN.sub(r"\1****", text))


class RedactingFormatter(logging.Formatter):
    """Redacts each line, whichever library has logged it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return redact(super().format(record))


def log_to_file(path: Path, secrets: Iterable[str]) -> None:
    """Log to a file, and nothing to the screen."""
    register_secrets([*secrets, *secrets_in_environment()])
    handler = RotatingFileHandler(path, maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.INFO
    # A log that cannot be written must not end a sync, nor fill the screen.
    logging.raiseExceptions = False


def encodings(secret: str) -> Iterator[str]:
    """Yield how a secret may stand in text; not short ones, which would mask words."""
    plain = unquote(secret)
    forms = [secret, plain]
    # A password with these may be cut there, and its rest taken for a part of the host.
    for cut in re.finditer("[@:/]", plain):
        forms += [plain[: cut.start()], plain[cut.end() :]]
        if "@" in plain:
            yield f"{plain[cut.end() :]}@"
    for form in forms:
        if len(form) > 3:
            yield from (form, quote(form, safe=""), quote_plus(form), json.dumps(form)[1:-1])
            yield repr(form)[1:-1]


def secrets_in_environment() -> Iterator[str]:
    """Yield the secrets in dlt's settings of the environment."""
    for name, value in os.environ.items():
        if "DESTINATION__" not in name:
            continue
        if in_url := re.search(r"://[^:/@]*:(.*)@", value):
            yield in_url[1]
        elif NAMES_SECRET.search(name):
            yield value
            yield from secrets_in_json(value)


def secrets_in_json(value: str) -> Iterator[str]:
    """Yield the secrets in a setting that is a JSON object."""
    try:
        found = json.loads(value)
    except ValueError:
        return
    for name, part in found.items() if isinstance(found, dict) else ():
        if NAMES_SECRET.search(name):
            yield str(part)
