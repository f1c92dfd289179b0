"""The network in front of the data: a forward proxy on loopback that is Twilio for whom it serves.

CONNECT to a host of Twilio's ends here, under a certificate of a throw-away authority; every other
host gets 502. Clients need environment variables only, and nothing leaves the machine.
"""

from __future__ import annotations

import binascii
import random
import re
import socket
import ssl
import struct
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote

import orjson
import trustme

from sandbox.api import Api
from sandbox.endpoints import HOSTS, PLACES
from sandbox.errors import ApiError
from sandbox.pages import Pairs

Kind = Literal["answer", "reset", "truncate", "cut", "hang"]

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


class Reply(NamedTuple):
    """What goes back, and how."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    kind: Kind = "answer"


@dataclass
class Rule:
    """An answer for the next requests that match; `times` None is for ever."""

    match: re.Pattern[str]
    reply: Reply
    times: int | None


@dataclass(kw_only=True)
class Faults:
    """Random faults, each with its share of the requests.

    Attributes:
        seed: what the faults are drawn from; the same requests meet the same faults.
        rate_429: too many requests.
        retry_after: whether a 429 says when to come back; "mixed" is every other one.
        rate_500: an error of Twilio's in JSON.
        rate_503_html: an error of something before Twilio.
        reset: the connection is reset.
        truncate: the connection ends in the middle of the body.
        cut: a complete answer whose JSON ends in the middle.
        hang: no answer for `hang_seconds`, then the connection ends.
        hang_seconds: how long that lasts.
        in_a_row: the most faults that one request meets before it gets through; None is no limit.
    """

    seed: int = 0
    rate_429: float = 0
    retry_after: bool | Literal["mixed"] = True
    rate_500: float = 0
    rate_503_html: float = 0
    reset: float = 0
    truncate: float = 0
    cut: float = 0
    hang: float = 0
    hang_seconds: float = 60
    in_a_row: int | None = 3
    _seen: Counter[str] = field(default_factory=Counter, init=False, repr=False)
    _row: Counter[str] = field(default_factory=Counter, init=False, repr=False)

    def draw(self, target: str) -> str:
        """Return the name of the fault that a request meets, or nothing."""
        # Drawn per request and attempt, so that threads cannot change who meets what.
        self._seen[target] += 1
        share = random.Random(f"{self.seed} {target} {self._seen[target]}").random()
        for name in ("rate_429", "rate_500", "rate_503_html", "reset", "truncate", "cut", "hang"):
            share -= getattr(self, name)
            if share < 0:
                self._row[target] += 1
                if self.in_a_row is None or self._row[target] <= self.in_a_row:
                    return name
                break
        self._row[target] = 0
        return ""

    def says_when(self, target: str) -> bool:
        """Return whether a 429 carries Retry-After."""
        return self._seen[target] % 2 == 1 if self.retry_after == "mixed" else self.retry_after


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
        self._server = _Server(("127.0.0.1", self.port), _Connection)
        self.port = self._server.server_address[1]
        super().__post_init__()
        self._rules: list[Rule] = []
        self._running: Counter[str] = Counter()
        self._server.sandbox = self
        self._closing = threading.Event()
        self._folder = TemporaryDirectory(prefix="twilio-sandbox-")
        authority = trustme.CA()
        self._bundle = Path(self._folder.name, "ca.pem")
        authority.cert_pem.write_to_path(str(self._bundle))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*(f"*{place}.twilio.com" for place in PLACES)).configure_cert(
            self._tls
        )
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
        if not self._closing.is_set():
            self._closing.set()
            # A connection wakes the listener, which serve_forever() would let poll instead.
            socket.create_connection(("127.0.0.1", self.port)).close()
            self._listener.join()
            self._server.close()
            self._folder.cleanup()

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
        while not self._closing.is_set():
            self._server.handle_request()

    def _serve(self, method: str, host: str, target: str, authorization: str) -> Reply:
        """Return the reply to a request."""
        began = time.perf_counter()
        path, _, raw_query = target.partition("?")
        user, password = _credentials(authorization)
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
                reply = self._reply(method, host, target, pairs, (user, password))
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
        self, method: str, host: str, target: str, pairs: Pairs, who: tuple[str, str]
    ) -> Reply:
        reply = self._fault(host + unquote(target))
        if reply and reply.kind not in ("truncate", "cut"):
            return reply
        if method != "GET":
            return self._error(405)
        status, body = self.answer(host, target.partition("?")[0], pairs, *who)
        return Reply(status, body, {}, reply.kind if reply else "answer")

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


class _Server(ThreadingTCPServer):
    """The listening socket and the connections that came in through it."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    sandbox: Sandbox

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.open: set[socket.socket] = set()

    def close(self) -> None:
        self.server_close()
        for connection in list(self.open):
            # Not SSLSocket's own shutdown: it takes the TLS state from under the reading thread.
            try:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue


class _Connection(BaseRequestHandler):
    """One client: its CONNECT, then requests over TLS until either side has had enough."""

    server: _Server

    def handle(self) -> None:
        sandbox, tunnel = self.server.sandbox, self.request
        tunnel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.open.add(tunnel)
        try:
            with tunnel.makefile("rb") as stream:
                method, target, _ = _head(stream)
            host = target.rpartition(":")[0]
            known = method == "CONNECT" and host in HOSTS
            status = sandbox.proxy_status or (200 if known else 502)
            lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
            if status == 407:
                lines.append('Proxy-Authenticate: Basic realm="proxy"')
            if status != 200:
                lines.append("Content-Length: 0")
            tunnel.sendall("\r\n".join([*lines, "", ""]).encode())
            if status != 200:
                return
            with sandbox._tls.wrap_socket(tunnel, server_side=True) as secure:
                self.server.open.add(secure)
                try:
                    with secure.makefile("rb") as stream:
                        while self._exchange(sandbox, host, secure, stream):
                            pass
                finally:
                    self.server.open.discard(secure)
        except (OSError, EOFError):
            return  # The client, or close(), has gone.
        finally:
            self.server.open.discard(tunnel)

    def _exchange(
        self, sandbox: Sandbox, host: str, secure: ssl.SSLSocket, stream: BinaryIO
    ) -> bool:
        """Answer one request; return whether the connection stays."""
        method, target, headers = _head(stream)
        stream.read(int(headers.get("content-length", 0)))
        reply = sandbox._serve(method, host, target, headers.get("authorization", ""))
        if reply.kind == "hang":
            sandbox._closing.wait(sandbox.faults.hang_seconds if sandbox.faults else 60)
            return False
        if reply.kind == "reset":
            # To close with a linger of zero seconds is to reset.
            secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        body = reply.body[: len(reply.body) // 2] if reply.kind != "answer" else reply.body
        length = len(reply.body) if reply.kind == "truncate" else len(body)
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        lines += [f"Content-Length: {length}", "", ""]
        secure.sendall("\r\n".join(lines).encode() + body)
        return reply.kind != "truncate" and headers.get("connection", "").lower() != "close"


def _head(stream: BinaryIO) -> tuple[str, str, dict[str, str]]:
    """Return method, target and headers of the next request."""
    line = stream.readline().decode("latin-1").split()
    headers = {}
    while (raw := stream.readline()) not in (b"\r\n", b""):
        name, _, value = raw.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if len(line) != 3 or not raw:
        raise EOFError
    return line[0], line[1], headers


def _credentials(authorization: str) -> tuple[str, str]:
    """Return user and password of HTTP Basic."""
    scheme, _, value = authorization.partition(" ")
    try:
        text = b64decode(value).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    user, _, password = text.partition(":")
    return user, password
