"""The joins between tables, from parent lists and from the prefixes of SIDs.

Every table but `accounts` has `account_sid`, too: that join is said once, and not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from sandbox.streams import STREAMS, Stream

# Letters that begin the SIDs of several tables, or that Twilio's table lacks: the table meant.
LETTERS = {
    "GA": "intelligence_services",
    "HX": "content_templates",
    "PN": "incoming_phone_numbers",
}
# Columns whose letters begin the SIDs of several tables, one here and one there.
COLUMNS = {
    "a2p_profile_bundle_sid": "trusthub_trust_products",
    "bundle_sid": "regulatory_bundles",
    "customer_profile_bundle_sid": "trusthub_customer_profiles",
    "customer_profile_sid": "trusthub_customer_profiles",
    "trust_product_sid": "trusthub_trust_products",
}
# The account, whose join is not drawn, as the connector and as the newer APIs name it.
ACCOUNT = {"account_sid", "accountId"}
# Users of the Console, whose SIDs begin as those of Conversations do.
CONSOLE_USERS = {"actor_sid", "author_sid"}


class Join(NamedTuple):
    """A foreign key."""

    table: str
    column: str
    target: str
    key: str

    @property
    def drawn(self) -> str:
        """The line of a Mermaid diagram."""
        many = "|" if STREAMS[self.table].key == [self.column] else "{"
        return f"    {self.target} ||--o{many} {self.table} : {self.column}"


def letters(stream: Stream, column: str) -> list[str]:
    """Return the prefixes that the SIDs of a column can have."""
    field = stream.resource.fields.get(column)
    return field.detail.split("|") if field and field.format == "sid" and field.detail else []


@cache
def owners() -> dict[str, str]:
    """Return the table whose key has the SIDs of a prefix, by prefix."""
    found: dict[str, list[str]] = {}
    for name, stream in STREAMS.items():
        if stream.key == ["sid"]:
            for text in letters(stream, "sid"):
                found.setdefault(text, []).append(name)
    return {text: names[0] for text, names in found.items() if len(names) == 1} | LETTERS


def target(stream: Stream, column: str) -> tuple[str, str] | None:
    """Return the table and column that a column refers to."""
    for parent in stream.parents:
        if parent.field == column:
            return parent.stream.name, parent.key
    if column in ACCOUNT or column in CONSOLE_USERS or stream.key == ["sid"] == [column]:
        return None
    names = [owners().get(text, "") for text in letters(stream, column)]
    table = COLUMNS.get(column) or next((name for name in names if name), "")
    return (table, "sid") if table in STREAMS else None


@cache
def joins() -> list[Join]:
    """Return all joins, in the order of the streams and of their columns."""
    return [
        Join(name, column, *found)
        for name, stream in STREAMS.items()
        for column in stream.schema["properties"]
        if (found := target(stream, column)) and found[0] in STREAMS
    ]


def diagram(tables: list[str], drawn: list[Join]) -> Iterator[str]:
    """Yield an entity diagram in Mermaid: joins, and tables without joins."""
    yield from ("```mermaid", "erDiagram", "    direction LR")
    yield from (join.drawn for join in drawn)
    joined = {name for join in drawn for name in (join.table, join.target)}
    yield from (f"    {name}" for name in tables if name not in joined)
    yield "```"
