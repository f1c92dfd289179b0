"""A test read of the builder: what its limits leave of each list."""

from __future__ import annotations

import logging
from pathlib import Path

import yaml
from airbyte_cdk.models import SyncMode
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
    TestLimits,
)
from airbyte_cdk.test.catalog_builder import CatalogBuilder, ConfiguredAirbyteStreamBuilder

# It registers the classes that the manifest names.
import source_twilio.source  # noqa: F401
from unit_tests.support.mock_twilio import ACCOUNT, CONFIG, MockTwilio, url

MANIFEST = Path(__file__).parents[2] / "source_twilio" / "manifest.yaml"


def test_each_list_has_the_page_limit(mock: MockTwilio, clock: object) -> None:
    """`max_pages_per_slice` is the limit of each list, though slices are read at once."""
    mock.delay_seconds = 0.01
    accounts = [ACCOUNT, *(f"AC{number:032x}" for number in range(2, 6))]
    mock.page(
        url("Accounts.json", PageSize=1000), "accounts", [{"sid": account} for account in accounts]
    )
    for account in accounts:
        pages = [url(f"Accounts/{account}/Queues.json", PageSize=1000, Page=n) for n in range(4)]
        pages[0] = pages[0].removesuffix("&Page=0")
        for number, (page, link) in enumerate(zip(pages[:3], pages[1:], strict=True)):
            mock.page(page, "queues", [{"sid": f"{account} {number}"}], link)
    stream = ConfiguredAirbyteStreamBuilder().with_name("queues")
    catalog = CatalogBuilder().with_stream(stream.with_sync_mode(SyncMode.full_refresh)).build()
    source: ConcurrentDeclarativeSource = ConcurrentDeclarativeSource(
        catalog=catalog,
        state=[],
        config=CONFIG,
        source_config=yaml.safe_load(MANIFEST.read_text()),
        emit_connector_builder_messages=True,
        limits=TestLimits(max_pages_per_slice=3, max_slices=5, max_records=1000),
    )
    read = source.read(logging.getLogger("airbyte"), CONFIG, catalog, [])
    rows = [message.record.data["sid"] for message in read if message.record]
    assert sorted(rows) == sorted(f"{a} {number}" for a in accounts for number in range(3))
