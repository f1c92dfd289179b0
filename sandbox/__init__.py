"""A local stand-in for Twilio: for tests, demonstrations and measurements, not for the wheel."""

from sandbox.api import Key
from sandbox.faults import Faults
from sandbox.server import Request, Sandbox

__all__ = ["Faults", "Key", "Request", "Sandbox"]
