"""Runs the questions, and prints the answers without names, numbers or secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from source_twilio.config import credential_name
from twilio_warehouse.log import redact
from twilio_warehouse.output import print_json
from twilio_warehouse.verify_api.client import AccountView, Client, Row, Unknown
from twilio_warehouse.verify_api.filters import Answer
from twilio_warehouse.verify_api.questions import QUESTIONS, Question

# How many accounts, and how many parent items, are tried until one has the data of a question.
ACCOUNTS, PARENTS = 3, 3
# SIDs, tokens, phone numbers, addresses and dates: answers should hold none, and none is printed.
PRIVATE = re.compile(r"\b(?:[A-Z]{2})?[0-9a-f]{32}\b|\+?\d{7,}|\S+@\S+|\b\d{4}-\d\d-\d\d\b")
HEAD = ("question", "answer", "found", "BEHAVIOR")


class Result(NamedTuple):
    """A question with its answer; if that is empty, it is unknown, and `evidence` says why."""

    question: Question
    answer: str
    evidence: str

    @property
    def is_unexpected(self) -> bool:
        """Return whether the connector relies on another answer."""
        expected = self.question.expected
        return bool(self.answer and expected) and self.answer not in expected


def verify_api(config: dict[str, Any], as_json: bool = False) -> None:
    """Run all questions, and print the table."""
    # The screen is not for the log lines of libraries.
    logging.getLogger().handlers = [logging.NullHandler()]
    client = Client(config)

    def with_progress(results: Iterator[Result]) -> Iterator[Result]:
        for number, result in enumerate(results, 1):
            answer = redact_private(result.answer or "unknown")
            line = f"{number} of {len(QUESTIONS)}: {result.question.text} {answer}"
            print(line, file=sys.stderr)
            yield result

    if as_json:
        print_json([as_dict(result) for result in with_progress(run_questions(client))])
        return
    for text in markdown(with_progress(run_questions(client))):
        print(text)
    credentials = credential_name(client.config)
    region = client.config.get("region", "us1")
    print(f"\n{client.requests} requests, with an {credentials}, in {region}.")


def run_questions(client: Client, questions: Iterable[Question] = QUESTIONS) -> Iterator[Result]:
    """Yield each question with its answer."""
    accounts = client.accounts()
    for question in questions:
        try:
            yield Result(question, *find_answer(client, question, accounts))
        except Unknown as unknown:
            yield Result(question, "", str(unknown))


def find_answer(client: Client, question: Question, accounts: list[Row]) -> Answer:
    """Return the answer of the first account that has one. Raises `Unknown`."""
    main, *others = accounts
    active = [row for row in others if row["status"] == "active"]
    candidates = {
        "any": [main, *active],
        "main": [main],
        "active subaccount": active,
        "suspended": [row for row in others if row["status"] == "suspended"],
        "closed": [row for row in others if row["status"] == "closed"],
    }[question.account][:ACCOUNTS]
    kind = question.account if "sub" in question.account else f"{question.account} account"
    reason = Unknown(f"there is no {kind}")
    for number, account in enumerate(candidates):
        try:
            return answer_for_account(AccountView(client, account["sid"]), question)
        except Unknown as unknown:
            reason = reason if number else unknown
        except (LookupError, TypeError, ValueError, AttributeError):
            reason = Unknown("a response is not as documented")
    raise reason


def answer_for_account(view: AccountView, question: Question) -> Answer:
    """Return the answer of an account. Raises `Unknown`."""
    paths = [question.path]
    if question.parent:
        items = view.rows(question.parent, size=50, pages=1).rows[:PARENTS]
        paths = [question.path.replace("{sid}", item["sid"]) for item in items]
    reason = Unknown(f"no {question.parent.rpartition('/')[2]}")
    for path in paths:
        try:
            return question.test(view, path, **question.arguments)
        except Unknown as unknown:
            reason = unknown
    raise reason


def redact_private(text: str) -> str:
    """Return text without private values and control characters."""
    return PRIVATE.sub("...", redact(text))


def as_dict(result: Result) -> dict[str, Any]:
    """Return a result for programs."""
    cells = (result.question.text, result.answer, result.evidence, result.question.entries)
    return {
        **{name: redact_private(text) for name, text in zip(HEAD, cells, strict=True)},
        "as_expected": not result.is_unexpected if result.answer else None,
    }


def markdown(results: Iterable[Result]) -> Iterator[str]:
    """Yield the lines of a Markdown table, and a line for each unexpected answer."""
    results = list(results)
    cells = [
        (result.question.text, result.answer or "unknown", result.evidence, result.question.entries)
        for result in results
    ]
    widths = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    for row in [HEAD, tuple("-" * width for width in widths), *cells]:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield redact_private(f"| {' | '.join(padded)} |")
    for result in results:
        if result.is_unexpected:
            expected = " or ".join(result.question.expected)
            yield f"\nThe connector relies on another answer ({expected}): {result.question.text}"
