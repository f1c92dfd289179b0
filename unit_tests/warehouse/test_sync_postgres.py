"""Syncs into a real PostgreSQL server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox import Sandbox
from unit_tests.support.syncing import (
    between,
    catalog,
    configured,
    go_on,
    in_load,
    kept,
    killed,
    read,
    sync,
)

SOME = ("calls", "messages", "queues", "usage_records")


def rows_of(url: str, streams: dict[str, Any]) -> dict[str, Any]:
    """Return what the tables hold."""
    import psycopg2

    found = {}
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")
        for name, stream in streams.items():
            cursor.execute(
                "select column_name, data_type from information_schema.columns where "
                "table_schema = 'twilio' and table_name = %s order by ordinal_position",
                (name,),
            )
            columns = [row for row in cursor.fetchall() if not row[0].startswith("_dlt")]
            listed = ", ".join(f'"{column}"' for column, _ in columns)
            cursor.execute(f"select {listed} from twilio.{name}")
            found[name] = kept(cursor.fetchall(), columns, stream)
    return found


def test_postgres(postgres: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """Syncs, also after kills, leave what is read; types are those of ours."""
    configured(tmp_path, sandbox.config)
    streams = {name: stream for name, stream in catalog().items() if name in SOME}
    asked = ("--to", "postgres", "--streams", ",".join(SOME), "--load-every", "0")
    environment = {"DESTINATION__POSTGRES__CREDENTIALS": postgres}
    status, output, errors = sync(tmp_path, *asked, **environment)
    assert (status, errors) == (0, "Reading 4 streams into postgres ...\n")
    assert rows_of(postgres, streams) == read(tmp_path, streams)
    assert output.splitlines()[-1] == (
        "The tables are in postgres; the log is build/postgres.sync/sync.log."
    )
    log = Path("build/postgres.sync/sync.log")
    for when in (in_load(1, 0.1), between(1), in_load(2, 0.2)):
        go_on(sandbox)
        assert killed(tmp_path, when, *asked, log=log, **environment)
    assert sync(tmp_path, *asked, **environment)[0] == 0
    assert rows_of(postgres, streams) == read(tmp_path, streams)
    import psycopg2

    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select data_type from information_schema.columns where table_schema = 'twilio' and "
            "table_name = 'messages' and column_name in ('date_sent', 'price', 'subresource_uris') "
            "order by column_name"
        )
        types = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "select indexdef from pg_indexes where schemaname = 'twilio' and "
            "indexname = tablename || '_key' order by indexname"
        )
        indexes = [row[0].partition(" ON ")[2] for row in cursor.fetchall()]
    assert types == ["timestamp with time zone", "numeric", "jsonb"]
    assert indexes == [
        "twilio._syncs USING btree (id)",
        "twilio.calls USING btree (sid)",
        "twilio.messages USING btree (sid)",
        "twilio.queues USING btree (sid)",
        "twilio.usage_records USING btree (start_date, category, account_sid, end_date)",
    ]
    assert "a-password" not in log.read_text("utf-8")


def test_table_of_another_role(postgres: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """Where the index cannot be made, rows are loaded as before, and the log says so."""
    import psycopg2

    configured(tmp_path, sandbox.config)
    asked = ("--to", "postgres", "--streams", "queues")
    assert sync(tmp_path, *asked, DESTINATION__POSTGRES__CREDENTIALS=postgres)[0] == 0
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute("create role loader login; grant all on schema twilio to loader")
        cursor.execute("grant all on database postgres to loader")
        cursor.execute("grant all on all tables in schema twilio to loader")
        cursor.execute("grant all on schema twilio_staging to loader")
        cursor.execute("grant all on all tables in schema twilio_staging to loader")
        cursor.execute("drop index twilio.queues_key")
    connection.close()
    log = Path("build/postgres.sync/sync.log")
    log.unlink()
    go_on(sandbox)
    url = postgres.replace("//twilio:", "//loader:")
    assert sync(tmp_path, *asked, DESTINATION__POSTGRES__CREDENTIALS=url)[0] == 0
    assert "queues has no index on its key: " in log.read_text("utf-8")
