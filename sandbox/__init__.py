"""A local stand-in for Twilio: for tests, demonstrations and measurements, not for the wheel."""

from sandbox.api import Key
from sandbox.server import Faults, Request, Sandbox

__all__ = ["Faults", "Key", "Request", "Sandbox"]
