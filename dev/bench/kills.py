"""The scenario of kills: the cost of a first sync that is killed after each tenth of its rows."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from itertools import count

import orjson

from dev.bench import ROOT
from dev.bench.candidates import Task, ours
from dev.bench.measuring import Options, run, start_sandbox, temporary_folder
from dev.bench.output import Key, expected_keys, key
from dev.bench.tables import table
from dev.soak.streams import state_file

PARTS = 10


def kills(options: Options, stack: ExitStack) -> str:
    """A million messages of one account, 50 ms a request: without and with ten kills."""
    rows = options.rows(1_000_000)
    twilio = start_sandbox(stack, [("Large", "active", {"messages": rows})], latency_ms=50)
    task = Task(twilio, temporary_folder(stack), ["messages"])
    whole = run(ours(), task, {"messages": expected_keys(twilio, "messages")})
    lines = [("uninterrupted", 0, whole.records, len(whole.requests), whole.missing, "1.00")]
    begin = len(twilio.requests)
    records, found, number = read_with_kills(task, rows // PARTS)
    requests = len(twilio.requests) - begin
    missing = len(expected_keys(twilio, "messages") - found)
    ratio = f"{requests / len(whole.requests):.2f}"
    lines.append(("killed after each tenth", number, records, requests, missing, ratio))
    heads = ("first sync", "kills", "records", "requests", "missing", "x requests uninterrupted")
    return table(heads, lines)


def read_with_kills(task: Task, rows: int) -> tuple[int, set[Key], int]:
    """Kill reads after so many new rows each; return records, keys and kills until one ends."""
    found, records = set[Key](), 0
    for kills in count():
        command = ours().command(task)
        before = len(found)
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, **task.twilio.environment},
        ) as child:
            assert child.stdout
            states = {}
            for line in child.stdout:
                message = orjson.loads(line) if line.startswith(b"{") else {}
                if record := message.get("record"):
                    records += 1
                    found.add(key("messages", record["data"]))
                elif "state" in message:
                    stream = message["state"]["stream"]
                    states[stream["stream_descriptor"]["name"]] = stream["stream_state"]
                if len(found) - before >= rows:
                    child.send_signal(signal.SIGKILL)
                    break
            else:
                return records, found, kills
        if states:
            task = task._replace(state=state_file(states))
    raise AssertionError
