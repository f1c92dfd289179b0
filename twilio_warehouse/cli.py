"""The command `twilio-warehouse`: its subcommands, their options and exit statuses."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from twilio_warehouse.config import FIRST_DATE, read_settings
from twilio_warehouse.connector import Connector
from twilio_warehouse.errors import UserError
from twilio_warehouse.log import redact
from twilio_warehouse.progress import Progress

# Each command imports what it needs when it runs: dlt, the CDK and Matplotlib take seconds.

DUCKDB = "duckdb:///"
DEFAULT_DATABASE = f"{DUCKDB}twilio.duckdb"
CHECKOUT = Path(__file__).parents[1]

DESCRIPTION = "Copies a Twilio account into a database, without a platform, and queries it."
SYNC = """\
Copy a Twilio account into a database. Run it again for what has changed since: the state is
kept with the tables. Progress and errors go to stderr, the summary goes to stdout."""
SYNC_DETAILS = """\
examples:
  twilio-warehouse sync secrets/config.json
  twilio-warehouse sync secrets/config.json --to duckdb:////srv/data/twilio.duckdb
  twilio-warehouse sync secrets/config.json --to postgres --streams messages,calls
  twilio-warehouse sync secrets/config.json --except message_media --refresh calls
  twilio-warehouse sync secrets/config.json --exclude-columns messages.body
  TWILIO_ACCOUNT_SID=AC... TWILIO_AUTH_TOKEN=... twilio-warehouse sync --start-date 2025-01-01

CONFIG is a JSON file:
  {"account_sid": "AC...", "auth_token": "...", "start_date": "2025-01-01T00:00:00Z"}
Without it the environment has TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or TWILIO_API_KEY with
TWILIO_API_SECRET; a key wins over a token. TWILIO_REGION and TWILIO_EDGE are read too.
All settings: docs/twilio.md. A destination other than DuckDB takes its credentials from dlt's
settings, such as DESTINATION__POSTGRES__CREDENTIALS=postgresql://loader:...@host:5432/db in the
environment, or from .dlt/secrets.toml.

exit status:
  0    all is loaded, but for streams that the credentials have never opened ("Left out:")
  1    a stream is incomplete, or the destination failed during the sync; run it again
  2    a setting, the credentials or the destination is wrong; nothing was done
  130  stopped by Ctrl-C or SIGTERM; the next sync continues from there"""
QUERY = """\
Run a query on the tables of a DuckDB file and print the result; without one, list the tables."""
QUERY_DETAILS = """\
examples:
  twilio-warehouse query
  twilio-warehouse query "select status, count(*) from messages group by status"
  twilio-warehouse query --from duckdb:////srv/data/twilio.duckdb "select * from calls limit 5"
  twilio-warehouse query --json "select status, count(*) as messages from messages group by status"

exit status:
  0  the result was printed
  2  the file or the query is wrong"""
REPORT = """\
Write a report about the tables of a DuckDB file: delivery, spend, calls, alerts, reconciliation
and freshness, with charts, in one self-contained HTML file."""
REPORT_DETAILS = """\
examples:
  twilio-warehouse report
  twilio-warehouse report --from duckdb:////srv/data/twilio.duckdb --output /srv/www/twilio.html

exit status:
  0  the report was written
  2  the file is wrong"""
RECONCILE = """\
Compare what Twilio billed (usage_records) with the rows that arrived (messages, calls,
recordings), by account, day and category."""
RECONCILE_DETAILS = """\
examples:
  twilio-warehouse reconcile
  twilio-warehouse reconcile --from duckdb:////srv/data/twilio.duckdb || mail -s "rows missing" me

exit status:
  0  no day is missing rows
  1  rows are missing
  2  the file is wrong, or a table is missing"""
VERIFY_API = """\
Test on a real account what Twilio's documentation leaves open, with 100 to 200 GET requests, and
print the answers as a Markdown table. It holds no SID, phone number, name, date or secret."""
VERIFY_API_DETAILS = """\
example:
  twilio-warehouse verify-api secrets/config.json > verify-api.md

exit status:
  0  the table was printed
  2  a setting or the credentials are wrong"""
MIGRATE = """\
Print what changes when this connector replaces Airbyte's own source-twilio: for each stream and
account of the old state the date from which this connector reads, and why; then the streams, keys
and cursor fields that differ. It sends no request."""
MIGRATE_DETAILS = """\
example:
  twilio-warehouse migrate --state old.json --config secrets/config.json

exit status:
  0  the report was printed
  1  a file cannot be read, or holds no state"""
DEMO = """\
Sync a Twilio simulator into build/demo.duckdb, twice, and run sample queries. It needs no
account, and a checkout of the repository: the simulator is not installed with the package."""
DEMO_DETAILS = """\
example:
  twilio-warehouse demo"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of the command line, and return its exit status."""
    given = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, raise_interrupt)
    try:
        return int(given.run(given))
    except UserError as error:
        print(redact(str(error)), file=sys.stderr)
        return error.status
    except ModuleNotFoundError as error:
        print(f"{error}: pip install 'source-twilio[warehouse]'", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def raise_interrupt(*_: Any) -> NoReturn:
    """Handle SIGTERM as Ctrl-C."""
    raise KeyboardInterrupt


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser("twilio-warehouse", description=DESCRIPTION)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(
        name: str, summary: str, description: str, details: str, run: Any
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=summary,
            description=description,
            epilog=details,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        return command

    sync = add("sync", "copy a Twilio account into a database", SYNC, SYNC_DETAILS, run_sync)
    add_config(sync)
    sync.add_argument(
        "--start-date",
        default="",
        metavar="DATE",
        help="read records from this day or moment on (default: that of CONFIG, or else "
        f"{FIRST_DATE}: all that Twilio shows)",
    )
    sync.add_argument(
        "--to",
        metavar="DESTINATION",
        default=DEFAULT_DATABASE,
        help="duckdb:///FILE, or a destination of dlt: postgres, bigquery, snowflake, ... "
        f"(default: {DEFAULT_DATABASE})",
    )
    sync.add_argument(
        "--streams", default="", help="names, separated by commas (default: all streams)"
    )
    sync.add_argument(
        "--except", default="", metavar="STREAMS", dest="excluded", help="streams to leave out"
    )
    sync.add_argument(
        "--refresh",
        default="",
        metavar="STREAMS",
        help="streams to read again from start_date, or all; they replace their tables when they "
        "are complete",
    )
    sync.add_argument(
        "--exclude-columns",
        default="",
        metavar="COLUMNS",
        help="columns to leave out, such as messages.body,calls.from",
    )
    sync.add_argument(
        "--hash-columns",
        default="",
        metavar="COLUMNS",
        help="columns of text that are hashed (HMAC-SHA256) with the key in "
        "TWILIO_WAREHOUSE_HASH_KEY",
    )
    add_json(sync, "the summary")
    sync.add_argument(
        "--load-every",
        type=float,
        default=15,
        metavar="SECONDS",
        help="the least time between two loads (default: %(default)s)",
    )
    query = add("query", "run SQL on a database file", QUERY, QUERY_DETAILS, run_query)
    query.add_argument("sql", nargs="?", default="", metavar="SQL", help="the query, in DuckDB SQL")
    add_source(query)
    add_json(query, "the rows")
    report = add("report", "write an HTML report with charts", REPORT, REPORT_DETAILS, run_report)
    add_source(report)
    report.add_argument(
        "--output",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="the file to write (default: %(default)s)",
    )
    summary = "compare what Twilio billed with the rows that arrived"
    reconcile = add("reconcile", summary, RECONCILE, RECONCILE_DETAILS, run_reconcile)
    add_source(reconcile)
    add_json(reconcile, "the days")
    summary = "test on a real account what Twilio's documentation leaves open"
    verify = add("verify-api", summary, VERIFY_API, VERIFY_API_DETAILS, run_verify_api)
    add_config(verify)
    add_json(verify, "the answers")
    summary = "print what changes after Airbyte's own source-twilio"
    migrate = add("migrate", summary, MIGRATE, MIGRATE_DETAILS, run_migrate)
    migrate.add_argument(
        "--state", type=Path, required=True, metavar="FILE", help="the old connector's state"
    )
    migrate.add_argument("--config", type=Path, metavar="FILE", help="the config of this connector")
    add("demo", "sync a Twilio simulator; needs a checkout", DEMO, DEMO_DETAILS, run_demo)
    return whole


def add_config(command: argparse.ArgumentParser) -> None:
    """Add the argument CONFIG."""
    command.add_argument(
        "config",
        nargs="?",
        type=Path,
        metavar="CONFIG",
        help="the JSON file with the settings (default: the environment)",
    )


def add_json(command: argparse.ArgumentParser, what: str) -> None:
    """Add the option --json."""
    command.add_argument("--json", action="store_true", help=f"print {what} as JSON, for programs")


def add_source(command: argparse.ArgumentParser) -> None:
    """Add the option --from."""
    command.add_argument(
        "--from",
        dest="source",
        metavar="DATABASE",
        default=DEFAULT_DATABASE,
        help=f"duckdb:///FILE, as given to sync (default: {DEFAULT_DATABASE})",
    )


def parse_destination(text: str) -> tuple[str, Path]:
    """Return dlt's name of a destination, and the file if it is DuckDB. Raises `UserError`."""
    if text.startswith(DUCKDB) and text != DUCKDB:
        return "duckdb", Path(text.removeprefix(DUCKDB))
    if text == "duckdb":
        return parse_destination(DEFAULT_DATABASE)
    if "://" in text:
        # A URL may hold a password, which other users would see in the list of processes.
        kind = text.partition(":")[0]
        raise UserError(
            f"{kind}://... is not a destination: name a file, {DEFAULT_DATABASE}, or a destination "
            "of dlt, such as postgres, with its URL in DESTINATION__POSTGRES__CREDENTIALS."
        )
    if "/" in text or text.endswith((".duckdb", ".db")):
        return "duckdb", Path(text)
    return text, Path()


def db_file(given: argparse.Namespace) -> Path:
    """Return the database file of --from. Raises `UserError` if it is not DuckDB."""
    kind, path = parse_destination(given.source)
    if kind != "duckdb":
        raise UserError(
            f"Only DuckDB files are read here. Query {kind} with its own client: the tables are in "
            "its schema twilio. docs/proof.md has the comparison in plain SQL."
        )
    return path


def names(text: str) -> list[str]:
    """Return names that are separated by commas or spaces."""
    return text.replace(",", " ").split()


def refuse_windows(command: str) -> None:
    """Raise `UserError` on Windows, which has neither the locks nor the pipes of a sync."""
    if sys.platform == "win32":
        raise UserError(
            f"twilio-warehouse {command} does not run on Windows itself: run it in WSL (wsl "
            "--install, and there as on Linux) or in a container; docs/operating.md shows both."
        )


def run_sync(given: argparse.Namespace) -> int:
    """Sync an account."""
    refuse_windows("sync")
    settings = read_settings(given.config, "sync", given.start_date)
    kind, path = parse_destination(given.to)
    with Progress() as progress, Connector(settings.config) as connector:
        progress.begin("checking the settings")
        # The connector's process imports what it needs at the same time.
        from twilio_warehouse.destination import Destination
        from twilio_warehouse.sync import sync_account

        connector.check_settings(settings.origin)
        progress.begin(f"opening {path if kind == 'duckdb' else kind}")
        return sync_account(
            connector,
            Destination(kind, path),
            progress,
            streams=names(given.streams),
            excluded=names(given.excluded),
            refresh=names(given.refresh),
            excluded_columns=names(given.exclude_columns),
            hashed_columns=names(given.hash_columns),
            load_every=given.load_every,
            as_json=given.json,
        )


def run_query(given: argparse.Namespace) -> int:
    """Print the result of a query."""
    from twilio_warehouse.models import create
    from twilio_warehouse.query import LIST_TABLES, open_database, print_rows, print_table

    with open_database(db_file(given)) as connection:
        create(connection, given.sql)
        show = print_rows if given.json else print_table
        show(connection, given.sql.strip() or LIST_TABLES)
    return 0


def run_report(given: argparse.Namespace) -> int:
    """Write the report."""
    path = db_file(given)
    from twilio_warehouse.report import write_report

    write_report(path, given.output)
    return 0


def run_reconcile(given: argparse.Namespace) -> int:
    """Print the comparison of bills and rows."""
    from twilio_warehouse.query import open_database
    from twilio_warehouse.reconcile import print_reconciliation

    with open_database(db_file(given)) as connection:
        return 1 if print_reconciliation(connection, given.json) else 0


def run_verify_api(given: argparse.Namespace) -> int:
    """Print the table about Twilio's API."""
    settings = read_settings(given.config, "verify-api")
    with Connector(settings.config) as connector:
        from twilio_warehouse.verify_api.report import verify_api

        connector.check_settings(settings.origin)
        print("Asking Twilio for the accounts ...", file=sys.stderr)
        connector.check()
    verify_api(settings.config, given.json)
    return 0


def run_migrate(given: argparse.Namespace) -> int:
    """Print the report about an old state."""
    from twilio_warehouse.migrate import print_report

    print_report(given.state, given.config)
    return 0


def run_demo(_: argparse.Namespace) -> int:
    """Run the demo, if this is a checkout."""
    refuse_windows("demo")
    if not (CHECKOUT / "sandbox" / "__init__.py").is_file():
        raise UserError(
            "The demo needs a checkout of the repository: there, make demo runs it in an "
            "environment of its own."
        )
    # The command of an environment does not look for modules in the checkout.
    sys.path.insert(0, str(CHECKOUT))
    from twilio_warehouse.demo import run_demo as run

    run()
    return 0
