"""Asks a real account what Twilio's documentation leaves open: `make probe CONFIG=...`."""
