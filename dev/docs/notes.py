"""Notes on streams that are not in the manifest: docs/notes.yaml, which documents its keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from sandbox.streams import STREAMS

DOCS = Path(__file__).parents[2] / "docs"
FILE = DOCS / "notes.yaml"


@dataclass(frozen=True)
class Product:
    """A group of streams with its own page.

    Attributes:
        title: Twilio's name of it.
        about: what its streams are, in a sentence or two.
    """

    title: str
    about: str


@dataclass(frozen=True)
class Note:
    """The notes on a stream, in Markdown.

    Attributes:
        product: the name of a product, which is that of the page.
        cost: the requests of a sync.
        needs: a feature or permission.
        kept: how long Twilio shows a row.
        sensitive: what is secret or personal in a row.
        suggested: whether it is among the suggested streams of metadata.yaml.
        notes: anything else.
        docs: the URL of Twilio's page.
    """

    product: str
    cost: str
    needs: str
    kept: str
    sensitive: str
    suggested: bool = True
    notes: str = ""
    docs: str = ""


@dataclass(frozen=True)
class Notes:
    """The products by the name of their page, and the streams, both in the order of the file."""

    products: dict[str, Product]
    streams: dict[str, Note]

    def of(self, product: str) -> dict[str, Note]:
        """Return the notes of the streams of a product."""
        return {name: note for name, note in self.streams.items() if note.product == product}

    def suggested(self) -> list[str]:
        """Return the suggested streams, in alphabetical order."""
        return sorted(name for name, note in self.streams.items() if note.suggested)


def parse(text: str, streams: Iterable[str] = STREAMS) -> Notes:
    """Return the notes of a file; raises ValueError that names missing and unknown entries."""
    content = yaml.safe_load(text)
    names, noted = list(streams), list(content["streams"])
    if missing := [name for name in names if name not in noted]:
        raise ValueError(f"docs/notes.yaml has no entry for {', '.join(missing)}: add one.")
    if unknown := [name for name in noted if name not in names]:
        raise ValueError(f"docs/notes.yaml has entries for no stream: {', '.join(unknown)}.")
    products = {name: Product(**product) for name, product in content["products"].items()}
    found = {}
    for name, entry in content["streams"].items():
        try:
            found[name] = Note(**entry)
        except TypeError as error:
            raise ValueError(f"docs/notes.yaml, {name}: {error}.") from None
        if found[name].product not in products:
            raise ValueError(f"docs/notes.yaml, {name}: no such product: {found[name].product}.")
    used = {note.product for note in found.values()}
    return Notes({name: products[name] for name in products if name in used}, found)


@cache
def load() -> Notes:
    """Return the notes of docs/notes.yaml."""
    return parse(FILE.read_text("utf-8"))
