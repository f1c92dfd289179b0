"""The dbt package: right figures of hand-made rows, and the same as in twilio-warehouse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
import yaml

from dev.docs import dbt_models
from sandbox import Sandbox
from twilio_warehouse import models
from twilio_warehouse.tables import OWN_COLUMNS
from unit_tests.support.dbt import Project, columns, require_dbt
from unit_tests.support.syncing import ROOT, configured, sync

Rows = list[tuple[Any, ...]]
Ask = Callable[[str], Rows]
MARTS = sorted(path.stem for path in (ROOT / "dbt" / "models" / "marts").glob("*.sql"))
OURS, ALONE, AGENT = "+14155550100", "+14155550199", "rcs:agent"
READ_AT = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


# A row that was deleted, as twilio-warehouse marks it, and as Airbyte's loader leaves it.
GONE = {
    "deleted_at": READ_AT - timedelta(days=1),
    "_airbyte_extracted_at": READ_AT - timedelta(days=2),
}


def message(sid: str, user: str, created: str, **fields: Any) -> dict[str, Any]:
    """Return an outbound message that was delivered, or what the fields make of it."""
    at = datetime.fromisoformat(created + "+00:00")
    row: dict[str, Any] = {"sid": sid, "account_sid": "AC1", "from": OURS, "to": user}
    row |= {"direction": "outbound-api", "num_segments": 1, "num_media": 0}
    row |= {"status": "delivered", "date_created": at, "date_sent": at + timedelta(seconds=4)}
    row |= {"date_updated": at + timedelta(seconds=10)}
    return {**row, "price": Decimal("-0.04"), "price_unit": "usd", **fields}


def reply(sid: str, user: str, created: str, body: str, **fields: Any) -> dict[str, Any]:
    """Return an inbound message."""
    sides = {"from": user, "to": OURS, "direction": "inbound", "status": "received", "body": body}
    return message(sid, user, created, **{**sides, **fields})


def usage(day: int, **prices: str) -> list[dict[str, Any]]:
    """Return the usage of a day of March."""
    on = date(2026, 3, day)
    return [
        {"account_sid": "AC1", "start_date": on, "end_date": on, "category": name.replace("_", "-")}
        | {"price": Decimal(price), "price_unit": "usd", "count": 1, "usage": 1}
        for name, price in prices.items()
    ]


def call(sid: str, **fields: Any) -> dict[str, Any]:
    """Return an outbound call of a minute."""
    at = datetime(2026, 3, 20, 23, 30, tzinfo=timezone.utc)
    row = {"sid": sid, "account_sid": "AC1", "from": OURS, "to": "+447700900001", "duration": 60}
    row |= {
        "direction": "outbound-api",
        "status": "completed",
        "start_time": at,
        "date_created": at,
    }
    return {**row, "price": Decimal("-0.02"), "price_unit": "USD", **fields}


def recording(sid: str, **fields: Any) -> dict[str, Any]:
    """Return a recording, the later the higher its SID."""
    row = {"sid": sid, "account_sid": "AC1", "status": "completed", "date_updated": READ_AT}
    at = READ_AT - timedelta(days=9 - int(sid[-1]))
    return {**row, "date_created": at, **fields}


def said(place: int, seconds: int, **fields: Any) -> dict[str, Any]:
    """Return a message of a conversation."""
    at = datetime(2026, 3, 20, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    row = {"sid": f"IM{place}", "account_sid": "AC1", "conversation_sid": "CH1", "index": place}
    return {**row, "date_created": at, **fields}


# Streams that are not here have no table.
ROWS: dict[str, list[dict[str, Any]]] = {
    "accounts": [
        {"sid": "AC1", "friendly_name": "Main", "status": "active"},
        {"sid": "AC2", "friendly_name": "Second", "status": "active"},
    ],
    "messages": [
        # Sent on the next day, which is the one that Twilio bills.
        message("SM01", "+447700900001", "2026-03-20T23:59:58", num_segments=2),
        message("SM02", "+447700900001", "2026-03-21T09:00:00"),
        message("SM03", "+447700900001", "2026-03-21T10:00:00", status="sent"),
        message(
            "SM04", "+12425550100", "2026-03-21T11:00:00", status="undelivered", error_code=30005
        ),
        message(
            "SM05",
            "+12125550100",
            "2026-03-21T11:00:00",
            status="failed",
            error_code=30034,
            date_sent=None,
            price=None,
            price_unit=None,
            **{"from": ALONE},
        ),
        message(
            "SM06",
            "+12125550100",
            "2026-03-21T12:00:00",
            status="failed",
            error_code=30033,
            date_sent=None,
            messaging_service_sid="MG1",
        ),
        message(
            "SM07",
            "whatsapp:US.ABC123",
            "2026-03-21T12:00:00",
            status="read",
            **{"from": "whatsapp:" + OURS},
        ),
        message(
            "SM08",
            "+12125550101",
            "2026-03-21T12:00:00",
            status="scheduled",
            date_sent=None,
            account_sid="AC2",
            price=None,
        ),
        reply("MM09", "+12045550100", "2026-03-21T12:00:00", "a picture", num_media=1),
        # Only SMS and MMS in January; only RCS in February; both since March 15.
        reply("SM11", "+447700900002", "2026-01-01T00:00:00", " stop\n"),
        reply("SM12", "rcs:+447700900002", "2026-02-01T00:00:00", "Start", to=AGENT),
        reply("SM13", "+447700900004", "2026-04-01T00:00:00", "Unsubscribe"),
        reply("SM14", "rcs:+447700900004", "2026-05-01T00:00:00", "yes", to=AGENT),
        # No keyword then; more than a keyword; not opted out; not Twilio's to handle.
        reply("SM15", "+447700900003", "2025-05-13T00:00:00", "REVOKE"),
        reply("SM16", "+447700900003", "2026-04-01T00:00:00", "STOP PLEASE"),
        reply("SM17", "+447700900003", "2026-04-01T00:00:00", "help"),
        reply("SM18", "whatsapp:+447700900003", "2026-04-01T00:00:00", "STOP"),
        reply("SM19", "+447700900006", "2025-05-14T00:00:00", "revoke", to=ALONE),
        message(
            "SM20",
            "+447700900005",
            "2026-04-02T00:00:00",
            status="failed",
            error_code=21610,
            date_sent=None,
            **{"from": ALONE},
        ),
        # Of two in one second, the opt-out is believed.
        reply("SM21", "+447700900007", "2026-04-01T00:00:00", "START"),
        reply("SM22", "+447700900007", "2026-04-01T00:00:00", "Quit"),
        message("SM23", "+447700900008", "2026-05-20T00:00:00", body="", is_redacted=True),
        message("SM24", "+447700900008", "2026-05-21T00:00:00", **GONE),
        # It may never have had a body.
        reply("SM25", "+447700900008", "2026-05-23T00:00:00", ""),
    ],
    "recordings": [
        recording("RE1"),
        recording("RE2", status="deleted"),
        recording("RE3", **GONE),
    ],
    "calls": [
        call("CA1"),
        call("CA2", duration=30),
        call("CA3", status="busy", duration=0, price=None, price_unit=None, start_time=None),
        call("CA4", direction="inbound", to=OURS, **{"from": "+447700900001"}),
    ],
    "usage_records": [
        *usage(20, totalprice="10", sms="4", sms_inbound="1", sms_outbound="3", calls="2"),
        *usage(20, calls_inbound="1.5", phonenumbers="1", some_new_category="2"),
        *usage(21, totalprice="1", sms="2"),
        *usage(22, sms="1", sms_inbound="2"),
        *usage(23, mms_inbound="1"),
    ],
    "incoming_phone_numbers": [
        {"sid": "PN1", "account_sid": "AC1", "phone_number": OURS},
        {"sid": "PN2", "account_sid": "AC1", "phone_number": ALONE},
        {"sid": "PN3", "account_sid": "AC2", "phone_number": "+14155550111"},
    ],
    "messaging_services": [{"sid": "MG1", "account_sid": "AC1", "friendly_name": "Service"}],
    "messaging_service_phone_numbers": [
        {"sid": "PN1", "service_sid": "MG1", "account_sid": "AC1", "phone_number": OURS}
    ],
    "messaging_service_channel_senders": [
        {"sid": "XE1", "messaging_service_sid": "MG1", "account_sid": "AC1", "sender": AGENT}
    ],
    "a2p_brand_registrations": [
        {"sid": "BN1", "account_sid": "AC1", "status": "APPROVED"},
        {"sid": "BN2", "account_sid": "AC1", "status": "FAILED", "failure_reason": "no such EIN"},
    ],
    "us_a2p_campaigns": [
        {"sid": "QE1", "account_sid": "AC1", "messaging_service_sid": "MG1"}
        | {"brand_registration_sid": "BN1", "campaign_status": "VERIFIED"}
    ],
    "conversation_participants": [
        {"sid": "MB1", "account_sid": "AC1", "messaging_binding": {"address": "+447700900001"}},
        {"sid": "MB2", "account_sid": "AC1", "identity": "agent", "messaging_binding": None},
    ],
    "conversation_messages": [
        said(0, 0, participant_sid="MB1", author="+447700900001"),
        said(1, 10, participant_sid="MB1", author="+447700900001"),
        said(2, 60, participant_sid="MB2", author="agent"),
        # This participant has left.
        said(3, 100, participant_sid="MB9", author="+447700900009"),
        said(4, 130, author="system"),
        said(5, 200, participant_sid="MB1", author="+447700900001"),
    ],
}
# By mart: what is asked of it, and the answer.
ANSWERS: Mapping[str, tuple[str, str]] = {
    "twilio__messages_by_day": (
        """
        select day, direction, channel, country, outcome, error_code, currency, messages,
        segments, cost from {} where day between '2026-03-20' and '2026-03-22'
        """,
        """
        2026-03-21 | inbound | mms | CA | received | - | USD | 1 | 1 | 0.04
        2026-03-21 | outbound | sms | BS | undelivered | 30005 | USD | 1 | 1 | 0.04
        2026-03-21 | outbound | sms | GB | delivered | - | USD | 2 | 3 | 0.08
        2026-03-21 | outbound | sms | GB | unconfirmed | - | USD | 1 | 1 | 0.04
        2026-03-21 | outbound | sms | US | failed | 30033 | USD | 1 | 1 | 0.04
        2026-03-21 | outbound | sms | US | failed | 30034 | - | 1 | 1 | 0
        2026-03-21 | outbound | sms | US | pending | - | USD | 1 | 1 | 0
        2026-03-21 | outbound | whatsapp | US | delivered | - | USD | 1 | 1 | 0.04
        """,
    ),
    "twilio__delivery_times": (
        """
        select day, channel, country, sent, delivered, median_seconds_to_send,
        median_seconds_to_deliver, p95_seconds_to_deliver from {}
        """,
        """
        2026-03-21 | sms | BS | 1 | 0 | 4 | - | -
        2026-03-21 | sms | GB | 3 | 2 | 4 | 6 | 6
        2026-03-21 | whatsapp | US | 1 | 1 | 4 | 6 | 6
        2026-05-20 | sms | GB | 1 | 1 | 4 | 6 | 6
        2026-05-21 | sms | GB | 1 | 1 | 4 | 6 | 6
        """,
    ),
    "twilio__spend_by_day": (
        """
        select day, category, cost, totalprice, verdict from {}
        """,
        """
        2026-03-20 | calls | 2 | 10 | agrees
        2026-03-20 | other | 3 | 10 | agrees
        2026-03-20 | phonenumbers | 1 | 10 | agrees
        2026-03-20 | sms | 4 | 10 | agrees
        2026-03-21 | other | -1 | 1 | categories exceed totalprice
        2026-03-21 | sms | 2 | 1 | categories exceed totalprice
        2026-03-22 | sms | 1 | - | no totalprice
        """,
    ),
    "twilio__spend_reconciliation": (
        """
        select day, parent, parent_cost, children_cost, difference, verdict from {}
        """,
        """
        2026-03-20 | calls | 2 | 1.5 | 0.5 | parent has more
        2026-03-20 | sms | 4 | 4 | 0 | agrees
        2026-03-20 | totalprice | 10 | 7 | 3 | parent has more
        2026-03-21 | totalprice | 1 | 2 | -1 | children have more
        2026-03-22 | sms | 1 | 2 | -1 | children have more
        2026-03-22 | totalprice | - | 1 | -1 | no parent
        2026-03-23 | mms | - | 1 | -1 | no parent
        """,
    ),
    "twilio__calls_by_day": (
        """
        select day, direction, outcome, calls, calls_with_duration, seconds, average_seconds,
        longest_seconds, cost from {}
        """,
        """
        2026-03-20 | inbound | completed | 1 | 1 | 60 | 60 | 60 | 0.02
        2026-03-20 | outbound | busy | 1 | 0 | 0 | - | 0 | 0
        2026-03-20 | outbound | completed | 2 | 2 | 90 | 45 | 60 | 0.04
        """,
    ),
    "twilio__numbers": (
        """
        select number_sid, account_name, messaging_service_name, messages_in, messages_out,
        calls_in, calls_out, message_cost, call_cost, is_unused_for_90_days from {}
        """,
        """
        PN1 | Main | Service | 10 | 8 | 1 | 3 | 0.72 | 0.06 | yes
        PN2 | Main | - | 1 | 2 | 0 | 0 | 0.08 | 0 | yes
        PN3 | Second | - | 0 | 0 | 0 | 0 | 0 | 0 | yes
        """,
    ),
    "twilio__a2p_registrations": (
        """
        select messaging_service_sid, brand_sid, brand_status, campaign_status, messages_to_us,
        unregistered_30034, other_a2p_failures from {}
        """,
        """
        MG1 | BN1 | APPROVED | VERIFIED | 1 | 0 | 1
        none | BN2 | FAILED | - | 0 | 0 | 0
        none | none | - | - | 1 | 1 | 0
        """,
    ),
    "twilio__opt_out_events": (
        """
        select message_sid, recipient, sender, kind, source, keyword, channel, counts_for_sms_mms,
        counts_for_rcs from {}
        """,
        """
        SM11 | +447700900002 | MG1 | opt out | keyword | STOP | sms | yes | no
        SM12 | +447700900002 | MG1 | opt in | keyword | START | rcs | no | yes
        SM13 | +447700900004 | MG1 | opt out | keyword | UNSUBSCRIBE | sms | yes | yes
        SM14 | +447700900004 | MG1 | opt in | keyword | YES | rcs | yes | yes
        SM17 | +447700900003 | MG1 | help | keyword | HELP | sms | yes | yes
        SM19 | +447700900006 | +14155550199 | opt out | keyword | REVOKE | sms | yes | no
        SM20 | +447700900005 | +14155550199 | opt out | error 21610 | - | sms | yes | yes
        SM21 | +447700900007 | MG1 | opt in | keyword | START | sms | yes | yes
        SM22 | +447700900007 | MG1 | opt out | keyword | QUIT | sms | yes | yes
        """,
    ),
    "twilio__opt_outs": (
        """
        select recipient, sender_kind, is_opted_out, is_opted_out_of_sms_mms, is_opted_out_of_rcs,
        sender, source, message_sid, opt_out_keywords, opt_in_keywords, refused_messages from {}
        """,
        """
        +447700900002 | messaging service | yes | yes | no | MG1 | keyword | SM11 | 1 | 1 | 0
        +447700900004 | messaging service | no | no | no | MG1 | keyword | SM14 | 1 | 1 | 0
        +447700900005 | number | yes | yes | yes | +14155550199 | error 21610 | SM20 | 0 | 0 | 1
        +447700900006 | number | yes | yes | no | +14155550199 | keyword | SM19 | 1 | 0 | 0
        +447700900007 | messaging service | yes | yes | yes | MG1 | keyword | SM22 | 1 | 1 | 0
        """,
    ),
    "twilio__conversation_response_times": (
        """
        select conversation_sid, messages, customer_messages, requests, answered_requests,
        median_response_seconds, longest_response_seconds, waiting_since from {}
        """,
        """
        CH1 | 6 | 4 | 3 | 2 | 45 | 60 | 2026-03-20 00:03
        """,
    ),
    "twilio__deletions": (
        """
        select stream, sid, deleted_at, is_redacted from {}
        """,
        """
        messages | SM23 | - | yes
        messages | SM24 | 2026-05-31 12:00 | no
        recordings | RE2 | 2026-06-01 12:00 | no
        recordings | RE3 | 2026-05-31 12:00 | no
        """,
    ),
    "twilio__freshness": (
        """
        select stream, account_sid, account_name, row_count, newest_row_at, last_read_at from {}
        where stream in ('messages', 'usage_records')
        """,
        """
        messages | AC1 | Main | 23 | 2026-05-23 00:00 | 2026-06-01 12:00
        messages | AC2 | Second | 1 | 2026-03-21 12:00 | 2026-06-01 12:00
        usage_records | AC1 | Main | 13 | 2026-03-23 00:00 | 2026-06-01 12:00
        """,
    ),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has taken the package with `dbt deps`, from git and a subdirectory."""
    return Project(tmp_path_factory.mktemp("dbt"))


def on_duckdb(project: Project, file: Path) -> Ask:
    """Make a file the target of the project; return how to ask it."""
    project.target("duckdb", type="duckdb", path=str(file))

    def ask(query: str) -> Rows:
        with duckdb.connect(str(file)) as database:
            database.execute("set timezone = 'UTC'")
            return database.execute(query).fetchall()

    return ask


def on_postgres(project: Project, url: str) -> Ask:
    """Make a server the target of the project; return how to ask it."""
    import psycopg2

    found = re.fullmatch(r"postgresql://(\w+):(.+)@localhost/(\w+)\?host=(.+)", url)
    assert found
    user, password, database, host = found.groups()
    about: dict[str, Any] = {"user": user, "password": password, "host": host, "port": 5432}
    project.target("postgres", type="postgres", dbname=database, **about)

    def ask(query: str) -> Rows:
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("set timezone = 'UTC'")
            cursor.execute(query)
            return list(cursor.fetchall()) if cursor.description else []

    return ask


def literal(value: Any) -> str:
    """Return a value as SQL has it."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        value = json.dumps(value)
    return str(value) if isinstance(value, int | Decimal) else f"'{value}'"


def fill(ask: Ask, schema: str, json_type: str, loader: str) -> None:
    """Write the hand-made rows into tables as a loader makes them."""
    if loader == "dlt":
        ask(f"create table {schema}._dlt_loads (inserted_at timestamptz, status bigint)")
        # The second has failed.
        loads = f"('{READ_AT}', 0), ('2026-07-01 00:00:00+00', 1)"
        ask(f"insert into {schema}._dlt_loads values {loads}")
    for stream, rows in ROWS.items():
        types = columns(stream, json_type)
        if loader == "airbyte":
            types["_airbyte_extracted_at"] = "timestamptz"
            rows = [{"_airbyte_extracted_at": READ_AT, **row} for row in rows]
        else:
            own = {"timestamp": "timestamptz", "bool": "boolean"}
            types |= {name: own[kind] for name, kind in OWN_COLUMNS.get(stream, {}).items()}
        # Each row has what both loaders add.
        others = {"_airbyte_extracted_at", "deleted_at", "is_redacted"} - {*types}
        rows = [{name: row[name] for name in row.keys() - others} for row in rows]
        made = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
        values = [", ".join(literal(row.get(name)) for name in types) for row in rows]
        assert {name for row in rows for name in row} <= {*types}
        ask(f"create table {schema}.{stream} ({made})")
        ask(f"insert into {schema}.{stream} values " + ", ".join(f"({row})" for row in values))


def judged(project: Project, ask: Ask) -> None:
    """Hold the marts to the right answers, and each node to its tests."""
    results = project.results()
    assert {*results.values()} <= {"success", "pass", "no-op"}
    assert sum(name.startswith("model.source_twilio.twilio__") for name in results) == len(MARTS)
    for mart, (query, expected) in ANSWERS.items():
        answer = [" | ".join(map(shown, row)) for row in ask(query.format(f"models.{mart}"))]
        assert sorted(answer) == [line.strip() for line in expected.strip().splitlines()], mart


def shown(value: Any) -> str:
    """Return a value as the answers have it."""
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    # 2, 2.0 and 2.000000000 are the same.
    return str(value) if isinstance(value, str | date) else f"{float(value):g}"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file into which `twilio-warehouse` has loaded all streams."""
    folder = tmp_path_factory.mktemp("sync")
    with Sandbox(seed=1, scale=0.02) as twilio:
        configured(folder, {**twilio.config, "start_date": "2020-01-01T00:00:00Z"})
        code, output, errors = sync(folder, **twilio.environment)
    assert code == 0, output + errors
    return folder / "t.duckdb"


def test_the_command_has_the_same_models(project: Project, loaded: Path) -> None:
    """On synced tables the models of `twilio-warehouse` have the rows that dbt's have."""
    ask = on_duckdb(project, loaded)
    project.run("build")
    tables = "select table_name from duckdb_tables() where schema_name = 'main'"
    streams = {name for (name,) in ask(tables) if not name.startswith("_")}
    empty = {name for name in streams if not ask(f"select 1 from {name} limit 1")}
    with duckdb.connect(str(loaded), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        models.create(connection, *MARTS)
        filled = set()
        for mart in MARTS:
            one, other = f"temp.{mart}", f"models.{mart}"
            for left, right in ((one, other), (other, one)):
                query = f"from {left} except all from {right}"
                assert connection.execute(query).fetchall() == [], mart
            if connection.execute(f"from {one}").fetchall():
                filled.add(mart)
        fresh = connection.execute("select distinct stream from temp.twilio__freshness").fetchall()
    assert {name for (name,) in fresh} == streams - empty
    assert {*MARTS} - filled <= {"twilio__deletions", "twilio__opt_outs", "twilio__opt_out_events"}


def test_the_models_of_the_command_are_up_to_date() -> None:
    """twilio_warehouse/models.sql is what `python -m dev.docs.dbt_models` writes."""
    require_dbt()
    assert dbt_models.FILE.read_text("utf-8") == dbt_models.content()


def test_tables_of_a_sync_into_postgres(project: Project, postgres: str, tmp_path: Path) -> None:
    """The models run on what `twilio-warehouse` has loaded into PostgreSQL."""
    streams = (
        "accounts,calls,conversation_participants,incoming_phone_numbers,messages,usage_records"
    )
    with Sandbox(seed=1, scale=0.02) as twilio:
        configured(tmp_path, twilio.config)
        environment = {**twilio.environment, "DESTINATION__POSTGRES__CREDENTIALS": postgres}
        asked = ("--to", "postgres", "--streams", streams)
        code, output, errors = sync(tmp_path, *asked, **environment)
    assert code == 0, output + errors
    ask = on_postgres(project, postgres)
    project.run("build")
    billed = "select sum(price) from twilio.usage_records where category = 'totalprice'"
    [(total,)] = ask("select sum(cost) from models.twilio__spend_by_day")
    assert total
    assert [(total,)] == ask(billed)
    [(fresh,)] = ask("select count(*) from models.twilio__freshness where last_read_at is not null")
    assert fresh >= len(streams.split(","))


@pytest.mark.parametrize(
    ("database", "output"),
    [
        ("bigquery", {"method": "oauth-secrets", "token": "none", "project": "mine"}),
        ("snowflake", {"account": "a", "user": "u", "password": "p", "database": "mine"}),
    ],
)
def test_compiled(project: Project, database: str, output: dict[str, str]) -> None:
    """BigQuery's and Snowflake's adapters, which ask nobody, write SQL that is theirs."""
    project.target(database, type=database, **output)
    project.run("compile", "--no-introspect", "--no-populate-cache")
    compiled = dict(project.compiled())
    assert {*MARTS} < {*compiled}
    for name, text in compiled.items():
        assert sqlglot.parse_one(text, dialect=database), name
    sent = compiled["stg_twilio__messages"]
    assert (
        "cast(`from` as string)" if database == "bigquery" else 'cast("FROM" as varchar)'
    ) in sent


def test_each_stream_is_a_source() -> None:
    """A stream that is new is one of the sources, and so of twilio__freshness."""
    text = (ROOT / "dbt" / "models" / "sources.yml").read_text("utf-8")
    [source] = yaml.safe_load(text)["sources"]
    named = [table["name"] for table in source["tables"]]
    schemas = (ROOT / "source_twilio" / "schemas").glob("*.json")
    assert named == ["_dlt_loads", *sorted(path.stem for path in schemas)]


def test_each_mart_has_a_key_and_a_description() -> None:
    """Each mart says what it answers, and a test holds its key."""
    text = (ROOT / "dbt" / "models" / "marts" / "marts.yml").read_text("utf-8")
    models = yaml.safe_load(text)["models"]
    assert sorted(model["name"] for model in models) == MARTS == sorted(ANSWERS)
    for model in models:
        tests = [test for column in model["columns"] for test in column.get("data_tests", ())]
        keys = [test for test in model.get("data_tests", ()) if "unique_key" in test]
        assert model["description"]
        assert keys or "unique" in tests, model["name"]


def test_hand_made_rows_on_duckdb(project: Project, tmp_path: Path) -> None:
    """The figures are right, on tables as twilio-warehouse makes them."""
    ask = on_duckdb(project, tmp_path / "t.duckdb")
    fill(ask, "main", "json", "dlt")
    project.run("build")
    judged(project, ask)


def test_hand_made_rows_on_postgres(project: Project, postgres: str) -> None:
    """The same, on tables as Airbyte's destination makes them, in a schema of another name."""
    ask = on_postgres(project, postgres)
    ask("create schema raw")
    fill(ask, "raw", "jsonb", "airbyte")
    project.run("build", twilio_loader="airbyte", twilio_raw_schema="raw")
    judged(project, ask)
