"""`python -m sandbox`: serves a Twilio simulator, and prints how to point a client at it."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import threading

from sandbox import Faults, Sandbox
from sandbox.api import REGIONS


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        "python -m sandbox",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="seed of the data set")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="factor of the length of long lists",
    )
    parser.add_argument(
        "--latency-ms",
        type=float,
        default=0.0,
        help="latency of each response",
    )
    parser.add_argument("--concurrency-limit", type=int, help="concurrent requests before a 429")
    parser.add_argument("--region", choices=REGIONS, default="us1", help="region of the data")
    parser.add_argument("--upper-bound", choices=("exclusive", "inclusive"), default="exclusive")
    parser.add_argument(
        "--conferences-without-status", choices=("in-progress", "all"), default="in-progress"
    )
    parser.add_argument(
        "--fault-rate",
        type=float,
        default=0.0,
        help="share of each: 429, 500, reset",
    )
    given = vars(parser.parse_args())
    rate = given.pop("fault_rate")
    faults = Faults(rate_429=rate, rate_500=rate, reset=rate) if rate else None
    try:
        twilio = Sandbox(faults=faults, **given)
    except OSError as error:
        print(
            f"Port {given['port']} cannot be used ({error.strerror}): "
            "stop the program that uses it, or pass --port 0 for a free one.",
            file=sys.stderr,
        )
        return 2
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with twilio:
        account = {
            "TWILIO_ACCOUNT_SID": twilio.config["account_sid"],
            "TWILIO_AUTH_TOKEN": twilio.config["auth_token"],
        }
        key = twilio.key(twilio.config["account_sid"], "standard")
        for name, value in (twilio.environment | account).items():
            print(f"export {name}={shlex.quote(value)}")
        print(f"# config.json: {json.dumps(twilio.config)}")
        print(
            f"# A Standard API key: export TWILIO_API_KEY={key.sid} TWILIO_API_SECRET={key.secret}"
        )
        config = {name: value for name, value in twilio.config.items() if name != "auth_token"}
        keyed = {"auth_type": "api_key", "api_key_sid": key.sid, "api_key_secret": key.secret}
        print(f"# config.json with it: {json.dumps({**config, 'credentials': keyed})}")
        url = f"https://{twilio.host()}/2010-04-01/Accounts.json"
        print(f'# curl -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" {url}')
        print("# Ctrl-C stops it.", flush=True)
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
