"""Read the connector through the CDK's entry point, in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessage, Level, SyncMode
from airbyte_cdk.test.catalog_builder import CatalogBuilder, ConfiguredAirbyteStreamBuilder
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from airbyte_cdk.test.entrypoint_wrapper import read as run_entrypoint
from airbyte_cdk.test.state_builder import StateBuilder

from source_twilio import SourceTwilio


def read(
    config: Mapping[str, Any],
    *streams: str,
    state: Mapping[str, Any] | None = None,
    sync_mode: SyncMode = SyncMode.incremental,
    expecting_exception: bool = False,
) -> EntrypointOutput:
    """Run `read` for the streams; `state` maps a stream to the state it starts from."""
    catalog = CatalogBuilder()
    for name in streams:
        catalog.with_stream(
            ConfiguredAirbyteStreamBuilder().with_name(name).with_sync_mode(sync_mode)
        )
    messages: list[AirbyteStateMessage] = []
    for name, stream_state in (state or {}).items():
        messages += StateBuilder().with_stream_state(name, stream_state).build()
    configured = catalog.build()
    source = SourceTwilio(configured, config, messages)
    return run_entrypoint(source, dict(config), configured, messages, expecting_exception)


def check(config: Mapping[str, Any]) -> tuple[str, str]:
    """Run `check`; return its status and its message."""
    source = SourceTwilio(None, config)
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.json")
        path.write_text(json.dumps(config))
        arguments = AirbyteEntrypoint.parse_args(["check", "--config", str(path)])
        found = [json.loads(line) for line in AirbyteEntrypoint(source).run(arguments)]
    [status] = [m["connectionStatus"] for m in found if m["type"] == "CONNECTION_STATUS"]
    return status["status"], status.get("message", "")


def records(output: EntrypointOutput, stream: str) -> list[dict[str, Any]]:
    """Return the records of one stream, in the order of emission."""
    found = [message.record for message in output.records if message.record]
    return [record.data for record in found if record.stream == stream]


def final_state(output: EntrypointOutput, stream: str) -> dict[str, Any]:
    """Return the last state that a stream emitted."""
    states = [m.state.stream for m in output.state_messages if m.state and m.state.stream]
    blobs = [s.stream_state for s in states if s.stream_descriptor.name == stream]
    return dict(vars(blobs[-1])) if blobs[-1] else {}


def entries(output: EntrypointOutput, stream: str) -> list[dict[str, Any]]:
    """Return the entries of accounts in the last state of a stream."""
    states = final_state(output, stream)["states"]
    return [entry for entry in states if "account_sid" in entry["partition"]]


def logged(output: EntrypointOutput, *levels: Level) -> list[str]:
    """Return the log messages of the given levels."""
    return [m.log.message for m in output.logs if m.log and m.log.level in levels]


def problems(output: EntrypointOutput) -> list[str]:
    """Return what was logged as a warning or worse."""
    return logged(output, Level.WARN, Level.ERROR, Level.FATAL)


__all__ = ["AirbyteMessage", "entries", "final_state", "logged", "problems", "read", "records"]
