"""What the command line of the benchmark asks for."""

from __future__ import annotations

from typing import NamedTuple


class Options(NamedTuple):
    """What the command line asks for."""

    runs: int
    peers: str
    scale: float

    def rows(self, number: int) -> int:
        """Return a number of rows at the scale."""
        return round(number * self.scale)
