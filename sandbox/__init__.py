"""A local stand-in for Twilio: for tests, demonstrations and measurements, not for the wheel."""

from sandbox.server import Faults, Request, Sandbox

__all__ = ["Faults", "Request", "Sandbox"]
