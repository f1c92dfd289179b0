"""The command `source-twilio spec|check|discover|read`."""

import gc
import sys

from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch

from source_twilio.source import SourceTwilio


def run(args: list[str] | None = None) -> None:
    """Run one Airbyte command, by default the one on the command line."""
    # Records come and go by the thousand and form no cycles: looking for some at each 700 objects,
    # among all that the imports left, takes a tenth of the CPU time of a sync.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    arguments = sys.argv[1:] if args is None else args
    catalog = AirbyteEntrypoint.extract_catalog(arguments)
    config = AirbyteEntrypoint.extract_config(arguments)
    state = AirbyteEntrypoint.extract_state(arguments)
    source = SourceTwilio(
        SourceTwilio.read_catalog(catalog) if catalog else None,
        SourceTwilio.read_config(config) if config else None,
        SourceTwilio.read_state(state) if state else None,
        config,
    )
    launch(source, arguments)


if __name__ == "__main__":
    run()
