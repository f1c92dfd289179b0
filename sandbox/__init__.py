"""A Twilio simulator for tests, demo and benchmarks; it is not in the wheel."""

from sandbox.api import Key
from sandbox.faults import Faults
from sandbox.server import Request, Sandbox

__all__ = ["Faults", "Key", "Request", "Sandbox"]
