"""`python -m twilio_warehouse` is the command `twilio-warehouse`."""

import sys

from twilio_warehouse.cli import main

if __name__ == "__main__":
    sys.exit(main())
