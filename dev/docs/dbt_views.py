"""Writes the views that Fivetran's dbt package for Twilio reads: `python -m dev.docs.dbt_views`.

Without arguments it writes dbt/fivetran/*.sql. With `duckdb|postgres|bigquery airbyte|dlt [FROM
[TO]]` it prints the views for tables that Airbyte or `make sync` (dlt) has loaded into the schema
FROM, by default twilio, in DuckDB main; the views are in the schema TO, by default twilio_dbt. See
docs/dbt.md.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "dbt" / "fivetran"
TARGET = "twilio_dbt"

# By view: the stream, and the columns. `a` is a column, `a=b` renames b, `a=b|c` takes c where b is
# null, `a=b.c` is a truth value of a JSON object, `a=` is false.
VIEWS: Mapping[str, tuple[str, str]] = {
    "account_history": (
        "accounts",
        "id=sid owner_account_id=owner_account_sid friendly_name type status "
        "created_at=date_created updated_at=date_updated",
    ),
    "address": (
        "addresses",
        "id=sid account_id=account_sid city customer_name emergency_enabled friendly_name "
        "iso_country postal_code region street validated verified created_at=date_created "
        "updated_at=date_updated",
    ),
    "call": (
        "calls",
        "id=sid account_id=account_sid annotation answered_by caller_name direction duration "
        "end_time forwarded_from from from_formatted group_id=group_sid "
        "outgoing_caller_id=phone_number_sid parent_call_id=parent_call_sid price price_unit "
        "queue_time start_time status to to_formatted trunk_id=trunk_sid created_at=date_created "
        "updated_at=date_updated",
    ),
    "incoming_phone_number": (
        "incoming_phone_numbers",
        "id=sid account_id=account_sid address_id=address_sid address_requirements beta "
        "capabilities_mms=capabilities.mms capabilities_sms=capabilities.sms "
        "capabilities_voice=capabilities.voice emergency_address_id=emergency_address_sid "
        "emergency_status friendly_name origin phone_number trunk_id=trunk_sid "
        "voice_caller_id_lookup voice_url created_at=date_created updated_at=date_updated",
    ),
    # The package counts messages by date_sent, and messages that were never sent have none.
    "message": (
        "messages",
        "id=sid account_id=account_sid body date_sent=date_sent|date_created direction error_code "
        "error_message from messaging_service_sid num_media num_segments price price_unit status "
        "to created_at=date_created updated_at=date_updated",
    ),
    "messaging_service": (
        "messaging_services",
        "id=sid account_id=account_sid area_code_geomatch fallback_method fallback_to_long_code "
        "fallback_url friendly_name inbound_method inbound_request_url mms_converter "
        "scan_message_content smart_encoding status_callback sticky_sender synchronous_validation "
        "us_app_to_person_registered use_inbound_webhook_on_number usecase validity_period "
        "created_at=date_created updated_at=date_updated _fivetran_deleted=",
    ),
    "outgoing_caller_id": (
        "outgoing_caller_ids",
        "id=sid friendly_name phone_number created_at=date_created updated_at=date_updated",
    ),
    "usage_record": (
        "usage_records",
        "account_id=account_sid as_of category count count_unit description end_date price "
        "price_unit start_date usage usage_unit",
    ),
}


class Dialect(NamedTuple):
    """The SQL that differs between databases."""

    quote: str
    flag: Callable[[str, str], str]  # a truth value of a JSON object
    loader: str  # by whom the tables are loaded that dbt/fivetran/*.sql reads
    source: str = "twilio"  # the schema that they are in


DIALECTS = {
    "duckdb": Dialect(
        '"',
        lambda column, name: f"cast(json_extract_string({column}, '$.{name}') as boolean)",
        "dlt",
        "main",
    ),
    "postgres": Dialect(
        '"',
        lambda column, name: f"cast({column}->>'{name}' as boolean)",
        "airbyte",
    ),
    "bigquery": Dialect(
        "`",
        lambda column, name: f"cast(json_value({column}, '$.{name}') as bool)",
        "airbyte",
    ),
}


def columns(view: str) -> dict[str, str]:
    """Return the columns of a view with their expressions."""
    pairs = [word.partition("=") for word in VIEWS[view][1].split()]
    return {name: source if sign else name for name, sign, source in pairs}


def sources(view: str) -> list[str]:
    """Return the fields of the stream that a view needs."""
    parts = [part for source in columns(view).values() for part in source.split("|") if part]
    return [part.partition(".")[0] for part in parts]


def sql(dialect: str, loader: str, source: str = "", target: str = TARGET) -> str:
    """Return the statements that create the schema and the views."""
    about = DIALECTS[dialect]
    source = source or about.source

    def quoted(name: str) -> str:
        return about.quote + name + about.quote

    def value(expression: str) -> str:
        if not expression:
            return "false"
        if "|" in expression:
            return f"coalesce({', '.join(map(quoted, expression.split('|')))})"
        column, _, name = expression.partition(".")
        return about.flag(quoted(column), name) if name else quoted(column)

    lines = [f"create schema if not exists {quoted(target)};"]
    synced = quoted("_airbyte_extracted_at")
    if loader == "dlt":
        # Rows do not say when they were loaded; the package asks how fresh the newest is.
        loads = f"from {quoted(source)}.{quoted('_dlt_loads')} where {quoted('status')} = 0"
        synced = f"(select max({quoted('inserted_at')}) {loads})"
    for view, (stream, _) in VIEWS.items():
        chosen = [f"  {value(made)} as {quoted(name)}" for name, made in columns(view).items()]
        lines += [
            f"\ncreate or replace view {quoted(target)}.{quoted(view)} as select",
            ",\n".join([*chosen, f"  {synced} as {quoted('_fivetran_synced')}"]),
            f"from {quoted(source)}.{quoted(stream)};",
        ]
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Return the content of the files in dbt/fivetran/."""
    head = "-- Made by `python -m dev.docs.dbt_views` (see docs/dbt.md). Tables loaded by {}.\n"
    return {
        FOLDER / f"{name}.sql": head.format(about.loader) + sql(name, about.loader)
        for name, about in DIALECTS.items()
    }


def main(arguments: list[str]) -> str:
    """Write or print the views; return the error, if any."""
    if not arguments:
        for file, text in files().items():
            file.write_text(text, "utf-8")
            print(f"Wrote dbt/fivetran/{file.name}")
        return ""
    match arguments:
        case [dialect, "airbyte" | "dlt" as loader, *schemas] if (
            dialect in DIALECTS and len(schemas) <= 2
        ):
            print(sql(dialect, loader, *schemas), end="")
            return ""
    return str(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
