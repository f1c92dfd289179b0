"""Runs the connector: a check and its catalog here, a read as a program of its own."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import orjson

from twilio_warehouse.mistakes import Mistake

LOGGER = logging.getLogger("sync")


class Connector:
    """The connector with the settings of a config file, and a folder for what it is handed."""

    def __init__(self, config_path: Path, config: dict[str, Any], folder: Path) -> None:
        """Take the settings."""
        self.config_path, self.config, self.folder = config_path, config, folder

    def check(self) -> None:
        """Ask for the accounts. Raises `Mistake` if that fails."""
        # Imported here, since it takes seconds.
        from airbyte_cdk.models import Status

        from source_twilio.source import SourceTwilio

        airbyte = logging.getLogger("airbyte")
        airbyte.handlers, airbyte.propagate = [], True
        # One stream is built as fast as the check needs it, and all of them after it.
        result = SourceTwilio(config=self.config, names=["accounts"]).check(airbyte, self.config)
        if result.status is not Status.SUCCEEDED:
            # The CDK names the stream that it has checked with, which nobody has asked for.
            said = str(result.message).strip("'\"")
            raise Mistake(said.removeprefix("Stream accounts is not available: "))

    def discover(self) -> list[dict[str, Any]]:
        """Return the streams of the catalog. Raises `Mistake` if the check fails."""
        from airbyte_cdk.models.airbyte_protocol_serializers import AirbyteStreamSerializer

        from source_twilio.source import whole_catalog

        self.check()
        streams = whole_catalog().streams
        return [orjson.loads(orjson.dumps(AirbyteStreamSerializer.dump(s))) for s in streams]

    def read(
        self, streams: list[dict[str, Any]], states: dict[str, Any]
    ) -> Generator[dict[str, Any], None, None]:
        """Yield the messages of a read, and end it when nobody wants the rest."""
        catalog, state = self.folder / "catalog.json", self.folder / "state.json"
        catalog.write_bytes(orjson.dumps({"streams": [configured(stream) for stream in streams]}))
        state.write_bytes(orjson.dumps([as_message(*entry) for entry in states.items()]))
        errors = (self.folder / "stderr").open("w+b")
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "twilio_warehouse.reading", "read"),
                *("--config", self.config_path, "--catalog", catalog, "--state", state),
            ],
            # Open as long as this process lives: the read ends with it.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            # Ctrl-C is for the sync, which ends the read.
            start_new_session=True,
        )
        assert child.stdout
        with errors, child:
            try:
                for line in child.stdout:
                    if line.startswith(b"{"):
                        yield orjson.loads(line)
            finally:
                child.kill()
                errors.seek(0)
                if said := errors.read()[-4000:].decode(errors="replace"):
                    LOGGER.warning("%s", said)


def configured(stream: dict[str, Any]) -> dict[str, Any]:
    """Return a stream as a configured catalog has it."""
    modes = stream["supported_sync_modes"]
    mode = "incremental" if "incremental" in modes else "full_refresh"
    return {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append"}


def as_message(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a stream as `read` takes it."""
    return {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": name}, "stream_state": state},
    }
