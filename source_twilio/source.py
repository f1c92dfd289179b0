"""The installed package's source: the manifest beside this file, read by the CDK."""

import logging
import sys
from collections.abc import Collection, Mapping
from typing import Any

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
)
from airbyte_cdk.sources.declarative.checks.check_stream import CHECK_STREAM_NAMES_CONFIG_KEY
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)

from source_twilio import components
from source_twilio.building import built_quickly
from source_twilio.catalog import manifest, streams_in, whole_catalog
from source_twilio.errors import LOGGER, error
from source_twilio.settings import has_key
from source_twilio.state import states

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

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """Return the state in a file: the protocol's, or a connection's as Airbyte shows it.

        Raises an error for a file in which no stream has a state.
        """
        content: Any = cls._read_json_file(state_path) if state_path else None
        found = states(content)
        if content and not found:
            raise error(
                f"The file {state_path} holds no state of a stream: give it a list of objects with "
                "stream_descriptor and stream_state, or streamDescriptor and streamState.",
                FailureType.config_error,
            )
        for name in [name for name, state in found.items() if not isinstance(state, Mapping)]:
            LOGGER.warning("%s: its state is no object, and is ignored.", name)
            del found[name]
        return [as_message(name, state) for name, state in found.items()]

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Check the connection, and the streams if the configuration names some."""
        wanted = config.get(CHECK_STREAM_NAMES_CONFIG_KEY) or []
        if wrong := unknown(wanted):
            return AirbyteConnectionStatus(
                status=Status.FAILED,
                message=f"{CHECK_STREAM_NAMES_CONFIG_KEY} must be a list of streams; {wrong}.",
            )
        return super().check(logger, config)

    def _validate_source(self) -> None:
        """Do not compare the manifest with the CDK's schema at each start: the suite does."""

    def _create_streams(self, *configs: Any) -> list[Any]:
        """Build the streams as the CDK does, in less than half the time."""
        with built_quickly():
            return super()._create_streams(*configs)

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


def as_message(name: str, state: Any) -> AirbyteStateMessage:
    """Return the state of a stream as the CDK takes it."""
    stream = {"stream_descriptor": {"name": name}, "stream_state": state}
    return AirbyteStateMessageSerializer.load({"type": "STREAM", "stream": stream})


def unknown(wanted: Any) -> str:
    """Return what is wrong with names of streams, or nothing."""
    if not isinstance(wanted, list):
        return f"it is {wanted!r}"
    known = streams_in(manifest()["streams"]) if wanted else []
    return ", ".join(f"{name!r} is none" for name in wanted if name not in known)
