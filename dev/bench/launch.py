"""Runs a command and prints its time, CPU and memory.

`python launch.py SECONDS OUTPUT ERRORS COMMAND ...`

This is a process of its own. Linux counts the memory of the process that starts a program towards
the peak of that program, and the bench holds gigabytes of rows.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

# How often to look for the first record.
POLL_SECONDS = 0.01


def main() -> None:
    """Run the command, kill it after its seconds, and print the figures as JSON."""
    limit, output, errors, *command = sys.argv[1:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    started_at = time.perf_counter()
    files = [
        (os.POSIX_SPAWN_DUP2, os.open(output, flags, 0o600), 1),
        (os.POSIX_SPAWN_DUP2, os.open(errors, flags, 0o600), 2),
    ]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(int(limit))
    found: list[float] = []
    threading.Thread(target=watch, args=(output, started_at, found), daemon=True).start()
    _, status, usage = os.wait4(child, 0)
    figures = {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.perf_counter() - started_at,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        # Kilobytes on Linux, bytes on macOS.
        "memory_mb": usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10),
        "first_record_seconds": found[0] if found else None,
    }
    print(json.dumps(figures))


def watch(output: str, started_at: float, found: list[float]) -> None:
    """Note when the first RECORD line stands in the output."""
    text = b""
    with open(output, "rb") as file:
        while b'"RECORD"' not in text:
            time.sleep(POLL_SECONDS)
            text = text[-10:] + file.read()
    found.append(time.perf_counter() - started_at)


if __name__ == "__main__":
    main()
