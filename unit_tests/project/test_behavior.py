"""BEHAVIOR.md has one form, and whatever refers to it finds its entry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dev.docs.behavior import FILE, REFERENCE, anchor, link, linked, titles
from twilio_warehouse.verify_api.questions import QUESTIONS

ROOT = FILE.parent
PARTS = ("Fact", "Why it matters", "What we do")
TEXT = FILE.read_text("utf-8")
HEAD, *BODIES = re.split(r"(?m)^### .+\n", TEXT)
FOR_USERS = [
    *(ROOT / name for name in ("README.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
LINK = re.compile(r"\[([^\]]+)\]\([./]*BEHAVIOR\.md(#[^)]*)?\)")


def test_numbers_ascend() -> None:
    """Every heading below "Entries" has the next number and a short title."""
    headings = re.findall(r"(?m)^### (.+)$", TEXT)
    assert len(headings) >= 55
    assert headings == [f"{n}. {title}" for n, title in titles().items()]
    assert [*titles()] == [*range(1, len(headings) + 1)]
    assert [t for t in titles().values() if len(t.split()) > 7 or t[-1] in ".:"] == []
    assert len(set(titles().values())) == len(titles())


@pytest.mark.parametrize("number", titles())
def test_an_entry_has_three_parts(number: int) -> None:
    """Fact, reason and reaction, in this order, each with something to say, and nothing before."""
    before, *parts = re.split(r"(?m)^\*\*([^*]+)\.\*\* ", BODIES[number - 1])
    assert before.strip() == ""
    assert tuple(parts[::2]) == PARTS
    complete = re.compile(r"\w+ \w+.*\.\s*$", re.DOTALL)
    assert [text for text in parts[1::2] if not complete.search(text)] == []


def test_each_entry_has_a_topic() -> None:
    """The topics list each entry once, and their links lead to it."""
    found = re.findall(r"\[(\d+)\]\(#([^)]+)\)", HEAD)
    assert sorted(int(number) for number, _ in found) == [*titles()]
    assert [n for n, target in found if target != anchor(f"{n}. {titles()[int(n)]}")] == []


def files() -> list[Path]:
    """Return the files of the repository that may refer to an entry."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(listed, cwd=ROOT, text=True).splitlines()
    suffixes = {".py", ".yaml", ".yml", ".md", ".sql", ".toml", ".html", ""}
    paths = [ROOT / name for name in names]
    return [path for path in paths if path.suffix in suffixes and path.is_file()]


def test_behavior_numbers_exist() -> None:
    """Each number that code, manifest, tests, docs, probe and entries refer to has an entry."""
    used = {
        (str(file.relative_to(ROOT)), int(number))
        for file in files()
        for group in re.findall(
            r"BEHAVIOR ((?:\d+(?:, | to | and )?)+)", file.read_text("utf-8").replace("\n", " ")
        )
        for number in re.findall(r"\d+", group)
    }
    used |= {("a question", int(n)) for q in QUESTIONS for n in re.findall(r"\d+", q.entries)}
    inside = re.findall(r"[(:] ?(?:but )?(\d{1,2}(?:, \d{1,2})*)\)|[Ss]ee (\d{1,2})\b", TEXT)
    numbers = (number for group in inside for number in re.findall(r"\d+", "".join(group)))
    used |= {("BEHAVIOR.md", int(number)) for number in numbers}
    assert sorted(entry for entry in used if entry[1] not in titles()) == []
    places = {place for place, _ in used}
    assert {"source_twilio/manifest.yaml", "a question", "BEHAVIOR.md"} <= places


@pytest.mark.parametrize("page", FOR_USERS, ids=lambda page: str(page.relative_to(ROOT)))
def test_users_need_no_number(page: Path) -> None:
    """A page for users links to an entry by its title; only messages quote numbers."""
    text = page.read_text("utf-8")
    assert REFERENCE.findall(re.sub(r"`[^`]*`", "", text)) == []
    anchors = {f"#{anchor(f'{n}. {title}')}" for n, title in titles().items()}
    for words, target in LINK.findall(text):
        assert not target or target in anchors, target
        assert not words.isdigit()


def test_links_to_entries() -> None:
    """What the notes write as a number is a link on the page."""
    assert link(20, "../") == "[Settling](../BEHAVIOR.md#20-settling)"
    assert linked("Later (BEHAVIOR 20, 22).", "") == (
        "Later ([Settling](BEHAVIOR.md#20-settling), "
        "[Concurrency limit](BEHAVIOR.md#22-concurrency-limit))."
    )
