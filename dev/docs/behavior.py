"""BEHAVIOR.md: its entries, and links to them for pages whose readers do not know its numbers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[2] / "BEHAVIOR.md"
HEADING = re.compile(r"(?m)^### (\d+)\. (.+)$")
REFERENCE = re.compile(r"BEHAVIOR (\d+(?:, \d+)*)")


def anchor(heading: str) -> str:
    """Return what a link to a heading ends with, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")


@cache
def titles() -> dict[int, str]:
    """Return the titles of the entries by their numbers."""
    return {int(n): title for n, title in HEADING.findall(FILE.read_text("utf-8"))}


def link(number: int, folder: str) -> str:
    """Return a link to an entry, from a page to which BEHAVIOR.md is in `folder`."""
    title = titles()[number]
    return f"[{title}]({folder}BEHAVIOR.md#{anchor(f'{number}. {title}')})"


def linked(text: str, folder: str) -> str:
    """Return a text with links in place of `BEHAVIOR n` and `BEHAVIOR n, m`."""
    return REFERENCE.sub(
        lambda found: ", ".join(link(int(number), folder) for number in found[1].split(", ")), text
    )
