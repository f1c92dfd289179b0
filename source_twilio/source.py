"""The installed package's source: the manifest beside this file, read by the CDK."""

import logging
import sys
from collections.abc import Collection, Mapping
from typing import Any

from airbyte_cdk.models import AirbyteCatalog, AirbyteStateMessage, ConfiguredAirbyteCatalog
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)

from source_twilio import components
from source_twilio.catalog import manifest, whole_catalog
from source_twilio.settings import has_key

# The manifest spells its classes as the CDK's manifest runner and the builder know them.
sys.modules.setdefault("source_declarative_manifest.components", components)


class SourceTwilio(ConcurrentDeclarativeSource):
    """manifest.yaml as an Airbyte source."""

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        config_path: str | None = None,
        names: Collection[str] | None = None,
    ) -> None:
        """Load the manifest with the streams of the catalog, or those of the names, or all.

        The other arguments are the CDK's.
        """
        if catalog and catalog.streams:
            names = [configured.stream.name for configured in catalog.streams]
        super().__init__(
            catalog=catalog or ConfiguredAirbyteCatalog(streams=[]),
            config=config or {},
            state=state or [],
            source_config=manifest(names),
            config_path=config_path,
        )

    def _validate_source(self) -> None:
        """Do not compare the manifest with the CDK's schema at each start: the suite does."""

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """Return the whole catalog; warn of the streams that an API key does not open (26)."""
        if has_key(config):
            self.check(logger, config)
        return whole_catalog()

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:
        """Take the config of a caller that gave none to the constructor, as CDK test suites do.

        Unlike the CDK's own it writes no copy to `temp_dir`, where a kill would leave the token.
        """
        if not self._config:
            self._config = self._migrate_and_transform_config(None, config) or {}
            self._config_for_validation = self._config
        return self._config
