"""Sockets: a forward proxy on loopback, with TLS behind each CONNECT."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from http import HTTPStatus
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import BinaryIO, Protocol

from sandbox.endpoints import HOSTS
from sandbox.faults import Faults, Reply


class Answering(Protocol):
    """Who answers the requests.

    Attributes:
        proxy_status: the answer to every CONNECT; None is to connect.
        faults: random faults, None for none.
        tls: the certificates.
        closing: whether it is about to close.
    """

    proxy_status: int | None
    faults: Faults | None
    tls: ssl.SSLContext
    closing: threading.Event

    def serve(self, method: str, host: str, target: str, authorization: str, body: bytes) -> Reply:
        """Return the reply to a request."""


class Server(ThreadingTCPServer):
    """The listening socket and the connections that came in through it."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    sandbox: Answering

    def __init__(self, port: int, sandbox: Answering) -> None:
        """Listen on loopback; port 0 picks a free one."""
        super().__init__(("127.0.0.1", port), _Connection)
        self.sandbox = sandbox
        self.open: set[socket.socket] = set()
        self.accepted = 0

    def close(self) -> None:
        """End all connections."""
        self.server_close()
        for connection in list(self.open):
            # Not SSLSocket's own shutdown: it takes the TLS state from under the reading thread.
            try:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue


class _Connection(BaseRequestHandler):
    """One client: its CONNECT, then requests over TLS until either side has had enough."""

    server: Server

    def handle(self) -> None:
        sandbox, tunnel = self.server.sandbox, self.request
        tunnel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.open.add(tunnel)
        self.server.accepted += 1
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
            with sandbox.tls.wrap_socket(tunnel, server_side=True) as secure:
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
        self, sandbox: Answering, host: str, secure: ssl.SSLSocket, stream: BinaryIO
    ) -> bool:
        """Answer one request; return whether the connection stays."""
        method, target, headers = _head(stream)
        body = stream.read(int(headers.get("content-length", 0)))
        reply = sandbox.serve(method, host, target, headers.get("authorization", ""), body)
        if reply.kind == "hang":
            sandbox.closing.wait(sandbox.faults.hang_seconds if sandbox.faults else 60)
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
