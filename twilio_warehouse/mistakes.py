"""What a user can put right, said in a line or two."""

from __future__ import annotations

import re
from collections.abc import Iterator


class Mistake(Exception):  # noqa: N818 - the user's, not the program's
    """Ends a sync with a sentence that says what to change; `status` is the exit status."""

    def __init__(self, sentence: str, status: int = 2) -> None:
        """Keep the sentence."""
        super().__init__(sentence)
        self.status = status


# What destinations and the system say of a disk that is full, or a file that may not grow.
FULL = "No space left on device|disk is full|disk I/O error|File too large|Disk quota exceeded"
NOT_WRITABLE = "Permission denied|Read-only file system"


def explained(error: BaseException, target: str) -> Mistake | None:
    """Return what to do about an error of the load into a target, None if nobody knows."""
    chain = [*causes(error)]
    said = "\n".join(str(one) for one in chain)
    names = {kind.__name__ for one in chain for kind in type(one).__mro__}
    if re.search(FULL, said, re.IGNORECASE):
        return Mistake("The disk is full: make room, and run it again. What is loaded stays.", 1)
    if "Could not set lock on file" in said:
        holder = re.search(r"\(PID \d+\)", said)
        return Mistake(
            f"{target} is in use by another program{f' {holder[0]}' if holder else ''}: close it, "
            "or name another file with DATABASE=..."
        )
    if "not a valid DuckDB database file" in said:
        return Mistake(f"{target} is not a DuckDB file: name another with DATABASE=...")
    if "Trying to read a database file with version" in said:
        return Mistake(f"{target} is of another DuckDB version: name another with DATABASE=...")
    if re.search(NOT_WRITABLE, said):
        return Mistake(f"{target} cannot be written ({first_line(chain[-1])}): name another place.")
    if "UnknownDestinationModule" in names:
        return Mistake(
            f"dlt knows no destination {target}: duckdb, postgres, bigquery, snowflake, ... are "
            "listed on https://dlthub.com/docs/dlt-ecosystem/destinations"
        )
    if "ConfigFieldMissingException" in names:
        return Mistake(
            f"{target} needs its settings: DESTINATION__{target.upper()}__CREDENTIALS=... in the "
            "environment, or .dlt/secrets.toml; see "
            f"https://dlthub.com/docs/dlt-ecosystem/destinations/{target}"
        )
    if "MissingDependencyException" in names or isinstance(error, ImportError):
        return Mistake(f"The driver is missing: .venv/bin/pip install 'dlt[{target}]'")
    if names & {"DestinationConnectionError", "OperationalError"}:
        return Mistake(f"{target} cannot be used: {first_line(chain[-1])}", 1)
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came of, the first cause last."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        # A job of dlt's keeps what the database said beside itself.
        of_job = getattr(seen, "client_exception", None)
        seen = of_job if isinstance(of_job, BaseException) else seen.__cause__ or seen.__context__


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
