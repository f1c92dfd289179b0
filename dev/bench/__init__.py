"""The benchmark: what the connector costs, beside other programs that read Twilio."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
