"""JSON on stdout, for programs: `--json`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson

from twilio_warehouse.log import CONTROL


def print_json(value: Any) -> None:
    """Print a value on one line; numbers keep their digits, and terminals get no orders."""
    dumped = orjson.dumps(value, default=plain, option=orjson.OPT_NON_STR_KEYS).decode()
    # Within JSON they can only stand in text, where this is the same character.
    print(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", dumped))


def plain(value: Any) -> Any:
    """Return a value of DuckDB's as JSON has it."""
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(f"{value:f}")
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return value.total_seconds() if isinstance(value, timedelta) else str(value)
