"""`make bench`: the output of candidates, a perfect client's requests, the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from dev.bench.output import expected_keys, parse_output
from dev.bench.perfect_client import requests_needed
from dev.bench.tables import format_cell, write
from sandbox import Sandbox
from sandbox.data import AccountSpec

STATE = {"stream_descriptor": {"name": "messages"}, "stream_state": {"states": []}}
AIRBYTE = [
    {"type": "LOG", "log": {"level": "INFO", "message": "read 2 records"}},
    {"type": "RECORD", "record": {"stream": "messages", "data": {"sid": "SM1"}, "emitted_at": 1}},
    {"type": "RECORD", "record": {"stream": "messages", "data": {"sid": "SM1"}, "emitted_at": 2}},
    {"type": "STATE", "state": {"type": "STREAM", "stream": STATE}},
]
SINGER = [
    {"type": "SCHEMA", "stream": "messages", "schema": {}, "key_properties": ["sid"]},
    {"type": "RECORD", "stream": "messages", "record": {"sid": "SM1"}},
    {"type": "RECORD", "stream": "messages", "record": {"sid": "SM1"}},
    {"type": "STATE", "value": {"bookmarks": {"messages": "2026-01-01T00:00:00Z"}}},
]


@pytest.mark.parametrize(("lines", "states"), [(AIRBYTE, 1), (SINGER, 0)])
def test_parse_output(lines: list[Mapping[str, Any]], states: int) -> None:
    """Records count as often as they come, keys once; no line that is cut counts."""
    printed = [json.dumps(line).encode() + b"\n" for line in lines]
    output = parse_output(iter([b"a warning\n", *printed, printed[1][:-1], printed[1][:20]]))
    assert output.records == {"messages": 2}
    assert output.keys == {"messages": {("SM1",)}}
    assert len(output.state_file()) == states


def test_perfect_client() -> None:
    """Each list once per open account and page; lists below a list once per parent in question."""
    counts = {"messages": 19, "calls": 0, "keys": 1001, "conferences": 1100}
    holders = [("Main", "active", counts), ("Closed", "closed", counts)]
    with Sandbox(account_specs=holders) as twilio:
        streams = {stream for stream, _, _ in twilio._store.tables}
        found = requests_needed(twilio, twilio.now().timestamp() + 1, streams)
        old = requests_needed(twilio, 0, ["message_media"])
        ended = requests_needed(twilio, 0, ["conferences"])
        parents_only = requests_needed(twilio, 0, ["conference_participants"])
    parents = {
        "conference_participants": 4,  # conferences that are not completed
        "dependent_phone_numbers": 3,  # addresses
        "available_phone_numbers_local": 3,  # countries that have the type
        "available_phone_numbers_mobile": 3,
        "available_phone_numbers_toll_free": 2,
        "message_media": 0,  # messages with media since the time
    }
    # Conferences are asked for in each of three statuses (BEHAVIOR 32).
    assert found == {**dict.fromkeys(streams, 1), "keys": 2, "conferences": 3, **parents}
    # Every twelfth message has media.
    assert old == {"messages": 1, "message_media": 2}
    # More than a page of them is completed; these have no participants.
    assert ended == {"conferences": 4}
    assert parents_only == {"conferences": 2, "conference_participants": 4}


def test_expected_keys_leave_out_the_closed_account() -> None:
    """The rows that a candidate can miss."""
    holders: list[AccountSpec] = [
        ("Main", "active", 0),
        ("Sub", "suspended", 0),
        ("Closed", "closed", 0),
    ]
    with Sandbox(account_specs=holders) as twilio:
        assert len(expected_keys(twilio, "messages")) == 12
        alerts = [twilio.rows("alerts", account.sid) for account in twilio.accounts[:2]]
        assert len(expected_keys(twilio, "alerts")) == sum(map(len, alerts))
        assert len(expected_keys(twilio, "accounts")) == 3


def test_write_replaces_between_the_markers() -> None:
    """A second time, too."""
    page = "# A\n<!-- bench cpu -->\n<!-- end -->\n<!-- bench steady -->\n<!-- end -->\n"
    once = write(page, "cpu", "| 1 |")
    assert once.startswith("# A\n<!-- bench cpu -->\n\n| 1 |\n\n<!-- end -->\n<!-- bench steady")
    assert write(once, "cpu", "| 1 |") == once
    assert write(page, "latency", "| 1 |") == page


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (1234, "1,234"), (1234.5, "1,234"), (12.34, "12.3"), (0.01234, "0.0123")],
)
def test_format_cell(value: Any, text: str) -> None:
    """Figures have three digits; counts have all."""
    assert format_cell(value) == text
