"""The read as a program of its own, which ends when the sync does, however that ends."""

from __future__ import annotations

import os
import sys
import threading

from source_twilio.run import run


def end_with_parent() -> None:
    """End once nobody holds the other end of the standard input."""
    # Not by `sys.stdin`, whose lock the interpreter wants when it ends.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    run(sys.argv[1:])
