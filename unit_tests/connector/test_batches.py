"""Records by the hundred are, line by line, what the CDK prints one by one."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.sources.utils.record_helper import stream_data_to_airbyte_message

from sandbox import Sandbox
from source_twilio import batches, run
from source_twilio.source import whole_catalog

STREAMS = ["messages", "calls", "message_media", "usage_records", "queues", "applications"]
# Lists with filters and transformations, parents and fields of each type.
STREAMS += ["conferences", "call_summaries", "available_phone_numbers_local", "accounts"]
STREAMS += ["services", "alerts", "recordings"]
PART = StreamSlice(partition={"account_sid": "AC"}, cursor_slice={})


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A config, and a catalog of streams that are read incrementally where they can be."""
    (tmp_path / "config.json").write_text(json.dumps(sandbox.config))
    streams = [
        {
            "stream": {
                "name": stream.name,
                "json_schema": {},
                "supported_sync_modes": [mode.value for mode in stream.supported_sync_modes],
            },
            "sync_mode": stream.supported_sync_modes[-1].value,
            "destination_sync_mode": "append",
        }
        for stream in whole_catalog().streams
        if stream.name in STREAMS
    ]
    assert len(streams) == len(STREAMS)
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": streams}))
    return tmp_path


def printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what a read prints, without the moments."""
    files = ["--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json")]
    capsys.readouterr()
    run.run(["read", *files])
    out = capsys.readouterr().out
    out = re.sub(r'"emitted_at":\d{13}(\.\d+)?', '"emitted_at":0', out)
    return re.sub(r'"as_of":"[^"]*"', '"as_of":""', out).split("\n")[:-1]


def by_stream(output: list[str]) -> dict[str, Any]:
    """Return the records, the statuses, and the counts of the states by stream.

    Raises AssertionError if a state does not count the records that are printed before it.
    """
    since, counts, said = Counter[str](), Counter[str](), Counter[str]()
    running: set[str] = set()
    records = [line for line in output if line.startswith('{"type":"RECORD"')]
    for line in output:
        message = json.loads(line)
        kind = message["type"]
        if kind == "RECORD":
            assert message["record"]["stream"] in running
            since[message["record"]["stream"]] += 1
        elif kind == "STATE":
            name = message["state"]["stream"]["stream_descriptor"]["name"]
            count = message["state"]["sourceStats"]["recordCount"]
            assert count == since.pop(name, 0)
            counts[name] += count
        elif kind == "TRACE" and message["trace"]["type"] == "STREAM_STATUS":
            status = message["trace"]["stream_status"]
            said[f"{status['stream_descriptor']['name']} {status['status']}"] += 1
            if status["status"] == "RUNNING":
                running.add(status["stream_descriptor"]["name"])
    return {"records": sorted(records), "counts": counts, "said": said}


@pytest.mark.parametrize("rows", [1, 7, batches.ROWS])
def test_same(
    rows: int,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each line, each count of the log and of the states is that of the CDK's own path."""
    with monkeypatch.context() as patch:
        patch.setattr(batches, "CDK_DIGEST", "another")
        expected = by_stream(printed(folder, capsys))
    counted = sorted(message for message in caplog.messages if message.startswith("Read "))
    caplog.clear()
    assert {json.loads(line)["record"]["stream"] for line in expected["records"]} == {*STREAMS}
    monkeypatch.setattr(batches, "ROWS", rows)
    made = []
    monkeypatch.setattr(batches, "RecordBatch", type("RecordBatch", (batches.RecordBatch,), {}))
    monkeypatch.setattr(batches.RecordBatch, "__init__", lambda self, *_: made.append(self.rows))
    assert by_stream(printed(folder, capsys)) == expected
    assert counted == sorted(text for text in caplog.messages if text.startswith("Read "))
    assert max(made) <= rows
    assert sum(made) + len([*filter(is_account, expected["records"])]) == len(expected["records"])


def is_account(line: str) -> bool:
    """Return whether a line is of the one stream that is read in another way."""
    return '"stream":"accounts"' in line


@pytest.mark.parametrize(
    "row",
    [
        {"text": 'é\U0001f600"\\\n\u2028', "null": None, "nested": {"null": None, "list": [None]}},
        {"whole": 2**63 - 1, "price": -0.0075, "tiny": 1e-300, "true": True, "{}": "{}"},
        {"only": None},
    ],
)
def test_line(row: dict[str, Any]) -> None:
    """A line is what the CDK writes for the record."""
    [record] = batches.in_batches([row], "messages", PART)
    message = stream_data_to_airbyte_message("messages", row)
    line = AirbyteEntrypoint.airbyte_message_to_string(message)
    found = batches.batch_of(record.data)
    assert found
    assert found.rows == 1
    text = [re.sub(r"\d{13}", "", one) for one in (found.text, line + "\n")]
    assert text[0] == text[1]


def test_number_of_more_than_64_bits() -> None:
    """Rows that hold one go the CDK's way, in their order."""
    rows = [{"number": 1}, {"number": 2**70}]
    records = [*batches.in_batches(rows, "messages", PART)]
    assert records == [Record(row, "messages", PART) for row in rows]


def test_form() -> None:
    """The CDK is as this module knows it."""
    assert batches.is_tested_cdk(), (
        "The CDK has changed a method that records pass. The command goes the CDK's way, which "
        "takes more CPU. Look at batches.CDK_FUNCTIONS, and then write CDK_DIGEST anew."
    )
