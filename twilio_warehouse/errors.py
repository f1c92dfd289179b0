"""Errors that a user can fix, each in a sentence or two."""

from __future__ import annotations

import re
from collections.abc import Iterator


class UserError(Exception):
    """Ends a command with a sentence that says what to change; `status` is the exit status."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


# How a user names another database, with the command and with make.
OTHER_FILE = "with --to (make: DATABASE=...)"
# What destinations and the system say of a disk that is full, or a file that may not grow.
DISK_FULL = "No space left on device|disk is full|disk I/O error|File too large|Disk quota exceeded"
NOT_WRITABLE = "Permission denied|Read-only file system"
DESTINATIONS = "https://dlthub.com/docs/dlt-ecosystem/destinations"


def explain_error(error: BaseException, destination: str) -> UserError | None:
    """Return what to do about an error of a destination, None if it is unknown."""
    chain = [*causes(error)]
    text = "\n".join(str(one) for one in chain)
    names = {kind.__name__ for one in chain for kind in type(one).__mro__}
    if re.search(DISK_FULL, text, re.IGNORECASE):
        return UserError("The disk is full: make room, and run it again. What is loaded stays.", 1)
    if "Could not set lock on file" in text:
        process = re.search(r"\(PID \d+\)", text)
        return UserError(
            f"{destination} is in use by another program{f' {process[0]}' if process else ''}: "
            f"close it, or name another file {OTHER_FILE}."
        )
    if "not a valid DuckDB database file" in text:
        return UserError(f"{destination} is not a DuckDB file: name another {OTHER_FILE}.")
    if "Trying to read a database file with version" in text:
        return UserError(
            f"{destination} was written by another DuckDB version: name another file {OTHER_FILE}."
        )
    if re.search(NOT_WRITABLE, text):
        return UserError(
            f"{destination} cannot be written ({first_line(chain[-1])}): name another place."
        )
    if "UnknownDestinationModule" in names:
        return UserError(
            f"dlt has no destination {destination}: duckdb, postgres, bigquery, snowflake, ... are "
            f"listed on {DESTINATIONS}"
        )
    if "ConfigFieldMissingException" in names:
        return UserError(
            f"{destination} needs its settings: DESTINATION__{destination.upper()}__CREDENTIALS=..."
            f" in the environment, or .dlt/secrets.toml; see {DESTINATIONS}/{destination}"
        )
    if "MissingDependencyException" in names or isinstance(error, ImportError):
        return UserError(f"The driver is missing: pip install 'dlt[{destination}]'")
    if names & {"DestinationConnectionError", "OperationalError"}:
        return UserError(f"{destination} cannot be used: {first_line(chain[-1])}", 1)
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, the first cause last."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        # A job of dlt's keeps the database's error in an attribute.
        of_job = getattr(cause, "client_exception", None)
        cause = (
            of_job if isinstance(of_job, BaseException) else cause.__cause__ or cause.__context__
        )


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its class."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
