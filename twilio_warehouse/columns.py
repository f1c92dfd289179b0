"""Columns that are left out or hashed, before a row is kept anywhere."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dlt.common.normalizers.naming.snake_case import NamingConvention

from twilio_warehouse.config import PLACEHOLDER, similar_name
from twilio_warehouse.errors import UserError
from twilio_warehouse.tables import Row, Table, text, type_of

HASH_KEY = "TWILIO_WAREHOUSE_HASH_KEY"
# Phone numbers can be tried out one by one: the key is all that hides them.
LEAST_LENGTH = 16
MAKE_KEY = "openssl rand -hex 32 makes one"


@dataclass(frozen=True)
class Columns:
    """The columns that are left out and those that are hashed, by stream, and the key of these."""

    excluded: Mapping[str, set[str]] = field(default_factory=dict)
    hashed: Mapping[str, set[str]] = field(default_factory=dict)
    key: bytes = field(default=b"", repr=False)

    @classmethod
    def of(
        cls,
        catalog: Iterable[Mapping[str, Any]],
        excluded: Iterable[str],
        hashed: Iterable[str],
        key: str,
    ) -> Columns:
        """Take names as `messages.body`. Raises `UserError` for a column that cannot be so."""
        streams = {stream["name"]: stream for stream in catalog}
        found = cls(
            by_stream(streams, excluded, "--exclude-columns"),
            by_stream(streams, hashed, "--hash-columns"),
            key.encode(),
        )
        for stream, names in found.hashed.items():
            properties = streams[stream]["json_schema"]["properties"]
            for name in sorted(names):
                if (kind := type_of(properties[name])) != "text":
                    raise UserError(
                        f"{stream}.{name} is of type {kind}, and only text can be hashed: leave it "
                        "out with --exclude-columns."
                    )
                if name in found.excluded.get(stream, ()):
                    raise UserError(
                        f"{stream}.{name} is in --exclude-columns and in --hash-columns: choose."
                    )
        if found.hashed and (len(key) < LEAST_LENGTH or PLACEHOLDER.fullmatch(key)):
            raise UserError(
                f"--hash-columns needs a secret key of {LEAST_LENGTH} characters or more in the "
                f"environment, {HASH_KEY}: {MAKE_KEY}. Keep it: with another one the same value "
                "has another hash."
            )
        return found

    def table(self, table: Table) -> Table:
        """Return the table without the columns that are left out."""
        excluded = self.excluded.get(table.name, ())
        return replace(table, types={k: v for k, v in table.types.items() if k not in excluded})

    def has_plain(self, table: Table, name: str) -> bool:
        """Return whether a column is in the table, and not hashed."""
        return name in table.types and name not in self.hashed.get(table.name, ())

    def apply(self, stream: str, row: Row) -> None:
        """Leave out and hash values of a row."""
        for name in self.excluded.get(stream, ()):
            row.pop(name, None)
        for name in self.hashed.get(stream, ()):
            if (value := row.get(name)) is not None:
                row[name] = self._hash(text(value))

    def saved(self, stream: str) -> dict[str, str]:
        """Return what is kept with a table, by column: "" if it is left out, or a key's hash."""
        of_key = self._hash("which key")[:16]
        return {
            **dict.fromkeys(sorted(self.excluded.get(stream, ())), ""),
            **dict.fromkeys(sorted(self.hashed.get(stream, ())), of_key),
        }

    def _hash(self, value: str) -> str:
        return hmac.digest(self.key, value.encode(), "sha256").hex()


def by_stream(
    streams: Mapping[str, Mapping[str, Any]], names: Iterable[str], option: str
) -> dict[str, set[str]]:
    """Return the fields that are named as `stream.column`, by stream. Raises `UserError`."""
    found: dict[str, set[str]] = {}
    for given in names:
        name, _, column = given.partition(".")
        if not column:
            raise UserError(
                f"{option} names columns with their stream, such as messages.body, and not {given}."
            )
        if name not in streams:
            raise UserError(f"There is no stream {name}: {hint(name, streams)}.")
        fields = fields_of(streams[name])
        if column not in fields:
            raise UserError(f"{name} has no column {column}: {hint(column, fields)}.")
        stream, wanted = streams[name], fields[column]
        if [wanted] in stream["source_defined_primary_key"]:
            raise UserError(f"{given} is of the primary key, without which no row can be merged.")
        if wanted in (stream.get("default_cursor_field") or ()):
            raise UserError(f"{given} is the cursor field: it says which row is newer.")
        found.setdefault(name, set()).add(wanted)
    return found


def hint(name: str, known: Iterable[str]) -> str:
    """Return where the right name is."""
    similar = similar_name(name, known)
    return (
        f"did you mean {similar}? docs/columns.md lists them" if similar else "see docs/columns.md"
    )


def fields_of(stream: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a stream by their names, as Twilio and as the tables spell them."""
    naming, fields = NamingConvention(), stream["json_schema"]["properties"]
    return {naming.normalize_identifier(name): name for name in fields} | {n: n for n in fields}
