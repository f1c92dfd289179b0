"""The installed package's source: the manifest beside this file, read by the CDK."""

import gc
import json
import logging
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
    SyncMode,
)
from airbyte_cdk.sources.declarative.checks.check_stream import CHECK_STREAM_NAMES_CONFIG_KEY
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentCursorFactory,
)
from airbyte_cdk.sources.declarative.models import declarative_component_schema
from airbyte_cdk.sources.streams.concurrent.cursor import ConcurrentCursor
from airbyte_cdk.utils.yaml_loader import safe_load_yaml
from pydantic.v1.fields import SHAPE_SINGLETON

from source_twilio import components
from source_twilio.config import is_scoped
from source_twilio.errors import LOGGER, error
from source_twilio.state import states

HERE = Path(__file__).parent
# What the CDK's models call the field that says which of them a component is.
TYPE = "type"

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
        if problem := unknown(wanted):
            return AirbyteConnectionStatus(
                status=Status.FAILED,
                message=f"{CHECK_STREAM_NAMES_CONFIG_KEY} must be a list of streams; {problem}.",
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
        if is_scoped(config):
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


# ---------------------------------------------------------------- the manifest, and its catalog
# To build all streams takes the CDK seconds.


def manifest(names: Collection[str] | None = None) -> dict[str, Any]:
    """Return the manifest with the named streams and those that they need, or with all.

    The CDK takes about 12 ms of CPU at each start for a stream that nobody reads.
    """
    whole: dict[str, Any] = safe_load_yaml((HERE / "manifest.yaml").read_bytes())
    if names is None:
        return whole
    streams = whole["definitions"].pop("streams")
    needed, found = {}, [*names, *streams_in(whole["definitions"])]
    while found:
        name = found.pop()
        if name in streams and name not in needed:
            needed[name] = streams[name]
            found += streams_in(streams[name])
    whole["definitions"]["streams"] = {name: streams[name] for name in streams if name in needed}
    # `accounts` in any case: the CDK refuses a manifest without a stream.
    kept = {*names, "accounts"}
    whole["streams"] = [row for row in whole["streams"] if kept.intersection(streams_in(row))]
    return whole


def streams_in(part: Any) -> list[str]:
    """Return the names of the streams that a part of the manifest refers to."""
    return re.findall(r"#/definitions/streams/(\w+)", str(part))


def whole_catalog() -> AirbyteCatalog:
    """Return what the CDK's own `discover` returns of this manifest."""
    definitions = manifest()["definitions"]
    # Streams are listed as they are defined.
    return AirbyteCatalog(
        streams=[
            described(name, with_references(stream, definitions), definitions)
            for name, stream in definitions["streams"].items()
        ]
    )


def described(
    name: str, stream: Mapping[str, Any], definitions: Mapping[str, Any]
) -> AirbyteStream:
    """Return a stream as the catalog has it."""
    schema = json.loads((HERE / "schemas" / f"{name}.json").read_text("utf-8"))
    parameters = stream["$parameters"]
    key = parameters["primary_key"]
    described = AirbyteStream(
        name=name,
        json_schema=schema,
        supported_sync_modes=[SyncMode.full_refresh],
        source_defined_primary_key=[[field] for field in ([key] if isinstance(key, str) else key)],
        is_resumable=False,
        is_file_based=False,
    )
    if "incremental_sync" in stream:
        cursor = with_references(stream["incremental_sync"], definitions)
        described.supported_sync_modes.append(SyncMode.incremental)
        described.default_cursor_field = [cursor.get("cursor_field") or parameters["cursor_field"]]
        described.source_defined_cursor = described.is_resumable = True
    return described


def with_references(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of the manifest with the fields that its `$ref` gives it."""
    found = dict(part)
    while reference := found.pop("$ref", None):
        base: Any = {"definitions": definitions}
        for name in reference.removeprefix("#/").split("/"):
            base = base[name]
        found = {**base, **found}
    return found


# ------------------------------------------------------------------------- building streams faster


@contextmanager
def built_quickly() -> Iterator[None]:
    """Have models chosen by their type, cursors copied, and no garbage looked for.

    Of garbage there is next to none. Where a field of a model can be one of several models,
    pydantic tries one after the other, each with all that is in it, until one fits. All of the
    CDK's say what they are: see `unions`.
    """
    factory: Any = ConcurrentCursorFactory
    collects, changed, default = gc.isenabled(), [*unions()], factory.__init__
    gc.disable()
    factory.__init__ = lambda self, create: default(self, copying(create))
    for union in changed:
        union.discriminator_key = TYPE
        union.prepare_discriminated_union_sub_fields()
    try:
        yield
    finally:
        factory.__init__ = default
        for union in changed:
            union.discriminator_key = union.discriminator_alias = union.sub_fields_mapping = None
        if collects:
            gc.enable()


def copying(create: Callable[..., ConcurrentCursor]) -> Callable[..., ConcurrentCursor]:
    """Return what makes the cursors of a stream's partitions as `create` does, as copies of one.

    The CDK takes each from the manifest anew, in six times the time. A state has one for each list
    of each account, whether it is read or not.
    """
    made: list[ConcurrentCursor] = []

    def copy(stream_state: Any, runtime_lookback_window: timedelta | None) -> ConcurrentCursor:
        if runtime_lookback_window:
            return create(
                stream_state=stream_state, runtime_lookback_window=runtime_lookback_window
            )
        if not made:
            made.append(create(stream_state={}, runtime_lookback_window=None))
        cursor = made[0].copy_without_state()
        cursor.start, cursor._concurrent_state = cursor._get_concurrent_state(stream_state)
        return cursor

    return copy


def unions() -> Iterator[Any]:
    """Yield the fields that can be one of several models, of which each requires its own `type`.

    So no other than the one of that type can fit. There is none if the CDK makes its models with
    another pydantic.
    """
    for model in vars(declarative_component_schema).values():
        for field in getattr(model, "__fields__", {}).values():
            yield from unions_in(field)


def unions_in(field: Any) -> Iterator[Any]:
    """Yield the field itself, or those in it."""
    parts = getattr(field, "sub_fields", None) or []
    for part in parts:
        yield from unions_in(part)
    if len(parts) > 1 and field.shape == SHAPE_SINGLETON and not field.discriminator_key:
        types = [names_of(part) for part in parts]
        names = [name for found in types for name in found]
        if all(types) and len(names) == len({*names}):
            yield field


def names_of(part: Any) -> tuple[Any, ...]:
    """Return the values of the `type` that a model requires, or nothing."""
    found = getattr(part.outer_type_, "__fields__", {}).get(TYPE)
    if part.shape != SHAPE_SINGLETON or not found or not found.required or found.alias != TYPE:
        return ()
    return tuple(getattr(found.type_, "__args__", ()))
