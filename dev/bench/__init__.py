"""The benchmark: the cost of the connector, compared with other programs that read Twilio."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
