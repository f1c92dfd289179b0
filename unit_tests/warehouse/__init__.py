"""Tests of twilio_warehouse."""
