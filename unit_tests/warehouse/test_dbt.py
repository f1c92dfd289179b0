"""The views for Fivetran's dbt package: its columns, made of ours, on real tables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dev.docs.dbt_views import DIALECTS, VIEWS, columns, files, main, sources, sql
from sandbox import Sandbox
from unit_tests.support.syncing import configured, sync

SCHEMAS = Path(__file__).parents[2] / "source_twilio" / "schemas"
# The columns that the package names for its sources (its models/staging/src_twilio.yml, as of
# 2026), and _fivetran_deleted, which its staging model of messaging services selects besides.
EXPECTED = {
    "account_history": "_fivetran_synced created_at friendly_name id owner_account_id status type "
    "updated_at",
    "address": "_fivetran_synced account_id city created_at customer_name emergency_enabled "
    "friendly_name id iso_country postal_code region street updated_at validated verified",
    "call": "_fivetran_synced account_id annotation answered_by caller_name created_at direction "
    "duration end_time forwarded_from from from_formatted group_id id outgoing_caller_id "
    "parent_call_id price price_unit queue_time start_time status to to_formatted trunk_id "
    "updated_at",
    "incoming_phone_number": "_fivetran_synced account_id address_id address_requirements beta "
    "capabilities_mms capabilities_sms capabilities_voice created_at emergency_address_id "
    "emergency_status friendly_name id origin phone_number trunk_id updated_at "
    "voice_caller_id_lookup voice_url",
    "message": "_fivetran_synced account_id body created_at date_sent direction error_code "
    "error_message from id messaging_service_sid num_media num_segments price price_unit status "
    "to updated_at",
    "messaging_service": "_fivetran_deleted _fivetran_synced account_id area_code_geomatch "
    "created_at fallback_method fallback_to_long_code fallback_url friendly_name id "
    "inbound_method inbound_request_url mms_converter scan_message_content smart_encoding "
    "status_callback sticky_sender synchronous_validation updated_at us_app_to_person_registered "
    "use_inbound_webhook_on_number usecase validity_period",
    "outgoing_caller_id": "_fivetran_synced created_at friendly_name id phone_number updated_at",
    "usage_record": "_fivetran_synced account_id as_of category count count_unit description "
    "end_date price price_unit start_date usage usage_unit",
}
# What is a type of DuckDB only.
OF_POSTGRES = {"JSON": "jsonb"}
STREAMS = {view: stream for view, (stream, _) in VIEWS.items()}


def test_the_views_have_the_columns_of_the_package() -> None:
    """Each of the eight tables has exactly the columns that the package knows."""
    found = {view: sorted([*columns(view), "_fivetran_synced"]) for view in VIEWS}
    assert found == {view: sorted(names.split()) for view, names in EXPECTED.items()}


@pytest.mark.parametrize("view", VIEWS)
def test_the_views_are_made_of_fields_of_our_schemas(view: str) -> None:
    """A field that a view reads is in the schema of its stream."""
    schema = json.loads((SCHEMAS / f"{STREAMS[view]}.json").read_text("utf-8"))
    assert [field for field in sources(view) if field not in schema["properties"]] == []


def test_the_files_are_as_written() -> None:
    """dbt/fivetran/ holds what `python -m dev.docs.dbt_views` writes."""
    assert {file: file.read_text("utf-8") for file in files()} == files()


def test_the_command_prints_views_of_other_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    """Dialect, loader and schemas can be chosen; anything else prints the usage."""
    assert main(["bigquery", "dlt", "raw", "views"]) == ""
    printed = capsys.readouterr().out
    assert printed == sql("bigquery", "dlt", "raw", "views")
    assert "create or replace view `views`.`call` as select\n  `sid` as `id`," in printed
    assert "from `raw`.`calls`;" in printed
    assert main(["oracle", "dlt"]).startswith("Writes the views")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_table_of_airbyte_tells_when_it_was_read(dialect: str) -> None:
    """Tables that Airbyte loads have another column for it than those of dlt."""
    quote = DIALECTS[dialect].quote
    about = f"{quote}_airbyte_extracted_at{quote} as {quote}_fivetran_synced{quote}"
    assert sql(dialect, "airbyte").count(about) == len(VIEWS)
    assert sql(dialect, "dlt").count("_dlt_loads") == len(VIEWS)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with the eight streams, loaded by a sync."""
    folder, streams = tmp_path_factory.mktemp("sync"), ",".join(sorted(STREAMS.values()))
    with Sandbox(seed=1, scale=0.02) as twilio:
        configured(folder, {**twilio.config, "start_date": "2020-01-01T00:00:00Z"})
        code, output, errors = sync(folder, "--streams", streams, **twilio.environment)
    assert code == 0, output + errors
    return folder / "t.duckdb"


def judged(ask: Callable[[str], list[tuple[Any, ...]]]) -> None:
    """Hold the views to the tables that they are made of; `ask` runs a query."""
    for view, stream in STREAMS.items():
        [(rows,)] = ask(f"select count(*) from {stream}")
        assert rows > 0
        assert ask(f'select count(*), count(_fivetran_synced) from twilio_dbt."{view}"') == [
            (rows, rows)
        ]
    # Every message has a day: that of its creation, if it was never sent.
    [(unsent,)] = ask("select count(*) from messages where date_sent is null")
    assert unsent > 0
    created = "select count(*) from twilio_dbt.message where date_sent = created_at"
    assert ask(created)[0][0] >= unsent
    assert ask("select count(*) from twilio_dbt.message where date_sent is null") == [(0,)]
    capable = "select distinct capabilities_voice, capabilities_mms "
    assert {
        type(flag)
        for row in ask(f"{capable} from twilio_dbt.incoming_phone_number")
        for flag in row
    } == {bool}
    assert ask("select distinct _fivetran_deleted from twilio_dbt.messaging_service") == [(False,)]


def test_the_views_on_duckdb(loaded: Path, tmp_path: Path) -> None:
    """The views work on tables of a sync."""
    file = shutil.copy(loaded, tmp_path)
    with duckdb.connect(file) as database:
        database.execute(sql("duckdb", "dlt"))
        judged(lambda query: database.execute(query).fetchall())


def test_the_views_on_postgres(loaded: Path, postgres: str) -> None:
    """The same on PostgreSQL, with the types that Airbyte and dlt give to the columns there."""
    import psycopg2

    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:

        def ask(query: str) -> list[tuple[Any, ...]]:
            cursor.execute(query)
            return list(cursor.fetchall())

        cursor.execute("create schema twilio; set search_path = twilio")
        with duckdb.connect(str(loaded), read_only=True) as database:
            for stream in [*STREAMS.values(), "_dlt_loads"]:
                types = database.execute(f"describe {stream}").fetchall()
                made = ", ".join(
                    f'"{name}" {OF_POSTGRES.get(kind, kind)}' for name, kind, *_ in types
                )
                cursor.execute(f"create table twilio.{stream} ({made})")
                rows = database.execute(f"select * from {stream}").fetchall()
                places = ", ".join(["%s"] * len(types))
                cursor.executemany(f"insert into twilio.{stream} values ({places})", rows)
        cursor.execute(sql("postgres", "dlt"))
        judged(ask)
        for stream in STREAMS.values():
            cursor.execute(
                f"alter table twilio.{stream} add _airbyte_extracted_at timestamptz default now()"
            )
        cursor.execute("drop schema twilio_dbt cascade")
        cursor.execute(sql("postgres", "airbyte"))
        judged(ask)
