"""Ask an account what Twilio's documentation leaves open: `make probe CONFIG=...`.

A few dozen GET requests. What is printed holds no SID, number, name, date or secret.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from twilio_warehouse.mistakes import Mistake
from twilio_warehouse.settings import check_settings, read_config


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 0, or 1 or 2 with a line about what is wrong."""
    parser = argparse.ArgumentParser("python -m twilio_warehouse.verify", description=__doc__)
    parser.add_argument("config", nargs="?", default="", help="the file with the settings")
    given = parser.parse_args(arguments)
    try:
        probe(Path(given.config) if given.config else None)
    except Mistake as mistake:
        print(str(mistake).replace("make sync", "make probe"), file=sys.stderr)
        return mistake.status
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


def probe(path: Path | None) -> None:
    """Print the table for a config file. Raises `Mistake`."""
    config = read_config(path)
    assert path
    check_settings(config, path)
    # These take seconds to import, and the mistakes above are said without them.
    from source_twilio.config import has_key
    from twilio_warehouse.connector import Connector
    from twilio_warehouse.verify.client import Client
    from twilio_warehouse.verify.table import QUESTIONS, Line, lines, markdown, shown

    # What libraries log is not for the screen.
    logging.getLogger().handlers = [logging.NullHandler()]
    Connector(path, config, path.parent).check()
    client = Client(config)

    def told(found: Iterator[Line]) -> Iterator[Line]:
        for number, line in enumerate(found, 1):
            print(
                f"{number} of {len(QUESTIONS)}: {line.question.text} "
                + shown(line.says or "unknown"),
                file=sys.stderr,
            )
            yield line

    for text in markdown(told(lines(client))):
        print(text)
    how = "API key" if has_key(client.config) else "Auth Token"
    where = client.config.get("region", "us1")
    print(f"\n{client.requests} requests, with an {how}, in {where}.")


if __name__ == "__main__":
    sys.exit(main())
