"""The destination of a sync: a database that dlt loads, which also keeps the state."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from dlt.common.destination import Destination as DltDestination  # noqa: E402
from dlt.common.destination.utils import (  # noqa: E402
    resolve_merge_strategy,
    resolve_replace_strategy,
)
from dlt.common.runtime import signals  # noqa: E402
from dlt.common.schema.utils import new_table  # noqa: E402
from dlt.destinations.exceptions import DatabaseException  # noqa: E402
from dlt.destinations.job_client_impl import SqlJobClientBase  # noqa: E402

from twilio_warehouse.errors import UserError  # noqa: E402
from twilio_warehouse.log import NAMES_SECRET, register_secrets  # noqa: E402
from twilio_warehouse.tables import CHUNK, Table  # noqa: E402

LOGGER = logging.getLogger("sync")
DATASET = "twilio"
# DuckDB names the catalog of a file after the file: in `twilio.duckdb` a schema `twilio` would make
# `twilio.table` ambiguous. It never names a catalog `main`. A file cannot have the name of another
# schema that a load uses.
DUCKDB_SCHEMA = "main"
RESERVED_NAMES = {f"{DUCKDB_SCHEMA}_staging", "information_schema"}
# A table is replaced in one transaction, where the database can: it is never seen half full.
REPLACE_STRATEGY = "insert-from-staging"

# PostgreSQL holds it until the connection that took it is closed.
ADVISORY_LOCK = f"select pg_try_advisory_lock(hashtext('source-twilio'), hashtext('{DATASET}'))"
# Waits for the end of this process, also by SIGKILL, and removes the rows on disk.
CLEANER = ("sh", "-c", 'cat >/dev/null; rm -rf "$1"', "sh")

Load = tuple[Table, Callable[[], Iterable[bytes]]]
# SQL of a condition, with %s for each value, and the values.
Where = tuple[str, Sequence[Any]]


class Destination:
    """A destination of dlt's, locked from `with` on: one sync into it at a time."""

    def __init__(self, kind: str, db_file: Path = Path()) -> None:
        """Take dlt's name of the destination, and the file if that is `duckdb`."""
        self.kind, self.db_file = kind, db_file
        self.is_duckdb = kind == "duckdb"
        self.name = str(db_file) if self.is_duckdb else kind
        # For the log and the rows that are not loaded yet.
        self.folder = Path("build", f"{kind}.sync")
        if self.is_duckdb:
            self.folder = db_file.with_name(db_file.name + ".sync")
        # A new folder in it for each sync.
        self.buffer = self.folder
        self.log = self.folder / "sync.log"
        # Files, for one, are append-only.
        self.merges = True
        # Or Redshift, which speaks its dialect.
        self.is_postgres = False
        # Files, for one, know no UPDATE.
        self.updates = False
        # Redshift, for one, has no indexes.
        self.has_indexes = False
        self._indexed: set[str] = set()
        # Whether a sync from another folder is kept out too.
        self.locks = True
        self._pipeline: Any = None
        self._lock_holder: Any = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Destination:
        """Lock the folder. Raises `UserError` if another sync has it."""
        if self.is_duckdb and not self.db_file.parent.is_dir():
            raise UserError(f"There is no directory {self.db_file.parent}: make it first.")
        if self.is_duckdb and self.db_file.name.partition(".")[0].lower() in RESERVED_NAMES:
            raise UserError(f"DuckDB needs the name {self.db_file.name}: name another file.")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        # Other users of the machine must not read the rows.
        self._umask = os.umask(0o077)
        self.folder.mkdir(exist_ok=True)
        for path in (self.folder, *self.folder.glob("sync.log*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
        self._lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            process = self._lock.read().strip()
            self._lock.close()
            os.umask(self._umask)
            raise UserError(
                f"Another sync into {self.name} is under way (process {process}): wait for its "
                f"end, or stop it. Its log is {self.log}."
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        # The rows that a killed sync has left are read again: no state covers them.
        for leftover in (*self.folder.glob("buffer*"), self.folder / "pipelines"):
            shutil.rmtree(leftover, ignore_errors=True)
        self.buffer = Path(mkdtemp(prefix="buffer", dir=self.folder.absolute()))
        self._cleaner = subprocess.Popen(
            [*CLEANER, self.buffer], stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(
        self,
        exception: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close connections and release the locks; of the folder, only the log stays."""
        if self._connection:
            self._connection.close()
        if self._lock_holder:
            self._lock_holder.close_connection()
        self._cleaner.communicate()
        self._lock.close()
        os.umask(self._umask)

    def open(self) -> None:
        """Connect, and read the stored state. Raises the errors of dlt and DuckDB."""
        settings: dict[str, Any] = {}
        dataset = DATASET
        if self.is_duckdb:
            # One connection for the whole sync, so that no other program gets the file in between.
            self._connection = duckdb.connect(str(self.db_file))
            settings["credentials"] = self._connection
            dataset = DUCKDB_SCHEMA
        destination = DltDestination.from_reference(self.kind, **settings)
        dialect = str(destination.capabilities().sqlglot_dialect)
        self.is_postgres = dialect in ("postgres", "redshift")
        self.has_indexes = dialect == "postgres"
        if not self.is_duckdb:
            self._configure_credentials(destination)
        capabilities = destination.capabilities()
        table = new_table("any", write_disposition="merge")
        self.merges = bool(resolve_merge_strategy({"any": table}, table, capabilities))
        self.updates = self.merges and issubclass(destination.client_class, SqlJobClientBase)
        if resolve_replace_strategy(table, REPLACE_STRATEGY, capabilities):
            destination.config_params["replace_strategy"] = REPLACE_STRATEGY
        self._pipeline = dlt.pipeline(
            pipeline_name=DATASET,
            pipelines_dir=str(self.buffer / "pipelines"),
            destination=destination,
            dataset_name=dataset,
        )
        # Otherwise dlt writes to the screen.
        logger = logging.getLogger("dlt")
        logger.handlers, logger.propagate = [], True
        self._take_lock(dialect)
        self._pipeline.sync_destination()

    def saved_state(self) -> dict[str, Any]:
        """Return the state of the last complete load, empty if there is none."""
        return dict(self._pipeline.state.get("sources", {}).get(DATASET, {}))

    def dropped_tables(self, names: Iterable[str]) -> set[str]:
        """Return which of these tables a user has dropped; the next load creates them.

        Of files this cannot be known: a table without rows has none.
        """
        if DATASET not in self._pipeline.schemas:
            return set()
        with self._pipeline.destination_client(DATASET) as client:
            if not isinstance(client, SqlJobClientBase):
                return set()
            tables = {*names} & {*self._pipeline.schemas[DATASET].tables}
            stored = client.get_storage_tables(sorted(tables))
            dropped = {name for name, columns in stored if not columns}
            if dropped:
                # dlt creates tables only if the schema is not among those that it has stored.
                client.drop_tables(*dropped, delete_schema=True)
        return dropped

    def has_table(self, table: Table) -> bool:
        """Return whether the table exists."""
        schemas = self._pipeline.schemas
        return DATASET in schemas and table.name in schemas[DATASET].tables

    def lacks_column(self, table: Table, name: str) -> bool:
        """Return whether the table was loaded by a release that did not have the column."""
        return name not in self._pipeline.schemas[DATASET].tables[table.name]["columns"]

    def select(self, table: Table, columns: Sequence[str], where: Where) -> Iterator[Sequence[Any]]:
        """Yield the values of some columns, of the rows that a condition holds for."""
        with self._pipeline.sql_client(DATASET) as client:
            names = ", ".join(map(client.escape_column_name, columns))
            condition, values = where
            query = f"SELECT {names} FROM {client.make_qualified_table_name(table.name)}"
            with client.execute_query(f"{query} WHERE {condition}", *values) as cursor:
                while rows := cursor.fetchmany(CHUNK):
                    yield from rows

    def update(self, table: Table, column: str, value: Any, where: Where) -> None:
        """Set a column of the rows that a condition holds for."""
        with self._pipeline.sql_client(DATASET) as client:
            condition, values = where
            name = client.make_qualified_table_name(table.name)
            column = client.escape_column_name(column)
            client.execute_sql(f"UPDATE {name} SET {column} = %s WHERE {condition}", value, *values)

    def load(self, loads: Sequence[Load], state: Mapping[str, Any]) -> None:
        """Load rows and the state that covers them.

        dlt restores a state only from a load that is marked as complete, which it does last. An
        interrupted load may leave rows in some tables: the next load merges them again.
        """
        if self._lock_holder:
            # The lock is lost with its connection. Raises the driver's error.
            self._lock_holder.execute_sql("select 1")
        with signals.intercepted_signals():
            self._pipeline.extract(source([self._resource(*load) for load in loads], state))
            self._pipeline.normalize()
            self._pipeline.load()
            # dlt lets what has begun end, and then forgets that it was to stop.
            signals.raise_if_signalled()
        if self.has_indexes:
            self._create_indexes(table for table, _ in loads)

    def _create_indexes(self, tables: Iterable[Table]) -> None:
        """Create an index on the key of each table that has none.

        dlt's own hints make single columns unique, and most keys have several. Not unique: a row
        that is there twice is better than none.
        """
        new = {table.name: table for table in tables if table.name not in self._indexed}
        if not new:
            return
        with self._pipeline.sql_client() as client:
            for name, table in new.items():
                columns = ", ".join(map(client.escape_column_name, table.key))
                index = client.escape_column_name(f"{name}_key")
                place = client.make_qualified_table_name(name)
                try:
                    client.execute_sql(f"create index if not exists {index} on {place} ({columns})")
                except DatabaseException as error:
                    # Of a table that the user has given to another role, for one.
                    LOGGER.warning("%s has no index on its key: %s", name, error)
                self._indexed.add(name)

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

    def _configure_credentials(self, destination: Any) -> None:
        """Register the secrets that dlt has found; leave a missing password to the driver."""
        found = destination.configuration(destination.spec(), accept_partial=True)
        credentials: Any = getattr(found, "credentials", None)
        values = dict(credentials) if isinstance(credentials, Mapping) else {}
        register_secrets(str(v) for name, v in values.items() if v and NAMES_SECRET.search(name))
        if self.is_postgres and values.get("username") and values.get("password") is None:
            # PostgreSQL may need none, or its driver has one; it takes an empty one for none.
            credentials["password"] = ""
            destination.config_params["credentials"] = credentials

    def _take_lock(self, dialect: str) -> None:
        """Take the database's lock. Raises `UserError` if another sync has it."""
        # DuckDB locks a file that is open.
        self.locks = self.is_duckdb or dialect == "postgres"
        if self.is_duckdb or not self.locks:
            return
        # A connection of its own: those of loads come and go.
        self._lock_holder = self._pipeline.sql_client()
        self._lock_holder.open_connection()
        [(free,)] = self._lock_holder.execute_sql(ADVISORY_LOCK)
        if not free:
            raise UserError(
                f"Another sync into {self.name} is under way, from another folder: wait for its "
                "end, or stop it."
            )


def source(resources: list[Any], state: Mapping[str, Any]) -> Any:
    """Return the dlt source of one load."""

    def save_state() -> Iterator[Any]:
        dlt.current.source_state().update(state)
        yield from ()

    return dlt.source(lambda: [*resources, dlt.resource(save_state, name="state")], name=DATASET)()
