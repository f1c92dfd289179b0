"""Copy a Twilio account into a database: `make sync CONFIG=secrets/config.json`.

Run it again for what has changed since; the state is kept with the tables.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from twilio_warehouse.log import clean
from twilio_warehouse.mistakes import Mistake, causes, explained, first_line
from twilio_warehouse.settings import check_settings, read_config, secrets


def main(arguments: Sequence[str] | None = None) -> int:
    """Sync, and return the exit status, as docs/operating.md says."""
    parser = argparse.ArgumentParser("python -m twilio_warehouse.sync_command", description=__doc__)
    parser.add_argument("config", nargs="?", default="", help="the file with the settings")
    parser.add_argument("--destination", default="duckdb", help="duckdb, postgres, ...")
    parser.add_argument("--database", default="twilio.duckdb", help="the file of DuckDB")
    parser.add_argument("--streams", default="", help="names with commas between; all by default")
    parser.add_argument("--except", default="", dest="left_out", help="names to leave out")
    parser.add_argument("--refresh", default="", help="names to read again from the start, or all")
    parser.add_argument("--load-every", type=float, default=15, help="seconds between loads")
    signal.signal(signal.SIGTERM, interrupted)
    try:
        return sync(parser.parse_args(arguments))
    except Mistake as mistake:
        print(clean(str(mistake)), file=sys.stderr)
        return mistake.status
    except KeyboardInterrupt:
        print("Stopped before anything was read.", file=sys.stderr)
        return 130


def sync(given: argparse.Namespace) -> int:
    """Sync as the arguments say. Raises `Mistake`."""
    path = Path(given.config) if given.config else None
    config = read_config(path)
    assert path
    check_settings(config, path)
    # These take seconds to import, and the mistakes above are said without them.
    from twilio_warehouse.connector import Connector
    from twilio_warehouse.kept import Kept
    from twilio_warehouse.log import log_to
    from twilio_warehouse.progress import Progress
    from twilio_warehouse.sync import Sync, chosen
    from twilio_warehouse.target import Target

    begun = False
    target = Target(given.destination, Path(given.database))
    try:
        with target:
            log_to(target.log, secrets(config))
            target.open()
            # Tables of others are refused before Twilio is asked.
            Kept.of(target.kept(), config, target.name)
            connector = Connector(path, config, target.buffer)
            names, left_out = words(given.streams), words(given.left_out)
            again = [name for name in words(given.refresh) if name != "all"]
            known = connector.discover()
            streams = chosen(known, names, left_out)
            if again:
                chosen(known, again, [])
            if "all" in words(given.refresh):
                again = [stream["name"] for stream in streams]
            if lacking := {*again} - {stream["name"] for stream in streams}:
                raise Mistake(f"REFRESH names {', '.join(sorted(lacking))}: not to be read.")
            progress = Progress(len(streams))
            run = Sync(connector, target, streams, progress, given.load_every, again)
            begun = True
            print(f"Reading {len(streams)} streams into {target.name} ...", file=sys.stderr)
            with progress:
                run.run()
    except Mistake:
        raise
    except BaseException as error:
        mistake = ended(error, target.name, target.log)
        if mistake.status != 130:
            mistake.status = 1 if begun else 2
        raise mistake from None
    for line in [*progress.report(), f"The tables are in {target.name}; the log is {target.log}."]:
        print(line)
    if progress.failed:
        return 1
    # All may be left out, as streams that the credentials do not open.
    return 0 if progress.complete else 2


def ended(error: BaseException, name: str, log: Path) -> Mistake:
    """Return what to say of an error that ended a sync; all of it goes to the log."""
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "SignalReceivedException":
        said = f"Stopped. What was loaded stays in {name}; run it again to go on from there."
        return Mistake(f"{said}\nThe log is {log}.", 130)
    logging.getLogger("sync").error("The sync failed.", exc_info=error)
    mistake = explained(error, name) or Mistake(
        f"The sync failed: {first_line([*causes(error)][-1])}", 1
    )
    return Mistake(f"{mistake}\nThe log is {log}.", mistake.status)


def interrupted(*_: Any) -> NoReturn:
    """End the sync as Ctrl-C does."""
    raise KeyboardInterrupt


def words(names: str) -> list[str]:
    """Return names with commas or spaces between."""
    return names.replace(",", " ").split()


if __name__ == "__main__":
    sys.exit(main())
