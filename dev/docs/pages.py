"""The pages that follow from manifest, schemas and notes, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dev.docs.joins import diagram, joins
from dev.docs.notes import Note, Notes
from sandbox.streams import STREAMS, Stream

MADE = "<!-- Written by `make docs`. Change the manifest, a schema or docs/notes.yaml instead. -->"
ABOUT_COLUMNS = """\
Every column of every stream. Only columns of the primary key are never null. A `date-time` is ISO
8601 in UTC (BEHAVIOR 3). A price or a count is a JSON number (BEHAVIOR 4). `a.b` is the field `b`
of the object `a`, `a[].b` that of each item of a list. Fields that Twilio adds later arrive without
being declared here."""
ABOUT_JOINS = """\
Every table except `accounts` has `account_sid`, which is `accounts.sid`. This page lists the other
joins. The diagram shows the joins between products; the page of each product shows its own. Join
phone numbers (`from`, `to`) with `incoming_phone_numbers.phone_number`. The row on the other side
can be missing: Twilio may have deleted it, or it is older than the start date."""
ACCOUNT = "https://api.twilio.com/2010-04-01/Accounts/{AccountSid}"


def row(*cells: str) -> str:
    """Return a row of a table."""
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def sentence(text: str) -> str:
    """Return a remark with a capital letter and a full stop; one may begin with a field."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def endpoint(stream: Stream) -> str:
    """Return where the list is, with Twilio's placeholders."""
    url = stream.resource.url.removeprefix(ACCOUNT)
    return url.removeprefix("https://").replace("{AccountSid}", "{Account}")


def names(fields: list[str]) -> str:
    """Return fields as Markdown."""
    return ", ".join(f"`{field}`" for field in fields)


def link(name: str, notes: Notes, folder: str = "") -> str:
    """Return a link to what is said of a stream."""
    return f"[{name}]({folder}{notes.streams[name].product}.md#{name})"


def mode(stream: Stream) -> str:
    """Return the sync mode of the stream, in few words."""
    return f"incremental, `{stream.cursor_field}`" if stream.cursor_field else "full refresh"


def reading(stream: Stream) -> str:
    """Return the sync mode of the stream, and what limits a sync."""
    if stream.date_params:
        return f"{mode(stream)}; filter {names([*stream.date_params])}"
    if stream.changed_only:
        return f"{mode(stream)}; read in full, emits changed rows only"
    return mode(stream)


def facts(name: str, note: Note, notes: Notes) -> Iterator[tuple[str, str]]:
    """Yield what is said of a stream, with the name of each fact."""
    stream = STREAMS[name]
    yield "Endpoint", f"`{endpoint(stream)}`" + (f", [docs]({note.docs})" if note.docs else "")
    above = dict.fromkeys(parent.stream.name for parent in stream.ancestors)
    # A parent may be no stream.
    if links := [link(one, notes) for one in above if one in notes.streams]:
        yield "Parent streams", ", ".join(links)
    yield "Sync mode", reading(stream)
    yield "Primary key", names(stream.key)
    yield "Page size", str(stream.page_size or "no pages")
    yield (
        "Authentication",
        (
            "each account's own token (BEHAVIOR 14)"
            if stream.of_product_api
            else "the configured credentials"
        ),
    )
    yield "Requests per sync", sentence(note.cost)
    yield "Requires", sentence(note.needs)
    yield "Retention at Twilio", sentence(note.kept)
    yield "Sensitive data", sentence(note.sensitive)
    yield "Suggested", "yes" if note.suggested else "no"


def product_page(product: str, notes: Notes) -> Iterator[str]:
    """Yield the page of a product: an overview, its joins, and a section per stream."""
    page, streams = notes.products[product], notes.of(product)
    yield from (f"# {page.title}", "", MADE, "", page.about, "")
    yield from (
        "[All products](../twilio.md#streams) · [all columns](../columns.md) · "
        "[all joins](../joins.md) · [oddities of Twilio's API](../../BEHAVIOR.md)",
        "",
    )
    yield from (row("Stream", "Sync mode", "Primary key", "Requests per sync"), "|---|---|---|---|")
    for name, note in streams.items():
        stream = STREAMS[name]
        yield row(f"[{name}](#{name})", mode(stream), names(stream.key), sentence(note.cost))
    if drawn := [join for join in joins() if join.table in streams]:
        yield from ("", "## How the tables join", "")
        yield from diagram([*streams], drawn)
    for name, note in streams.items():
        yield from ("", f"## {name}", "")
        if note.notes:
            yield from (note.notes, "")
        head, *body = facts(name, note, notes)
        yield from (row(*head), "|---|---|", *(row(*fact) for fact in body))
        count = len(STREAMS[name].schema["properties"])
        yield row("Columns", f"[{count}](../columns.md#{name})")


def kind(field: dict[str, Any]) -> str:
    """Return the type of a column: a format says more than `string`."""
    if "format" in field:
        return str(field["format"])
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    [found] = [name for name in types if name != "null"]
    of = f" of {kind(field['items'])}" if "items" in field else ""
    return f"{found}{of}"


def columns(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield name, type and description of each column, and of the parts of objects and lists."""
    for name, field in properties.items():
        yield prefix + name, kind(field), field["description"]
        yield from columns(field.get("properties", {}), f"{prefix}{name}.")
        yield from columns(field.get("items", {}).get("properties", {}), f"{prefix}{name}[].")


def columns_page(notes: Notes) -> Iterator[str]:
    """Yield the page of all columns, stream by stream."""
    yield from ("# Columns", "", MADE, "")
    yield from (ABOUT_COLUMNS, "")
    for product, page in notes.products.items():
        of = [f"[{name}](#{name})" for name in notes.of(product)]
        yield f"- **[{page.title}](streams/{product}.md)**: {', '.join(of)}"
    for name, stream in STREAMS.items():
        of_page = f"streams/{notes.streams[name].product}.md#{name}"
        yield from ("", f"## {name}", "", f"[The stream]({of_page})", "")
        yield from (row("Column", "Type", "Meaning"), "|---|---|---|")
        for column, type_, meaning in columns(stream.schema["properties"]):
            yield row(f"`{column}`", type_ + (", key" if column in stream.key else ""), meaning)


def joins_page(notes: Notes) -> Iterator[str]:
    """Yield the page of all joins; the diagram shows those between products."""
    between = [
        join
        for join in joins()
        if notes.streams[join.table].product != notes.streams[join.target].product
    ]
    yield from ("# How the tables join", "", MADE, "")
    yield from (ABOUT_JOINS, "")
    yield from diagram([], between)
    yield from ("", row("Table", "Column", "Is the `sid` of"), "|---|---|---|")
    for table, column, target, key in joins():
        of = link(target, notes, "streams/") + ("" if key == "sid" else f" (its `{key}`)")
        yield row(link(table, notes, "streams/"), f"`{column}`", of)


def index(notes: Notes) -> Iterator[str]:
    """Yield the number of streams, and the products with theirs."""
    incremental = sum(bool(stream.cursor_field) for stream in STREAMS.values())
    yield from (f"{len(STREAMS)} streams, {incremental} of them incremental:", "")
    yield from (row("Product", "Streams"), "|---|---|")
    for product, page in notes.products.items():
        of = ", ".join(link(name, notes, "streams/") for name in notes.of(product))
        yield row(f"[{page.title}](streams/{product}.md)", of)
