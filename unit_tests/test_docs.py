"""The tables of docs/twilio.md are what the generators write (for the matrix see test_matrix)."""

from __future__ import annotations

import re

import yaml

from sandbox.streams import STREAMS
from tools.docs import NOTES, PAGE, generated


def test_table_of_streams() -> None:
    """`make docs` would change nothing."""
    page = PAGE.read_text("utf-8")
    assert generated(page) == page


def test_notes_are_of_streams() -> None:
    """No remark is about a stream that does not exist."""
    assert set(yaml.safe_load(NOTES.read_text("utf-8"))) - set(STREAMS) == set()


def test_matrix_has_every_stream() -> None:
    """`make matrix` has been run since the last stream was added."""
    [table] = re.findall(
        "(?s)<!-- begin: credentials -->(.*)<!-- end: credentials -->", PAGE.read_text("utf-8")
    )
    assert re.findall(r"(?m)^\| (\w+) \|", table) == ["Stream", *sorted(STREAMS)]
