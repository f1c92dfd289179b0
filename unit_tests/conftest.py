"""Fixtures of the suite."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests_mock
import time_machine

from dev.release.manifest import build
from sandbox import Sandbox
from source_twilio.session import SESSIONS
from unit_tests.support.embedded import small, use_as_twilio
from unit_tests.support.mock_twilio import MockTwilio
from unit_tests.support.postgres import server
from unit_tests.support.sandbox_client import NOON

# Where a script runs the suite in the background, children ignore Ctrl-C, which tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _memories() -> Iterator[None]:
    """Let each test's sources say at its own end what they left out."""
    yield
    SESSIONS.clear()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The time, which stands at NOW until the test moves it."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def mock() -> Iterator[MockTwilio]:
    """A mock of Twilio's HTTP; at the end, what was expected has been asked and nothing else."""
    twilio = MockTwilio()
    with requests_mock.Mocker() as mocker:
        twilio.mount(mocker)
        yield twilio
    assert twilio.unexpected == []
    assert twilio.outstanding() == {}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A small sandbox; this process and its children take it for the real one."""
    with small() as twilio:
        yield use_as_twilio(twilio, monkeypatch)


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A small sandbox whose clock stands at noon, for the tests of the sandbox itself."""
    with Sandbox(scale=0.02, clock=NOON, retry_after=0) as sandbox:
        yield use_as_twilio(sandbox, monkeypatch)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def built_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the self-contained manifest.yaml and components.py."""
    target = tmp_path_factory.mktemp("build")
    build(target)
    return target
