"""The scenario of kills: what a first sync costs that is killed after each tenth of its rows."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from itertools import count

import orjson

from dev.bench import ROOT
from dev.bench.contenders import Task, ours
from dev.bench.measuring import Options, folder_of, run, twilio_of
from dev.bench.printed import Key, key, shown
from dev.bench.tables import table
from dev.soak.streams import state_file

PARTS = 10


def kills(options: Options, stack: ExitStack) -> str:
    """A million messages of one account, 50 ms a request: whole, and killed after each tenth."""
    rows = options.rows(1_000_000)
    twilio = twilio_of(stack, [("Large", "active", {"messages": rows})], latency_ms=50)
    task = Task(twilio, folder_of(stack), ["messages"])
    whole = run(ours(), task, {"messages": shown(twilio, "messages")})
    lines = [("at one go", 0, whole.records, len(whole.requests), whole.missing, "1.00")]
    begin = len(twilio.requests)
    records, found, number = killed_again_and_again(task, rows // PARTS)
    requests = len(twilio.requests) - begin
    missing = len(shown(twilio, "messages") - found)
    ratio = f"{requests / len(whole.requests):.2f}"
    lines.append(("killed after each tenth", number, records, requests, missing, ratio))
    heads = ("first sync", "kills", "records", "requests", "missing", "x requests at one go")
    return table(heads, lines)


def killed_again_and_again(task: Task, rows: int) -> tuple[int, set[Key], int]:
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
