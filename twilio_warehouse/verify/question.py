"""A point that Twilio's documentation leaves open: what is asked, and how it is found out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from twilio_warehouse.verify.filters import Answer

# Lists, as the manifest spells them.
ALERTS = "https://monitor.twilio.com/v1/Alerts"
COMPLETED = "Conferences?Status=completed"
DAILY = "Usage/Records/Daily"
FLOWS = "https://studio.twilio.com/v2/Flows"
INSIGHTS = "https://insights.twilio.com/v1"
VERIFY = "https://verify.twilio.com/v2"
VIDEO = "https://video.twilio.com/v1"


@dataclass(frozen=True)
class Question:
    """One point that a read can settle.

    Attributes:
        text: the question; most are answered yes or no.
        touches: the entries of BEHAVIOR.md that it touches.
        way: how it is found out.
        path: of a list, as the manifest spells it; `{sid}` is an item of the list `above`.
        given: what else the way needs.
        who: the accounts to try, until one has the data.
        above: the list that holds the items above.
        counts_on: the answers that the connector counts on; none if every answer is fine.
    """

    text: str
    touches: str
    way: Callable[..., Answer]
    path: str
    given: Mapping[str, Any] = field(default_factory=dict)
    who: Literal["any", "main", "active subaccount", "suspended", "closed"] = "any"
    above: str = ""
    counts_on: tuple[str, ...] = ()


def ask(
    text: str, touches: str, way: Callable[..., Answer], path: str, /, **given: Any
) -> Question:
    """Return a question, with what is not a matter of the question itself given to its way."""
    own = {name: given.pop(name) for name in ("who", "above", "counts_on") if name in given}
    return Question(text, touches, way, path, given, **own)


def signed(name: str, by: str) -> dict[str, str]:
    """Return the names of a filter of the 2010 API, and the field that it acts on."""
    return {"lower": f"{name}>", "upper": f"{name}<", "field": by}


def between(lower: str, upper: str, by: str) -> dict[str, str]:
    """Return the names of a filter of a product API, and the field that it acts on."""
    return {"lower": lower, "upper": upper, "field": by}
