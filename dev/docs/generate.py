"""The pages and parts of pages that follow from manifest, schemas and notes: `make docs`.

A part of a page that is otherwise written by hand stands between two comments that bear its name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from dev.docs.behavior import linked
from dev.docs.notes import DOCS, Notes, load
from dev.docs.pages import columns_page, index, joins_page, product_page

PAGE, METADATA = DOCS / "twilio.md", DOCS.parent / "metadata.yaml"
SUGGESTED = re.compile(r"(?m)^( +suggestedStreams:\n( +)streams:\n)(?:\2  - .*\n)*")


def replaced(page: str, name: str, lines: Iterable[str]) -> str:
    """Return the page with other lines between the comments of a table."""
    begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->\n"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"docs/twilio.md needs these two lines once:\n{begin}{end}")
    head, _, rest = page.partition(begin)
    return head + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.partition(end)[2]


def metadata(text: str, suggested: list[str]) -> str:
    """Return metadata.yaml with these suggested streams."""
    [(head, indent)] = SUGGESTED.findall(text)
    items = "".join(f"{indent}  - {name}\n" for name in suggested)
    return SUGGESTED.sub(lambda _: head + items, text)


def generated(notes: Notes) -> dict[Path, str]:
    """Return what each file must hold; whatever else is in docs/streams must not be there."""
    pages = {
        **{DOCS / "streams" / f"{name}.md": product_page(name, notes) for name in notes.products},
        DOCS / "columns.md": columns_page(notes),
        DOCS / "joins.md": joins_page(notes),
    }
    to_root = {path: "../" * len(path.relative_to(DOCS.parent).parent.parts) for path in pages}
    return {
        **{path: linked("\n".join([*lines, ""]), to_root[path]) for path, lines in pages.items()},
        PAGE: replaced(PAGE.read_text("utf-8"), "streams", index(notes)),
        METADATA: metadata(METADATA.read_text("utf-8"), notes.suggested()),
    }


def stale(files: dict[Path, str]) -> list[str]:
    """Return the files that are not as they must be, by their path in the repository."""
    changed = [p for p, text in files.items() if not p.exists() or p.read_text("utf-8") != text]
    old = [path for path in (DOCS / "streams").glob("*") if path not in files]
    return sorted(str(path.relative_to(DOCS.parent)) for path in [*changed, *old])


def main() -> int:
    """Write the files, and remove the pages of products that are no more."""
    files = generated(load())
    for name in stale(files):
        path = DOCS.parent / name
        if path in files:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files[path], "utf-8")
        else:
            path.unlink()
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
