"""Loads what the connector reads into a database, through dlt: `make sync` and `make demo`."""
