"""The pages of the docs are what manifest, schemas and notes say (the matrix: test_matrix)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dev.docs import credential_matrix
from dev.docs.generate import METADATA, PAGE, generated, metadata, stale
from dev.docs.notes import DOCS, FILE, load, parse
from dev.soak.credential_cases import DOCUMENTED_CASES
from sandbox.streams import STREAMS

DIAGRAM = re.compile(r"(?ms)^```mermaid\nerDiagram\n    direction LR\n(.*?)^```$")
EDGE = re.compile(r"    (\w+) \|\|--o([|{]) (\w+) : (\w+)")
PAGES = [*sorted((DOCS / "streams").glob("*.md")), DOCS / "columns.md", DOCS / "joins.md", PAGE]

each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def notes() -> str:
    """Return docs/notes.yaml."""
    return FILE.read_text("utf-8")


def anchors(path: Path) -> set[str]:
    """Return the names that links to the headings of a page end with."""
    headings = re.findall(r"(?m)^#+ (.+)$", path.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_pages_are_current() -> None:
    """`make docs` would change nothing: run it after a change of manifest, schemas or notes."""
    assert stale(generated(load())) == [], "run `make docs`"


def test_pages_tell_what_changed() -> None:
    """A stream that moves to another page makes both pages stale, and a product without streams."""
    moved = notes().replace("product: verify\n", "product: voice\n")
    assert stale(generated(parse(moved))) == [
        f"docs/{name}.md"
        for name in ("columns", "joins", "streams/verify", "streams/voice", "twilio")
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n  calls:", "\n  faxes:", "docs/notes.yaml has no entry for calls: add one."),
        (
            "\n  calls:",
            "\n  faxes: {}\n  calls:",
            "docs/notes.yaml has entries for no stream: faxes.",
        ),
        ("product: sip\n", "product: fax\n", "docs/notes.yaml, trunks: no such product: fax."),
        ("    kept: no limit", "    keeps: no limit", ".*unexpected keyword argument 'keeps'"),
        ("    sensitive: nothing\n", "", ".*missing 1 required positional argument: 'sensitive'"),
    ],
)
def test_incomplete_notes(old: str, new: str, message: str) -> None:
    """A stream without its entry, or with half of one, is named."""
    assert notes().count(old) != 0
    with pytest.raises(ValueError, match=message):
        parse(notes().replace(old, new, 1))


@pytest.mark.parametrize("name", STREAMS)
def test_notes_name_fields(name: str) -> None:
    """What the notes write `like_this` is a field of the stream, or another stream."""
    note = load().streams[name]
    text = " ".join([note.cost, note.needs, note.kept, note.sensitive, note.notes])
    known = {*STREAMS[name].schema["properties"], *STREAMS}
    assert [word for word in re.findall("`([^`]*)`", text) if word not in known] == []
    assert text.count("`") % 2 == 0


def test_notes_say_how_long_rows_are_kept() -> None:
    """Where the manifest asks for no more than some days, the notes give that number."""
    days = {
        name: stream.parameters["retention"][1:-1]
        for name, stream in STREAMS.items()
        if "retention" in stream.parameters
    }
    assert [n for n, text in days.items() if f"{text} days" not in load().streams[n].kept] == []
    assert {"messages", "alerts", "call_summaries"} <= {*days}


def test_suggested_streams() -> None:
    """metadata.yaml suggests what docs/notes.yaml does not take off the list."""
    suggested = yaml.safe_load(METADATA.read_text("utf-8"))["data"]["suggestedStreams"]["streams"]
    content = yaml.safe_load(notes())["streams"]
    off = {name for name, entry in content.items() if entry.get("suggested") is False}
    assert suggested == sorted(set(STREAMS) - off)
    assert {"call_summaries", "message_media", "user_conversations"} <= off
    text = METADATA.read_text("utf-8")
    one = metadata(text, ["calls"])
    assert yaml.safe_load(one)["data"]["suggestedStreams"]["streams"] == ["calls"]
    assert metadata(one, suggested) == text


def test_each_stream_is_on_one_page() -> None:
    """Each stream has one part of one product's page, and one of the page of columns."""
    parts = [
        heading
        for path in (DOCS / "streams").glob("*.md")
        for heading in re.findall(r"(?m)^## (\w+)$", path.read_text("utf-8"))
    ]
    assert sorted(parts) == sorted(STREAMS)
    columns = (DOCS / "columns.md").read_text("utf-8")
    assert re.findall(r"(?m)^## (\w+)$", columns) == [*STREAMS]


def test_each_column_is_listed() -> None:
    """The page of columns has each column of each schema, in its order."""
    text = (DOCS / "columns.md").read_text("utf-8")
    parts = dict(zip(*[iter(re.split(r"(?m)^## (\w+)$", text)[1:])] * 2, strict=True))
    found = {name: re.findall(r"(?m)^\| `(\w+)` \|", part) for name, part in parts.items()}
    assert found == {name: [*stream.schema["properties"]] for name, stream in STREAMS.items()}


@each_page
def test_links_lead_somewhere(path: Path) -> None:
    """A link to a page or to a part of one finds it."""
    links = re.findall(r"\]\(((?!https?:)[^)\s]+)\)", path.read_text("utf-8"))
    assert links
    broken = []
    for link in links:
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_joins_exist() -> None:
    """Each table and column of each diagram exists; a product's has all tables of the product."""
    for path in PAGES[:-3]:
        assert {*load().of(path.stem)} <= (drawn(path) or {*STREAMS})
    assert {"messaging_services", "conversations"} <= drawn(DOCS / "joins.md")


def drawn(path: Path) -> set[str]:
    """Return the tables of a page's diagram, if it has one, of which each line is looked at."""
    text = path.read_text("utf-8")
    diagrams = DIAGRAM.findall(text)
    assert len(diagrams) == text.count("```mermaid") <= 1
    tables: set[str] = set()
    for line in "".join(diagrams).splitlines():
        match = EDGE.fullmatch(line)
        names = {match[1], match[3]} if match else {line.strip()}
        assert names <= {*STREAMS}, line
        if match:
            stream, target = STREAMS[match[3]], STREAMS[match[1]]
            assert match[4] in stream.schema["properties"], line
            assert {*target.key} & {"sid", "id", match[4]}, line
            assert (match[2] == "|") == (stream.key == [match[4]]), line
        tables |= names
    return tables


def test_every_parent_is_drawn() -> None:
    """A table below another one joins with it, in the diagram of its product."""
    for name, stream in STREAMS.items():
        page = DOCS / "streams" / f"{load().streams[name].product}.md"
        edges = {(match[3], match[1]) for match in EDGE.finditer(page.read_text("utf-8"))}
        parents = {parent.stream.name for parent in stream.parents} & {*STREAMS}
        assert {parent for parent in parents if (name, parent) not in edges} == set()


def test_matrix_has_every_stream() -> None:
    """The table of credentials says of each stream what each kind reads, and names no others."""
    cells = credential_matrix.cells(PAGE.read_text("utf-8"))
    assert {*cells} == {"Streams", *STREAMS}
    assert {len(row) for row in cells.values()} == {len(DOCUMENTED_CASES)}
    # A pattern stands once.
    text = PAGE.read_text("utf-8").partition("<!-- begin: credentials -->")[2]
    lines = text.partition("<!-- end")[0].strip().splitlines()[2:]
    assert len({line.partition(" | ")[2] for line in lines}) == len(lines) < 12
