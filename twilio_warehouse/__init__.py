"""Twilio in a database, without a platform: the command `twilio-warehouse`."""
