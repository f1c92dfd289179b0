"""The network in front of the data: a forward proxy on loopback that is Twilio for whom it serves.

CONNECT to a host of Twilio's ends here, under a certificate of a throw-away authority; every other
host gets 502. Clients need environment variables only, and nothing leaves the machine.
"""

from __future__ import annotations

import binascii
import re
import socket
import ssl
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

import orjson
import trustme

from sandbox.api import Api
from sandbox.endpoints import PLACES
from sandbox.errors import ApiError
from sandbox.faults import Faults, Kind, Reply, Rule
from sandbox.network import Server
from sandbox.pages import Pairs

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
HTML = b"<html><body><h1>503 Service Unavailable</h1></body></html>"


class Request(NamedTuple):
    """A request that came in, and how it was answered; status 0 is no answer.

    The account is the one that the user, an account or a key, stands for.
    """

    method: str
    host: str
    path: str
    query: str
    pairs: Pairs
    status: int
    account: str
    user: str


@dataclass(kw_only=True, eq=False, repr=False)
class Sandbox(Api):
    """A Twilio of one's own, from construction to close().

    Attributes:
        port: of the proxy on loopback; 0 picks a free one.
        proxy_status: the answer to every CONNECT, such as 407 or 502; None is to connect.
        concurrency_limit: requests of one account at a time, above which the answer is 429.
        retry_after: seconds that a 429 asks to wait, None for no such header.
        latency_ms: how long every answer takes at least.
        faults: random faults, None for none.
        requests: all requests so far.
    """

    port: int = 0
    proxy_status: int | None = None
    concurrency_limit: int | None = None
    retry_after: float | None = 1
    latency_ms: float = 0
    faults: Faults | None = None
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start to serve."""
        self._server = Server(self.port, self)
        self.port = self._server.server_address[1]
        super().__post_init__()
        self._rules: list[Rule] = []
        self._running: Counter[str] = Counter()
        self.closing = threading.Event()
        self._folder = TemporaryDirectory(prefix="twilio-sandbox-")
        authority = trustme.CA()
        self._bundle = Path(self._folder.name, "ca.pem")
        authority.cert_pem.write_to_path(str(self._bundle))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*(f"*{place}.twilio.com" for place in PLACES)).configure_cert(self.tls)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Sandbox:
        """Return the sandbox."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """End all connections and remove what was written to disk."""
        if not self.closing.is_set():
            self.closing.set()
            # A connection wakes the listener, which serve_forever() would let poll instead.
            socket.create_connection(("127.0.0.1", self.port)).close()
            self._listener.join()
            self._server.close()
            self._folder.cleanup()

    @property
    def connections(self) -> int:
        """How many connections have been opened so far."""
        return self._server.accepted

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that send a process here."""
        return {
            **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://127.0.0.1:{self.port}"),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
            **dict.fromkeys(BUNDLES, str(self._bundle)),
        }

    @property
    def config(self) -> dict[str, str]:
        """A configuration for the connector."""
        main = self.accounts[0]
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._store.start))
        return {"account_sid": main.sid, "auth_token": main.auth_token, "start_date": since}

    def fail(
        self,
        match: str,
        status: int = 500,
        *,
        code: int | None = None,
        body: bytes | str | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        times: int | None = 1,
        kind: Kind = "answer",
    ) -> None:
        """Answer the next requests otherwise whose decoded host, path and query match a regex.

        Rules stand in line: the oldest that matches serves first. `times` None is for ever.
        """
        if body is None:
            content = ApiError(status, code).body
        elif isinstance(body, Mapping):
            content = orjson.dumps(body)
        else:
            content = body.encode() if isinstance(body, str) else body
        reply = Reply(status, content, headers or {}, kind)
        with self._lock:
            self._rules.append(Rule(re.compile(match), reply, times))

    def heal(self) -> None:
        """Drop what fail() asked for."""
        with self._lock:
            self._rules.clear()

    def _listen(self) -> None:
        while not self.closing.is_set():
            self._server.handle_request()

    def serve(
        self, method: str, host: str, target: str, authorization: str, body: bytes = b""
    ) -> Reply:
        """Return the reply to a request."""
        began = time.perf_counter()
        path, _, raw_query = target.partition("?")
        user, password = self._bearer(authorization) or _credentials(authorization)
        pairs = parse_qsl(raw_query, keep_blank_values=True)
        with self._lock:
            account = self._keys[user].account_sid if user in self._keys else user
            self._running[account] += 1
            running = self._running[account]
            limit = self.concurrency_limit
            # Refused before anything is done, so it neither takes time nor the place of another.
            reply = self._error(429, True) if limit is not None and running > limit else None
            if reply:
                self._running[account] -= 1
        if self.latency_ms and not reply:
            time.sleep(self.latency_ms / 1000)
        with self._lock:
            if not reply:
                self._running[account] -= 1
                reply = self._reply(method, host, target, pairs, (user, password), body)
            status = 0 if reply.kind in ("reset", "hang") else reply.status
            query = "&".join(f"{name}={value}" for name, value in pairs)
            self.requests.append(Request(method, host, path, query, pairs, status, account, user))
        headers = {
            "Content-Type": "application/json",
            "Twilio-Concurrent-Requests": str(running),
            "Twilio-Request-Duration": f"{time.perf_counter() - began:.3f}",
        }
        return reply._replace(headers=headers | dict(reply.headers))

    def _reply(
        self,
        method: str,
        host: str,
        target: str,
        pairs: Pairs,
        who: tuple[str, str],
        body: bytes,
    ) -> Reply:
        reply = self._fault(host + unquote(target))
        if reply and reply.kind not in ("truncate", "cut"):
            return reply
        path = target.partition("?")[0]
        if method == "POST" and path == "/v2/token" and host.startswith("oauth."):
            status, content = self.token(host, dict(parse_qsl(body.decode())))
        elif method != "GET":
            return self._error(405)
        else:
            status, content = self.answer(host, path, pairs, *who)
        return Reply(status, content, {}, reply.kind if reply else "answer")

    def _fault(self, target: str) -> Reply | None:
        """Return the reply to a request that is not to get its answer."""
        for rule in self._rules:
            if rule.times != 0 and rule.match.search(target):
                rule.times = rule.times and rule.times - 1
                return rule.reply
        fault: Any = self.faults.draw(target) if self.faults else ""
        if self.faults and fault == "rate_429":
            return self._error(429, self.faults.says_when(target))
        if fault == "rate_500":
            return self._error(500)
        if fault == "rate_503_html":
            return Reply(503, HTML, {"Content-Type": "text/html"})
        return Reply(0, b"", {}, fault) if fault else None

    def _error(self, status: int, says_when: bool = False) -> Reply:
        when = {"Retry-After": f"{self.retry_after:g}"} if self.retry_after is not None else {}
        return Reply(status, ApiError(status).body, when if says_when else {})


def _credentials(authorization: str) -> tuple[str, str]:
    """Return user and password of HTTP Basic."""
    scheme, _, value = authorization.partition(" ")
    try:
        text = b64decode(value).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    user, _, password = text.partition(":")
    # An OAuth app authenticates with its token only.
    return ("", "") if user.startswith("OQ") else (user, password)
