"""Runs the connector: check and discover in this process, read in a child process."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from twilio_warehouse.errors import UserError

LOGGER = logging.getLogger("sync")


class Connector:
    """The connector with a config, and a folder for the catalog and state of a read."""

    def __init__(self, config: dict[str, Any], folder: Path) -> None:
        self.config, self.folder = config, folder

    def check(self) -> None:
        """Read the list of accounts. Raises `UserError` if that fails."""
        # Imported here, since it takes seconds.
        from airbyte_cdk.models import Status

        from source_twilio.source import SourceTwilio

        airbyte = logging.getLogger("airbyte")
        airbyte.handlers, airbyte.propagate = [], True
        # The check needs one stream; building all of them takes seconds.
        result = SourceTwilio(config=self.config, names=["accounts"]).check(airbyte, self.config)
        if result.status is not Status.SUCCEEDED:
            # The CDK names the stream that it has checked with, which the user did not choose.
            message = str(result.message).strip("'\"")
            raise UserError(message.removeprefix("Stream accounts is not available: "))

    def discover(self) -> list[dict[str, Any]]:
        """Return the streams of the catalog. Raises `UserError` if the check fails."""
        from airbyte_cdk.models.airbyte_protocol_serializers import AirbyteStreamSerializer

        from source_twilio.source import whole_catalog

        self.check()
        streams = whole_catalog().streams
        return [orjson.loads(orjson.dumps(AirbyteStreamSerializer.dump(s))) for s in streams]

    def read(
        self, streams: list[dict[str, Any]], states: dict[str, Any]
    ) -> Generator[dict[str, Any], None, None]:
        """Yield the messages of a read; closing the generator ends the read."""
        catalog, state = self.folder / "catalog.json", self.folder / "state.json"
        configured = [configured_stream(stream) for stream in streams]
        catalog.write_bytes(orjson.dumps({"streams": configured}))
        state.write_bytes(orjson.dumps([stream_state(*entry) for entry in states.items()]))
        errors = (self.folder / "stderr").open("w+b")
        # The config goes through a pipe: it holds secrets, and no file may hold a copy.
        config_end, end = os.pipe()
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "twilio_warehouse.connector", "read"),
                *("--config", f"/dev/fd/{config_end}", "--catalog", catalog, "--state", state),
            ],
            pass_fds=[config_end],
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
                os.close(config_end)
                # A child that ended at once has said why.
                with suppress(BrokenPipeError), os.fdopen(end, "wb") as pipe:
                    pipe.write(orjson.dumps(self.config))
                for line in child.stdout:
                    if line.startswith(b"{"):
                        yield orjson.loads(line)
            finally:
                child.kill()
                errors.seek(0)
                if text := errors.read()[-4000:].decode(errors="replace"):
                    LOGGER.warning("%s", text)


def configured_stream(stream: dict[str, Any]) -> dict[str, Any]:
    """Return a stream as a configured catalog has it."""
    modes = stream["supported_sync_modes"]
    mode = "incremental" if "incremental" in modes else "full_refresh"
    return {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append"}


def stream_state(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a stream as `read` takes it."""
    return {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": name}, "stream_state": state},
    }


def exit_with_parent() -> None:
    """Exit once the parent process, which holds the other end of stdin, is gone."""
    # Not by `sys.stdin`, whose lock the interpreter takes when it exits.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    # The child process of `Connector.read`.
    from source_twilio.run import run
    from twilio_warehouse.deletions import LOGGED

    # At this level of the platform, lines of level DEBUG have another form.
    os.environ.pop("LOG_LEVEL", None)
    for name in LOGGED:
        logging.getLogger(name).setLevel(logging.DEBUG)

    threading.Thread(target=exit_with_parent, daemon=True).start()
    run(sys.argv[1:])
