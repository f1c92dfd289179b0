"""What a start leaves out: streams for the catalog, and a look at the manifest."""

from __future__ import annotations

import logging

from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)

from source_twilio import SourceTwilio
from source_twilio.source import whole_catalog
from unit_tests.support.mock_twilio import CONFIG


def test_catalog() -> None:
    """It is the one that the CDK makes of the streams; and the manifest is as the CDK has it."""
    source = SourceTwilio(config=CONFIG)
    ConcurrentDeclarativeSource._validate_source(source)
    expected = ConcurrentDeclarativeSource.discover(source, logging.getLogger("airbyte"), CONFIG)
    assert len(expected.streams) == 125
    assert [*map(vars, whole_catalog().streams)] == [*map(vars, expected.streams)]
