"""What the pages for users quote: messages, settings, streams, links, commands."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ["dbt.md", "migration.md", "operating.md", "proof.md", "tables.md", "troubleshooting.md"]
MANIFEST = yaml.safe_load((ROOT / "source_twilio" / "manifest.yaml").read_text("utf-8"))


def texts() -> Iterator[str]:
    """Yield the strings of the programs, `...` in the place of what is filled in."""
    files = [
        *(ROOT / "source_twilio").glob("*.py"),
        *(ROOT / "twilio_warehouse").glob("*.py"),
    ]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [v.value if isinstance(v, ast.Constant) else "..." for v in node.values]
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"%[sd]", "...", node.value)


def quoted() -> list[str]:
    """Return the messages of troubleshooting.md: the first cells that are code."""
    text = (DOCS / "troubleshooting.md").read_text("utf-8")
    return re.findall(r"(?m)^\| `([^`]+)` \|", text)


def test_each_message_is_one_that_is_said() -> None:
    """Every message of troubleshooting.md stands in the programs, piece by piece."""
    said = "\n".join(texts())
    assert len(quoted()) > 45
    pieces = {
        message: [piece.strip(" .:,()") for piece in message.split("...")] for message in quoted()
    }
    assert {
        message: [piece for piece in found if piece not in said]
        for message, found in pieces.items()
        if any(piece not in said for piece in found)
    } == {}


def anchors(file: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"(?m)^#+ (.*)$", file.read_text("utf-8"))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Files and headings that a page links to exist."""
    for link in re.findall(r"\]\(([^)\s]+)\)", (DOCS / page).read_text("utf-8")):
        url = urlsplit(link)
        if not url.scheme:
            target = DOCS / (url.path or page)
            assert target.exists(), link
            assert not url.fragment or url.fragment in anchors(target), link


def test_terraform_names_settings_that_there_are() -> None:
    """The keys of the example of Terraform are settings, and the required ones are there."""
    text = (DOCS / "operating.md").read_text("utf-8")
    [block] = re.findall(r"jsonencode\(\{\n(.*?)\n  \}\)", text, re.DOTALL)
    spec = MANIFEST["spec"]["connection_specification"]
    keys = re.findall(r"(?m)^ {4}(\w+) +=", block)
    assert set(keys) <= set(spec["properties"])
    assert set(spec["required"]) <= set(keys)
    options = json.dumps(spec["properties"]["credentials"])
    assert [k for k in re.findall(r"(?m)^ {6}(\w+) +=", block) if f'"{k}"' not in options] == []


def test_the_example_of_airflow_is_python() -> None:
    """The example parses, and runs the command."""
    text = (DOCS / "operating.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ast.parse(code)
    assert "twilio-warehouse sync " in code


@pytest.mark.parametrize("page", PAGES)
def test_targets_exist(page: str) -> None:
    """Every `make TARGET` of a page is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"make ([a-z-]+)", (DOCS / page).read_text("utf-8"))) - {"room", "one"}
    assert [name for name in sorted(named) if not re.search(rf"(?m)^{name}:", makefile)] == []


def test_the_picture_is_small() -> None:
    """README's picture is there, and quickly loaded."""
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", (ROOT / "README.md").read_text("utf-8"))
    assert [ROOT / picture for picture in pictures] == [DOCS / "report.png"]
    assert (DOCS / "report.png").stat().st_size < 200_000
