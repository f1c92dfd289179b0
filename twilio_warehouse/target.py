"""Where the rows go: a database that dlt knows, with the connector's state beside them."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any

# Before the import, which reads them. Without the third, staging tables keep the last load's rows.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
os.environ.setdefault("LOAD__TRUNCATE_STAGING_DATASET", "true")
import dlt  # noqa: E402
import duckdb  # noqa: E402
from dlt.common.destination import Destination  # noqa: E402
from dlt.common.destination.utils import (  # noqa: E402
    resolve_merge_strategy,
    resolve_replace_strategy,
)
from dlt.common.schema.utils import new_table  # noqa: E402
from dlt.destinations.job_client_impl import SqlJobClientBase  # noqa: E402

from twilio_warehouse.log import NAMES_SECRET, hide  # noqa: E402
from twilio_warehouse.mistakes import Mistake  # noqa: E402
from twilio_warehouse.tables import Table  # noqa: E402

DATASET = "twilio"
# DuckDB names a file's catalog after the file, and cannot tell the catalog `twilio` from a schema
# `twilio`. It never gives a catalog the name of this schema. `schema.table` would be ambiguous in
# files that are named as the other schemas which a load names.
DUCKDB_SCHEMA = "main"
TAKEN_NAMES = {f"{DUCKDB_SCHEMA}_staging", "information_schema"}
# A table is replaced in one transaction, where the database can: it is never seen half full.
REPLACE = "insert-from-staging"

# Of PostgreSQL, for as long as the connection lives that asks for it.
LOCK = f"select pg_try_advisory_lock(hashtext('source-twilio'), hashtext('{DATASET}'))"
# Waits for the end of this process, however it ends, and removes what is not for others to find.
CLEAN = ("sh", "-c", 'cat >/dev/null; rm -rf "$1"', "sh")

Part = tuple[Table, Callable[[], Iterable[bytes]]]


class Target:
    """A destination, from `with` on; there is one sync into it at a time."""

    def __init__(self, destination: str = "duckdb", database: Path = Path("twilio.duckdb")) -> None:
        """Name it, and the folder with the log and what is not loaded yet."""
        self.destination, self.database = destination, database
        self.is_duckdb = destination == "duckdb"
        self.name = str(database) if self.is_duckdb else destination
        beside = database.with_name(database.name + ".sync")
        self.folder = beside if self.is_duckdb else Path("build", f"{destination}.sync")
        # A new one for each sync.
        self.buffer = self.folder
        self.log = self.folder / "sync.log"
        # Files, for one, are only added to.
        self.merges = True
        # Or Redshift, which is made of it.
        self.is_postgres = False
        # No other sync can be let in, from other folders either.
        self.locks = True
        self._pipeline: Any = None
        self._lock_holder: Any = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Target:
        """Take the folder. Raises `Mistake` if another sync has it."""
        if self.is_duckdb and not self.database.parent.is_dir():
            raise Mistake(f"There is no directory {self.database.parent}: make it first.")
        if self.is_duckdb and self.database.name.partition(".")[0].lower() in TAKEN_NAMES:
            raise Mistake(f"DuckDB needs the name {self.database.name}: name another file.")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        # What is written holds rows: it is the owner's alone.
        self._umask = os.umask(0o077)
        self.folder.mkdir(exist_ok=True)
        for path in (self.folder, *self.folder.glob("sync.log*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
        self._lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            holder = self._lock.read().strip()
            self._lock.close()
            os.umask(self._umask)
            raise Mistake(
                f"Another sync into {self.name} is under way (process {holder}): wait for its end, "
                f"or stop it. Its log is {self.log}."
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        # What a killed sync has left is read again: no state covers it.
        for left in (*self.folder.glob("buffer*"), self.folder / "pipelines"):
            shutil.rmtree(left, ignore_errors=True)
        self.buffer = Path(mkdtemp(prefix="buffer", dir=self.folder.absolute()))
        self._cleaner = subprocess.Popen(
            [*CLEAN, self.buffer], stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of everything; of the folder, only the log stays."""
        if self._connection:
            self._connection.close()
        if self._lock_holder:
            self._lock_holder.close_connection()
        self._cleaner.communicate()
        self._lock.close()
        os.umask(self._umask)

    def open(self) -> None:
        """Connect, and find out what is there. Raises what dlt and DuckDB raise."""
        settings: dict[str, Any] = {}
        dataset = DATASET
        if self.is_duckdb:
            # One connection for the whole sync: no other program can take the file in between.
            self._connection = duckdb.connect(str(self.database))
            settings["credentials"] = self._connection
            dataset = DUCKDB_SCHEMA
        destination = Destination.from_reference(self.destination, **settings)
        dialect = str(destination.capabilities().sqlglot_dialect)
        self.is_postgres = dialect in ("postgres", "redshift")
        if not self.is_duckdb:
            self._passwordless(destination)
        able, table = destination.capabilities(), new_table("any", write_disposition="merge")
        self.merges = bool(resolve_merge_strategy({"any": table}, table, able))
        if resolve_replace_strategy(table, REPLACE, able):
            destination.config_params["replace_strategy"] = REPLACE
        self._pipeline = dlt.pipeline(
            pipeline_name=DATASET,
            pipelines_dir=str(self.buffer / "pipelines"),
            destination=destination,
            dataset_name=dataset,
        )
        # dlt writes to the screen otherwise.
        logger = logging.getLogger("dlt")
        logger.handlers, logger.propagate = [], True
        self._take_lock(dialect)
        self._pipeline.sync_destination()

    def kept(self) -> dict[str, Any]:
        """Return what `load` was given last to keep, or nothing."""
        return dict(self._pipeline.state.get("sources", {}).get(DATASET, {}))

    def missing(self, names: Iterable[str]) -> set[str]:
        """Return which of these tables were there and are gone, and have the next load make them.

        Files tell nothing: a table without rows has none.
        """
        if DATASET not in self._pipeline.schemas:
            return set()
        with self._pipeline.destination_client(DATASET) as client:
            if not isinstance(client, SqlJobClientBase):
                return set()
            tables = {*names} & {*self._pipeline.schemas[DATASET].tables}
            gone = {name for name, found in client.get_storage_tables(sorted(tables)) if not found}
            if gone:
                # dlt makes tables only if the schema is not among those that it has stored.
                client.drop_tables(*gone, delete_schema=True)
        return gone

    def has(self, table: Table) -> bool:
        """Return whether the table exists."""
        schemas = self._pipeline.schemas
        return DATASET in schemas and table.name in schemas[DATASET].tables

    def load(self, parts: Iterable[Part], kept: Mapping[str, Any]) -> None:
        """Load rows, and the states that they stand for, which count once all rows are there.

        dlt hands out a state only when the load that holds it is marked as complete, which it does
        last. Of a load that was cut, tables may have their rows: the next one brings them again.
        """
        if self._lock_holder:
            # With its connection the lock is gone. Raises what the driver raises.
            self._lock_holder.execute_sql("select 1")
        self._pipeline.extract(source([self._resource(*part) for part in parts], kept))
        self._pipeline.normalize()
        self._pipeline.load()

    def _resource(self, table: Table, records: Callable[[], Iterable[bytes]]) -> Any:
        def rows() -> Iterator[Any]:
            if self.is_duckdb:
                yield from table.arrow(records())
                return
            yield dlt.mark.materialize_table_schema()
            yield from table.rows(records(), self.is_postgres)

        return dlt.resource(
            rows,
            name=table.name,
            primary_key=table.key,
            columns=table.columns,
            write_disposition="merge" if table.incremental else "replace",
            max_table_nesting=0,
        )

    def _passwordless(self, destination: Any) -> None:
        """Let the driver find what dlt would miss, and hide what dlt has found."""
        found = destination.configuration(destination.spec(), accept_partial=True)
        credentials: Any = getattr(found, "credentials", None)
        values = dict(credentials) if isinstance(credentials, Mapping) else {}
        hide(str(v) for name, v in values.items() if v and NAMES_SECRET.search(name))
        if self.is_postgres and values.get("username") and values.get("password") is None:
            # PostgreSQL asks for none, or its driver has one. An empty one is none to it.
            credentials["password"] = ""
            destination.config_params["credentials"] = credentials

    def _take_lock(self, dialect: str) -> None:
        """Take the database's lock. Raises `Mistake` if another sync has it."""
        # A file of DuckDB's is locked by whoever has it open.
        self.locks = self.is_duckdb or dialect == "postgres"
        if self.is_duckdb or not self.locks:
            return
        # Not one of the load's connections: these come and go.
        self._lock_holder = self._pipeline.sql_client()
        self._lock_holder.open_connection()
        [(free,)] = self._lock_holder.execute_sql(LOCK)
        if not free:
            raise Mistake(
                f"Another sync into {self.name} is under way, from another folder: wait for its "
                "end, or stop it."
            )


def source(resources: list[Any], kept: Mapping[str, Any]) -> Any:
    """Return what one load brings."""

    def state() -> Iterator[Any]:
        dlt.current.source_state().update(kept)
        yield from ()

    return dlt.source(lambda: [*resources, dlt.resource(state, name="state")], name=DATASET)()
