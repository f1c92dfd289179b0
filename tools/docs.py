"""The tables of docs/twilio.md that follow from the manifest: `make docs`.

A table stands between two comments that bear its name. What the manifest cannot tell of a stream, a
link and a remark, is in docs/notes.yaml; a stream need not have any.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from sandbox.streams import STREAMS, Stream

DOCS = Path(__file__).parents[1] / "docs"
PAGE, NOTES = DOCS / "twilio.md", DOCS / "notes.yaml"
ACCOUNT = "https://api.twilio.com/2010-04-01/Accounts/{AccountSid}"


def replaced(page: str, name: str, lines: list[str]) -> str:
    """Return the page with other lines between the comments of a table."""
    begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->\n"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"docs/twilio.md needs these two lines once:\n{begin}{end}")
    head, _, rest = page.partition(begin)
    return head + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.partition(end)[2]


def endpoint(stream: Stream) -> str:
    """Return where the list is, with Twilio's placeholders."""
    url = stream.resource.url.removeprefix(ACCOUNT)
    return url.removeprefix("https://").replace("{AccountSid}", "{Account}")


def mode(stream: Stream) -> str:
    """Return how the stream can be read."""
    return f"incremental, `{stream.cursor_field}`" if stream.cursor_field else "full"


def stream_table(notes: dict[str, Any]) -> list[str]:
    """Return the number of streams and the table of them."""
    incremental = sum(bool(stream.cursor_field) for stream in STREAMS.values())
    lines = [f"{len(STREAMS)} streams, {incremental} of them incremental:", ""]
    lines += ["| Stream | Endpoint | Mode | Primary key | Notes |", "|---|---|---|---|---|"]
    for name, stream in STREAMS.items():
        note = notes.get(name, {})
        title = f"[{name}]({note['docs']})" if "docs" in note else name
        key = ", ".join(f"`{field}`" for field in stream.key)
        cells = [title, f"`{endpoint(stream)}`", mode(stream), key, note.get("notes", "")]
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return lines


def generated(page: str) -> str:
    """Return the page with the table of streams as the manifest has it now."""
    notes = yaml.safe_load(NOTES.read_text("utf-8"))
    return replaced(page, "streams", stream_table(notes))


def main() -> int:
    """Write the table of streams."""
    PAGE.write_text(generated(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
