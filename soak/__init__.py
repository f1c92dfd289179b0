"""The completeness test: `make soak`."""
