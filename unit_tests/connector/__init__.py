"""Tests of source_twilio."""
