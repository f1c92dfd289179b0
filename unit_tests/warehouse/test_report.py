"""`make report`: its numbers are those of the tables, and the page needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from sandbox import Sandbox
from twilio_warehouse.charts import draw
from twilio_warehouse.cli import main
from twilio_warehouse.queries import Chart
from twilio_warehouse.reconcile import compare, missing
from unit_tests.support.browser import look
from unit_tests.support.embedded import use_as_twilio
from unit_tests.support.syncing import configured, sync

STREAMS = "accounts,alerts,calls,messages,queues,recordings,usage_records"
HOSTILE = "<script>alert('$x_1$')</script> & \"Sons\""
WIDTHS = (320, 390, 1280)


class Page(HTMLParser):
    """A page: the tables in it, the values of attributes, and the names of elements."""

    def __init__(self, text: str) -> None:
        """Read it."""
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.links: list[str] = []
        self.elements: set[str] = set()
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        self.elements.add(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "action")]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag in ("td", "th"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        """Take the text of a cell."""
        if self._inside:
            self.tables[-1][-1][-1] += data

    def table(self, *columns: str) -> list[dict[str, str]]:
        """Return the rows of the first table that begins with these columns."""
        found = next(table for table in self.tables if table[0][: len(columns)] == [*columns])
        return [dict(zip(found[0], row, strict=True)) for row in found[1:]]


class Synced(NamedTuple):
    """A database that a sync has written, the token of its account, and the page about it."""

    database: Path
    token: str
    text: str


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    """A sync of an account with a name that no page expects."""
    folder = tmp_path_factory.mktemp("report")
    with Sandbox(seed=1, scale=0.02) as twilio, pytest.MonkeyPatch.context() as patch:
        use_as_twilio(twilio, patch)
        twilio.update("accounts", twilio.accounts[0].sid, friendly_name=HOSTILE)
        twilio.add("calls", twilio.accounts[0].sid, status=HOSTILE)
        configured(folder, twilio.config)
        assert sync(folder, "--streams", STREAMS)[0] == 0
        text = written(folder / "t.duckdb", folder)
        yield Synced(folder / "t.duckdb", twilio.config["auth_token"], text)


def report(database: Path, *arguments: str) -> int:
    """Run the command; return its exit status."""
    return main(["report", "--from", f"duckdb:///{database}", *arguments])


def written(database: Path, folder: Path) -> str:
    """Return the page about a database."""
    assert report(database, "--output", str(folder / "report.html")) == 0
    return (folder / "report.html").read_text("utf-8")


def asked(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(query).fetchall()


def test_numbers(synced: Synced) -> None:
    """Each table of the page says what the tables of the database say."""
    database, _, text = synced
    page = Page(text)
    days = page.table("day", "messages")
    assert [(row["day"], row["messages"]) for row in days] == asked(
        database,
        """with days as (select coalesce(date_sent, date_created)::date as day from messages)
        select day::text, count(*)::text from days
        where day > (select max(day) from days) - 60 group by 1 order by 1 desc""",
    )
    parts = ("delivered", "received", "failed", "other")
    assert all(int(row["messages"]) == sum(int(row[name]) for name in parts) for row in days)
    failures = page.table("country", "error code", "meaning")
    assert (
        sum(int(row["messages"]) for row in failures)
        == asked(
            database,
            "select count(*) from messages where direction != 'inbound' and error_code is not null",
        )[0][0]
    )
    calls = page.table("status", "calls", "average seconds")
    assert sorted((row["status"], row["calls"], row["average seconds"]) for row in calls) == asked(
        database,
        """select status, count(*)::text,
          coalesce(round(avg(duration) filter (duration > 0))::bigint::text, '')
        from calls group by 1 order by 1""",
    )
    alerts = page.table("error code", "meaning", "alerts")
    assert sorted((row["error code"], row["alerts"]) for row in alerts) == asked(
        database,
        "select coalesce(error_code::text, 'none'), count(*)::text from alerts "
        "group by 1 order by 1",
    )


def test_spend_adds_up(synced: Synced) -> None:
    """The categories of each month and account add up to what Twilio calls totalprice."""
    database, _, text = synced
    spend = Page(text).table("month", "account", "currency", "sms")
    assert sorted((row["month"], row["account"], row["total"]) for row in spend) == asked(
        database,
        """select strftime(start_date, '%Y-%m') as month, friendly_name,
          format('{:,.2f}', sum(price)::double)
        from usage_records u join accounts on accounts.sid = u.account_sid
        where category = 'totalprice' and start_date >= (
          select date_trunc('month', max(start_date)) - interval 11 month from usage_records)
        group by 1, 2 having sum(price) <> 0 order by 1, 2""",
    )
    [[billed]] = asked(
        database,
        """select format('{:,.2f} USD', sum(price)::double) from usage_records
        where category = 'totalprice' and start_date > current_date - 30""",
    )
    assert f"<dt>spend in 30 days</dt><dd>{billed}<small>before: " in text
    for row in spend:
        numbers = [
            Decimal(v.replace(",", ""))
            for k, v in row.items()
            if k not in ("month", "account", "currency", "total")
        ]
        # Each number is rounded to a cent.
        assert abs(sum(numbers) - Decimal(row["total"].replace(",", ""))) <= Decimal("0.04")


def test_odd_tables(tmp_path: Path) -> None:
    """Spend is that of each account, listed or not; a table of the user's own has any name."""
    database = tmp_path / "t.duckdb"
    with duckdb.connect(str(database)) as connection:
        for statement in (
            "create table accounts (sid text, friendly_name text, status text)",
            "insert into accounts values ('AC1', 'One', 'active'), ('AC2', 'One', 'active')",
            "create table usage_records (account_sid text, start_date date, category text, "
            "price numeric(20, 5), price_unit text)",
            """insert into usage_records values ('AC1', '2026-01-01', 'totalprice', 1, 'usd'),
            ('AC2', '2026-01-01', 'totalprice', 9, 'usd'),
            ('AC3', '2026-01-01', 'totalprice', 990, 'usd')""",
            "create table _dlt_loads (inserted_at timestamptz)",
            """create table "order" (account_sid int, date_created text)""",
            """create table "a ""b" (date_created text)""",
            """insert into "order" values (1, 'soon')""",
        ):
            connection.execute(statement)
    page = Page(written(database, tmp_path))
    spend = page.table("month", "account", "currency", "sms")
    assert [(row["account"], row["total"]) for row in spend] == [
        ("AC3", "990.00"),
        ("One (AC2)", "9.00"),
        ("One (AC1)", "1.00"),
    ]


def test_freshness(synced: Synced) -> None:
    """Each stream has the rows of each account, the newest of them, and the state."""
    database, _, text = synced
    sections = dict(re.findall(r"(?s)<summary>(\w+)\n<span>(.*?)</table>", text))
    assert {*sections} == {*STREAMS.split(",")}
    for name, column in (("messages", "date_created"), ("usage_records", "start_date")):
        [rows] = [Page(f"<table>{sections[name].partition('<table>')[2]}</table>").tables]
        found = {row[0]: row[1:3] for row in rows[0][1:] if row[1] != "0"}
        assert found == {
            account: [f"{count:,}", newest]
            for account, count, newest in asked(
                database,
                f"""select friendly_name || if(accounts.status = 'active', '', ' (suspended)'),
                  count(*), strftime(max(t.{column}), '%Y-%m-%d %H:%M')
                from {name} t join accounts on accounts.sid = account_sid group by 1""",
            )
        }
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", row[3]) for row in rows[0][1:])
    # Said once.
    assert text.count("Behind") == 1
    assert "<p>Behind:</p>\n<ul>\n<li>Northwind Closed (closed): 5 streams</li>" in text
    assert "read up to" not in sections["queues"].partition("</summary>")[0]
    assert "streams of the connector have no table" in text
    assert re.search(r"have no table</summary>\s*<p>.*\bconferences\b", text)


def test_the_page_stands_alone(synced: Synced) -> None:
    """Nothing is loaded, nothing runs, names are text, and no secret is told."""
    _, token, text = synced
    page = Page(text)
    assert page.elements.isdisjoint({"script", "iframe", "img", "object", "form"})
    # Links are followed by the reader only: to the page of an error.
    errors = {link for link in page.links if link.startswith("https:")}
    assert "https://www.twilio.com/docs/api/errors/30003" in errors
    assert {link[:1] for link in page.links if link != "data:," and link not in errors} == {"#"}
    rest = re.sub(r'<a href="https://www.twilio.com/docs/api/errors/\d+">', "", text)
    assert not re.search(r"https?://|//\w+\.|@import|@font-face|url\((?!#)", rest)
    # In tables, and in a chart as well.
    assert (
        "<td>&lt;script&gt;alert(&#39;$x_1$&#39;)&lt;/script&gt; &amp; &#34;Sons&#34;</td>" in text
    )
    assert re.search(r"<text [^>]*>&lt;script&gt;alert\(.*?</text>", text)
    assert token not in text


def test_missing_days(synced: Synced, tmp_path: Path) -> None:
    """A day whose rows are lost is named, as `make reconcile` names it."""
    assert '<p class="good">No day is missing rows.</p>' in synced.text
    database = tmp_path / "t.duckdb"
    database.write_bytes(synced.database.read_bytes())
    with duckdb.connect(str(database)) as connection:
        connection.execute("set timezone = 'UTC'")
        whole = [row for row in compare(connection) if row.verdict == "agrees"]
        lost = max((r for r in whole if r.category == "calls-inbound"), key=lambda row: row.billed)
        connection.execute(
            "delete from calls where account_sid = ? and start_time::date = ?",
            (lost.account_sid, lost.day),
        )
        found = missing(compare(connection))
    assert ("calls-inbound", lost.billed, 0) in [(r.category, r.billed, r.units) for r in found]
    text = written(database, tmp_path)
    assert '<p class="bad">Rows are missing on 1 day of an account:</p>' in text
    rows = Page(text).table("day", "account", "category", "billed", "arrived")
    # Whole messages, not 72.00.
    assert all(r["billed"].isdecimal() for r in rows)
    assert [(r["day"], r["category"], Decimal(r["billed"]), r["arrived"]) for r in rows] == [
        (str(row.day), row.category, row.billed, str(row.units)) for row in found
    ]


def test_missing_tables(
    synced: Synced,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A section without its tables says which to sync; the others are there."""
    # Where there is no demo.
    monkeypatch.chdir(tmp_path)
    database = tmp_path / "t.duckdb"
    database.write_bytes(synced.database.read_bytes())
    for table, said in (
        ("alerts", "There is no table alerts."),
        ("usage_records", "There is no table usage_records."),
        ("messages", "There is no table messages."),
        ("calls", "There is no table calls."),
        ("accounts", "There is no table usage_records, accounts."),
        ("_dlt_pipeline_state", "There is no table usage_records, accounts."),
    ):
        with duckdb.connect(str(database)) as connection:
            connection.execute(f"drop table {table}")
        assert said in written(database, tmp_path)
    text = written(database, tmp_path)
    assert "There is no table accounts, usage_records, messages, calls: sync these streams" in text
    assert "<summary>recordings" in text
    assert report(tmp_path / "none.duckdb") == 2
    (tmp_path / "text.duckdb").write_text("no database")
    assert report(tmp_path / "text.duckdb") == 2
    # As a first sync leaves it that fails.
    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    assert report(tmp_path / "empty.duckdb") == 2
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == f"There is no {tmp_path}/none.duckdb: sync writes it."
    assert second == (
        f"{tmp_path}/text.duckdb is not a DuckDB file: name another with --from (make: "
        "DATABASE=...)."
    )
    assert third == f"There are no tables in {tmp_path}/empty.duckdb yet: sync writes them."


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([1, 2], ["0", "1", "2"]),
        ([Decimal("0.4"), Decimal("1.9")], ["0", "0.5", "1", "1.5"]),
        ([1000, 4000], ["0", "1,500", "3,000"]),
    ],
)
def test_ticks(values: list[Any], ticks: list[str]) -> None:
    """An axis of few messages has no tick twice, and one of small sums has decimals."""
    rows = [(date(2026, 1, number + 1), value) for number, value in enumerate(values)]
    svg = draw(Chart("day", ("messages",), "{day}"), ("day", "messages"), rows)
    found = re.findall(r"<text [^>]*>([^<]*)</text>", svg)
    assert [text for text in found if re.fullmatch(r"[\d.,]+", text)] == ticks
    assert "2026-01-01" in found


def test_empty_tables(synced: Synced, tmp_path: Path) -> None:
    """Tables without rows give a page without charts."""
    database = tmp_path / "t.duckdb"
    database.write_bytes(synced.database.read_bytes())
    with duckdb.connect(str(database)) as connection:
        for table in STREAMS.split(","):
            connection.execute(f"delete from {table}")
    text = written(database, tmp_path)
    assert text.count("There is nothing to show.") == 5
    assert "<svg" not in text


def test_in_a_browser(synced: Synced, tmp_path: Path) -> None:
    """On a phone and a desk, in light and dark: nothing sticks out, nothing is asked or said."""
    page_file = synced.database.with_name("report.html")
    light, said = look(page_file, WIDTHS, False, tmp_path)
    dark, said_in_dark = look(page_file, WIDTHS, True, tmp_path)
    assert said + said_in_dark == []
    for seen, page, ink, chart_ink in (
        (light, "rgb(246, 247, 249)", "rgb(27, 33, 43)", "rgb(51, 59, 71)"),
        (dark, "rgb(17, 21, 27)", "rgb(232, 236, 241)", "rgb(195, 203, 214)"),
    ):
        colours = {"page": page, "ink": ink, "chart_ink": chart_ink}
        for width, one in zip(WIDTHS, seen, strict=True):
            # On a desk all columns are seen; on a phone a table says that there are more.
            cut = one.pop("cut")
            assert cut == 0 if width == 1280 else cut > 0
            found = {"width": width, "overflow": 0, "charts": 7, "unannounced": 0}
            assert one == {**found, **colours}


def test_the_browser_sees_faults(synced: Synced, tmp_path: Path) -> None:
    """The test above would notice a page that is too wide, or asks for more than itself."""
    page = tmp_path / "bad.html"
    policy = re.findall(r'<meta http-equiv="Content-Security-Policy" .*?>', synced.text)
    more = "<link rel='stylesheet' href='none.css'><div style='width: 900px'>wide</div>"
    page.write_text("".join(policy) + more)
    [seen], said = look(page, [390], False, tmp_path)
    assert seen["overflow"] > 500
    [line] = said
    assert re.findall("none.css|Content Security Policy", line)[:1] == ["none.css"]
