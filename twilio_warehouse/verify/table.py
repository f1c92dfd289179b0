"""Asks the questions, and writes the answers down without a name, a number or a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from twilio_warehouse.log import clean
from twilio_warehouse.verify.about_filters import ABOUT_FILTERS
from twilio_warehouse.verify.about_lists import ABOUT_LISTS
from twilio_warehouse.verify.client import Client, Row, Unknown, View
from twilio_warehouse.verify.filters import Answer
from twilio_warehouse.verify.question import Question

QUESTIONS = (*ABOUT_FILTERS, *ABOUT_LISTS)
# How many accounts, and how many items above a list, are tried for the data of a question.
ACCOUNTS, ITEMS = 3, 3
# SIDs, tokens, phone numbers, addresses and dates: none should be there, and none gets out.
PRIVATE = re.compile(r"\b(?:[A-Z]{2})?[0-9a-f]{32}\b|\+?\d{7,}|\S+@\S+|\b\d{4}-\d\d-\d\d\b")
HEAD = ("question", "answer", "found", "BEHAVIOR")


class Line(NamedTuple):
    """A question and what came of it; an empty `says` is unknown, and `found` says why."""

    question: Question
    says: str
    found: str

    @property
    def surprises(self) -> bool:
        """Return whether the connector counts on another answer."""
        return bool(self.says and self.question.counts_on) and (
            self.says not in self.question.counts_on
        )


def lines(client: Client, questions: Iterable[Question] = QUESTIONS) -> Iterator[Line]:
    """Yield each question with its answer."""
    accounts = client.accounts()
    for question in questions:
        try:
            yield Line(question, *settled(client, question, accounts))
        except Unknown as unknown:
            yield Line(question, "", str(unknown))


def settled(client: Client, question: Question, accounts: list[Row]) -> Answer:
    """Return the answer of the first account that has one. Raises `Unknown`."""
    main, *others = accounts
    active = [row for row in others if row["status"] == "active"]
    asked = {
        "any": [main, *active],
        "main": [main],
        "active subaccount": active,
        "suspended": [row for row in others if row["status"] == "suspended"],
        "closed": [row for row in others if row["status"] == "closed"],
    }[question.who][:ACCOUNTS]
    why = Unknown(f"there is no {question.who}" + (" account" if "sub" not in question.who else ""))
    for number, account in enumerate(asked):
        try:
            return of_account(View(client, account["sid"]), question)
        except Unknown as unknown:
            why = why if number else unknown
        except (LookupError, TypeError, ValueError, AttributeError):
            why = Unknown("an answer is not as documented")
    raise why


def of_account(view: View, question: Question) -> Answer:
    """Return the answer of an account. Raises `Unknown`."""
    paths = [question.path]
    if question.above:
        items = view.rows(question.above, size=50, pages=1).rows[:ITEMS]
        paths = [question.path.replace("{sid}", item["sid"]) for item in items]
    why = Unknown(f"no {question.above.rpartition('/')[2]}")
    for path in paths:
        try:
            return question.way(view, path, **question.given)
        except Unknown as unknown:
            why = unknown
    raise why


def shown(text: str) -> str:
    """Return text without what is private, and without what a terminal obeys."""
    return PRIVATE.sub("...", clean(text))


def markdown(found: Iterable[Line]) -> Iterator[str]:
    """Yield the lines of a Markdown table, and below it what the connector counts on."""
    found = list(found)
    cells = [
        (line.question.text, line.says or "unknown", line.found, line.question.touches)
        for line in found
    ]
    widths = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    for row in [HEAD, tuple("-" * width for width in widths), *cells]:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield shown(f"| {' | '.join(padded)} |")
    for line in found:
        if line.surprises:
            counts_on = " or ".join(line.question.counts_on)
            yield f"\nThe connector counts on another answer ({counts_on}): {line.question.text}"
