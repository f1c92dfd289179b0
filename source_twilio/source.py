"""The installed package's source: the manifest beside this file, read by the CDK."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airbyte_cdk.models import AirbyteCatalog, AirbyteStateMessage, ConfiguredAirbyteCatalog
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource

from source_twilio import components
from source_twilio.settings import has_key

# The manifest spells its classes as the CDK's manifest runner and the builder know them.
sys.modules.setdefault("source_declarative_manifest.components", components)


class SourceTwilio(YamlDeclarativeSource):
    """manifest.yaml as an Airbyte source."""

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        config_path: str | None = None,
    ) -> None:
        """Load the manifest; all arguments are the CDK's."""
        # An absolute path: the CDK would prefer a manifest.yaml in the working directory.
        super().__init__(
            path_to_yaml=str(Path(__file__).with_name("manifest.yaml")),
            catalog=catalog,
            config=config,
            state=state,
            config_path=config_path,
        )

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """Return the whole catalog; warn of the streams that an API key does not open (26)."""
        if has_key(config):
            self.check(logger, config)
        return super().discover(logger, config)

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:
        """Take the config of a caller that gave none to the constructor, as CDK test suites do.

        Unlike the CDK's own it writes no copy to `temp_dir`, where a kill would leave the token.
        """
        if not self._config:
            self._config = self._migrate_and_transform_config(None, config) or {}
            self._config_for_validation = self._config
        return self._config
