"""Injected faults, on request or at random."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["answer", "reset", "truncate", "cut", "hang"]


class Reply(NamedTuple):
    """A response, and how it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    kind: Kind = "answer"


@dataclass
class Rule:
    """A response to the next matching requests; `times` None is without limit."""

    match: re.Pattern[str]
    reply: Reply
    times: int | None


@dataclass(kw_only=True)
class Faults:
    """Random faults, each with its share of the requests.

    Attributes:
        seed: what the faults are drawn from; the same requests meet the same faults.
        rate_429: too many requests.
        retry_after: whether a 429 says when to come back; "mixed" is every other one.
        rate_500: an error of Twilio's in JSON.
        rate_503_html: an error of something before Twilio.
        reset: the connection is reset.
        truncate: the connection ends in the middle of the body.
        cut: a complete answer whose JSON ends in the middle.
        hang: no answer for `hang_seconds`, then the connection ends.
        hang_seconds: how long that lasts.
        in_a_row: the most faults that one request meets before it gets through; None is no limit.
    """

    seed: int = 0
    rate_429: float = 0
    retry_after: bool | Literal["mixed"] = True
    rate_500: float = 0
    rate_503_html: float = 0
    reset: float = 0
    truncate: float = 0
    cut: float = 0
    hang: float = 0
    hang_seconds: float = 60
    in_a_row: int | None = 3
    _seen: Counter[str] = field(default_factory=Counter, init=False, repr=False)
    _row: Counter[str] = field(default_factory=Counter, init=False, repr=False)

    def draw(self, target: str) -> str:
        """Return the name of the fault of a request, empty if there is none."""
        # Drawn for each request and attempt, so that it does not depend on threads.
        self._seen[target] += 1
        share = random.Random(f"{self.seed} {target} {self._seen[target]}").random()
        for name in ("rate_429", "rate_500", "rate_503_html", "reset", "truncate", "cut", "hang"):
            share -= getattr(self, name)
            if share < 0:
                self._row[target] += 1
                if self.in_a_row is None or self._row[target] <= self.in_a_row:
                    return name
                break
        self._row[target] = 0
        return ""

    def says_when(self, target: str) -> bool:
        """Return whether a 429 carries Retry-After."""
        return self._seen[target] % 2 == 1 if self.retry_after == "mixed" else self.retry_after
