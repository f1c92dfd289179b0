"""The log of a sync: a file beside the tables, without secrets."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path


class Redacted(logging.Formatter):
    """Writes stars in place of secrets, whoever has put them into a line."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets; short ones would hide words."""
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = [secret for secret in secrets if len(secret) > 3]

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "****")
        return line


def log_to(path: Path, secrets: Iterable[str]) -> None:
    """Send what is logged to a file, and nothing to the screen."""
    handler = RotatingFileHandler(path, maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(Redacted([*secrets, *passwords()]))
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.INFO
    # A log that cannot be written must not end a sync, nor fill the screen.
    logging.raiseExceptions = False


def passwords() -> list[str]:
    """Return the passwords in dlt's settings of the environment."""
    settings = [value for name, value in os.environ.items() if name.startswith("DESTINATION__")]
    in_urls = [re.search(r"://[^:/@]*:([^@]+)@", value) for value in settings]
    return [value for value in settings if "://" not in value] + [u[1] for u in in_urls if u]
