"""The command `source-twilio spec|check|discover|read`."""

import gc
import sys
from collections.abc import Collection, MutableMapping
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources.declarative.checks.check_stream import CHECK_STREAM_NAMES_CONFIG_KEY

from source_twilio.batches import launch
from source_twilio.source import SourceTwilio, unknown

USAGE = """\
usage: source-twilio spec
       source-twilio check    --config FILE
       source-twilio discover --config FILE
       source-twilio read     --config FILE --catalog FILE [--state FILE]"""


def run(args: list[str] | None = None) -> None:
    """Run one Airbyte command, by default the one on the command line."""
    arguments = sys.argv[1:] if args is None else args
    if args is None:
        freeze()
    if not arguments:
        print(USAGE, file=sys.stderr)
        sys.exit(2)
    config = AirbyteEntrypoint.extract_config(arguments)
    start(arguments, SourceTwilio.read_config(config) if config else {})


def freeze() -> None:
    """Have this process look for garbage where and when there may be some."""
    # What is imported stays as long as this process: to look for garbage in it takes 0.2 s.
    gc.freeze()
    # Records come and go by the thousand and form no cycles: to look for some at each 700 objects
    # takes a tenth of the CPU time of a sync.
    gc.set_threshold(20_000, 20, 20)


def start(arguments: list[str], settings: MutableMapping[str, Any]) -> None:
    """Run a command with settings that have been read."""
    catalog = AirbyteEntrypoint.extract_catalog(arguments)
    config = AirbyteEntrypoint.extract_config(arguments)
    state = AirbyteEntrypoint.extract_state(arguments)
    # To build a stream takes time, so a command builds what it needs.
    names: Collection[str] | None = None
    if arguments[0] in ("spec", "discover"):
        names = []
    elif "check" in arguments[:1]:
        wanted = settings.get(CHECK_STREAM_NAMES_CONFIG_KEY) or []
        # What is no list of streams fails the check with a sentence.
        names = ["accounts", *([] if unknown(wanted) else wanted)]
    source = SourceTwilio(
        SourceTwilio.read_catalog(catalog) if catalog else None,
        settings,
        SourceTwilio.read_state(state) if state else None,
        config,
        names,
    )
    # The CDK would read it again, which a pipe such as /dev/stdin does not allow.
    vars(source)["read_config"] = lambda _: settings
    launch(source, arguments)


if __name__ == "__main__":
    run()
