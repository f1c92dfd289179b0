"""Runs the connector in a child process, which checks, lists the streams and reads when asked.

To import the CDK takes seconds. The child does so while this process imports dlt. Requests are
lines of JSON on its stdin. The first is the config: it holds secrets, and no file may hold a copy.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any

import orjson

from twilio_warehouse.config import check_settings
from twilio_warehouse.errors import UserError
from twilio_warehouse.log import redact

LOGGER = logging.getLogger("sync")
# The lists whose rows Twilio's API can delete. It cannot delete conferences.
DELETABLE = ("calls", "messages", "recordings")


class Connector:
    """The connector with a config: a child process from `with` on, and a new one for each read."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Connector:
        """Start the child process."""
        self._start()
        return self

    def __exit__(
        self,
        exception: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._stop()

    def check_settings(self, origin: str) -> None:
        """Raise `UserError` if the connector would refuse the settings, without a request.

        `origin` is a sentence that says where they are from.
        """
        self._ask("check_settings", origin)

    def check(self) -> None:
        """Read the list of accounts. Raises `UserError` if that fails."""
        self._ask("check")

    def discover(self) -> list[dict[str, Any]]:
        """Return the streams of the catalog. Raises `UserError` if the check fails."""
        self.check()
        return list(self._ask("discover"))

    def read(
        self, streams: list[dict[str, Any]], states: dict[str, Any], folder: Path
    ) -> Generator[dict[str, Any], None, None]:
        """Yield the messages of a read, which has its catalog and state in a folder.

        Closing the generator ends the read.
        """
        catalog, state = folder / "catalog.json", folder / "state.json"
        configured = [configured_stream(stream) for stream in streams]
        catalog.write_bytes(orjson.dumps({"streams": configured}))
        state.write_bytes(orjson.dumps([stream_state(*entry) for entry in states.items()]))
        if not self._child:
            self._start()
        try:
            self._send(["read", str(catalog), str(state)])
            yield from self._messages()
        finally:
            self._stop()

    def _start(self) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115
        self._child = subprocess.Popen(
            [sys.executable, "-m", "twilio_warehouse.connector"],
            # Open as long as this process lives: the child ends with it.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Ctrl-C is for the sync, which ends the read.
            start_new_session=True,
        )
        self._send(self.config)

    def _stop(self) -> None:
        if not self._child:
            return
        child, self._child = self._child, None
        child.kill()
        # What could not be sent to a child that has ended is of no use.
        with suppress(BrokenPipeError):
            child.__exit__(None, None, None)
        with self._errors:
            self._errors.seek(0)
            if text := self._errors.read()[-4000:].decode(errors="replace"):
                LOGGER.warning("%s", text)

    def _send(self, request: Any) -> None:
        assert self._child
        assert self._child.stdin
        # A child that ended at once has said why.
        with suppress(BrokenPipeError):
            self._child.stdin.write(orjson.dumps(request) + b"\n")
            self._child.stdin.flush()

    def _messages(self) -> Generator[dict[str, Any], None, None]:
        assert self._child
        assert self._child.stdout
        for line in self._child.stdout:
            if line.startswith(b"{"):
                yield orjson.loads(line)

    def _ask(self, *request: Any) -> Any:
        """Return the reply to a request. Raises `UserError` if it is an error."""
        self._send(request)
        for message in self._messages():
            if message["type"] == "LOG":
                LOGGER.info("%s", message["log"]["message"])
            elif message["type"] == "REPLY":
                if "error" in message:
                    raise UserError(message["error"], message["status"])
                return message["reply"]
        self._errors.seek(0)
        *_, last = ["no message", *self._errors.read().decode(errors="replace").splitlines()]
        raise UserError(f"The connector ended unexpectedly: {redact(last)}", 1)


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


# ------------------------------------------------------------------------------- the child process


def serve() -> None:
    """Reply to requests until the last of them, which is to read, or until the parent is gone."""
    from source_twilio.run import freeze, start

    freeze()
    requests = sys.stdin.buffer
    config = orjson.loads(requests.readline())
    replies: dict[str, Callable[..., Any]]
    replies = {"check_settings": check_settings, "check": check, "discover": discover}
    while line := requests.readline():
        name, *arguments = orjson.loads(line)
        if name == "read":
            threading.Thread(target=exit_with_parent, daemon=True).start()
            catalog, state = arguments
            log_complete_ranges()
            # The file of the config is not read.
            start(["read", "--config", "-", "--catalog", catalog, "--state", state], config)
            return
        try:
            reply: dict[str, Any] = {"reply": replies[name](config, *arguments)}
        except UserError as error:
            reply = {"error": str(error), "status": error.status}
        print(orjson.dumps({"type": "REPLY", **reply}).decode(), flush=True)


def check(config: dict[str, Any]) -> None:
    """Read the list of accounts. Raises `UserError` if that fails."""
    from airbyte_cdk.models import Status

    from source_twilio.source import SourceTwilio

    # The check needs one stream; building all of them takes seconds.
    source = SourceTwilio(config=config, names=["accounts"])
    result = source.check(logging.getLogger("airbyte"), config)
    if result.status is not Status.SUCCEEDED:
        # The CDK names the stream that it has checked with, which the user did not choose.
        message = str(result.message).strip("'\"")
        raise UserError(message.removeprefix("Stream accounts is not available: "))


def discover(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the streams of the catalog."""
    from airbyte_cdk.models.airbyte_protocol_serializers import AirbyteStreamSerializer

    from source_twilio.source import whole_catalog

    return [AirbyteStreamSerializer.dump(stream) for stream in whole_catalog().streams]


def log_complete_ranges() -> None:
    """Have the connector say which ranges are complete, each in a line of JSON (deletions.py)."""
    # With the platform's debug level, lines of level DEBUG have another form.
    os.environ.pop("LOG_LEVEL", None)
    for name in DELETABLE:
        logging.getLogger(f"airbyte.complete.{name}").setLevel(logging.DEBUG)


def exit_with_parent() -> None:
    """Exit once the parent process, which holds the other end of stdin, is gone."""
    # Not by `sys.stdin`, whose lock the interpreter takes when it exits.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    serve()
