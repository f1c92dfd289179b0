"""The models of `twilio-warehouse`: which are created, and what a database may lack."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import duckdb
import pytest

from twilio_warehouse import models
from twilio_warehouse.queries import CATEGORIES, FAILURES, QUERIES
from unit_tests.support.syncing import ROOT


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database."""
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("+14155550100", "United States"),
        ("+12045550100", "Canada"),
        ("+12425550100", "Bahamas"),
        ("whatsapp:+447700900123", "United Kingdom"),
        ("whatsapp:US.ABC123XYZ", "United States"),
        ("whatsapp:BR.27078165145141541", "Brazil"),
        ("rcs:+3725550100", "Estonia"),
        ("whatsapp:XX.1", "XX"),
        ("USPS", "unknown"),
        (None, "unknown"),
    ],
)
def test_countries(database: duckdb.DuckDBPyConnection, address: str | None, country: str) -> None:
    """The country of a recipient, also of one that has an ID with its letters (BEHAVIOR 54)."""
    database.execute(
        """
        create table messages as select 'SM1' as sid, 'outbound-api' as direction,
        now() as date_created, 30034 as error_code, ?::varchar as "to" """,
        [address],
    )
    models.create(database, FAILURES)
    assert database.execute(FAILURES).fetchall() == [
        (country, "30034", "A2P number unregistered", 1, "100.0 %")
    ]


def test_only_what_is_named(database: duckdb.DuckDBPyConnection) -> None:
    """A query costs the models that it names, and those that these read."""
    models.create(database, "select 1")
    views = "select view_name from duckdb_views() where not internal order by 1"
    assert database.execute(views).fetchall() == []
    models.create(database, "from twilio__calls_by_day")
    assert database.execute(views).fetchall() == [("source_calls",), ("stg_twilio__calls",)]
    assert database.execute("from twilio__calls_by_day").fetchall() == []


def test_nothing_is_there(database: duckdb.DuckDBPyConnection) -> None:
    """Each model can be asked where no table is; what the user made is left as it was."""
    database.execute("create table messages (sid text)")
    database.execute("insert into messages values ('SM1')")
    models.create(database, *models.MODELS)
    for name in models.MODELS:
        database.execute(f"from {name}")
    assert database.execute("select outcome, country from int_twilio__messages").fetchall() == [
        ("pending", "unknown")
    ]
    assert database.execute("describe messages").fetchall()[0][:2] == ("sid", "VARCHAR")


def test_each_query_names_a_model() -> None:
    """What a query names that looks like a model is one."""
    found = {word for word in models.words(" ".join(QUERIES)) if word.startswith("twilio_")}
    assert len(found) > 4
    assert found <= {*models.MODELS}


def test_categories() -> None:
    """The report has a column for each category directly below totalprice."""
    with (ROOT / "dbt" / "seeds" / "twilio_usage_categories.csv").open() as file:
        below = [row["category"] for row in csv.DictReader(file) if row["parent"] == "totalprice"]
    assert [*CATEGORIES] == [*below, "other"]


def test_names_of_countries() -> None:
    """Each country of a calling code has a name."""
    seeds = ROOT / "dbt" / "seeds"
    with (seeds / "twilio_calling_codes.csv").open() as file:
        codes = {row["country"] for row in csv.DictReader(file)}
    with (seeds / "twilio_countries.csv").open() as file:
        assert {row["country"] for row in csv.DictReader(file)} == codes
