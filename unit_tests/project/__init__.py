"""Tests of the pages, the release, the runtimes and the dev tools."""
