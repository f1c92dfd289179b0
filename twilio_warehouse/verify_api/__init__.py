"""Tests on a real account what Twilio's documentation leaves open: `verify-api`."""
