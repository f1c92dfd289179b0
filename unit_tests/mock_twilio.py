"""A mock of Twilio's HTTP that answers exactly the requests it was told of, once each."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests_mock

ACCOUNT = "AC" + "0" * 31 + "1"
SUBACCOUNT = "AC" + "0" * 31 + "2"
TOKEN = "0123456789abcdef0123456789abcdef"
# Without the deep sync of each day, which test_settling.py is about.
CONFIG: dict[str, Any] = {
    "account_sid": ACCOUNT,
    "auth_token": TOKEN,
    "start_date": "2026-01-01T00:00:00Z",
    "settling_days": 0,
}


def url(path: str, **query: Any) -> str:
    """Return a URL of the mock: a path of the 2010 API, or a whole URL, and query parameters."""
    base = path if path.startswith("https:") else f"https://api.twilio.com/2010-04-01/{path}"
    return f"{base}?{urlencode(query)}" if query else base


def _key(address: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    parts = urlsplit(address)
    query = tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"{parts.scheme}://{parts.netloc}{parts.path}", query


@dataclass
class MockTwilio:
    """The expected requests and their answers; `requested` is what came, in order.

    An address that nobody expects gets a 400, which no retry and no tolerance of the connector
    hides; `unexpected` lists them.
    """

    answers: dict[Any, list[tuple[int, bytes]]] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    delay_seconds: float = 0
    # The `Date` of all answers, if they are to have one.
    date: str = ""

    def expect(self, address: str, body: Any, status: int = 200) -> None:
        """Answer one request for exactly this address, after those expected before it."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.setdefault(_key(address), []).append((status, content))

    def page(
        self, address: str, list_key: str, rows: list[Any], next_page: str | None = None
    ) -> None:
        """Answer with one page of a list, linked in the manner of the address's API."""
        if "//api.twilio.com/" in address:
            link = next_page and next_page.removeprefix("https://api.twilio.com")
            self.expect(address, {list_key: rows, "next_page_uri": link, "page_size": 1000})
        else:
            self.expect(
                address, {list_key: rows, "meta": {"key": list_key, "next_page_url": next_page}}
            )

    def outstanding(self) -> Counter[str]:
        """Return the addresses that were expected and never requested."""
        return Counter(
            {
                f"{base}?{urlencode(query)}": len(left)
                for (base, query), left in self.answers.items()
                if left
            }
        )

    def answer(self, request: Any, context: Any) -> bytes:
        """Answer one request (a requests_mock callback)."""
        time.sleep(self.delay_seconds)
        context.headers.update({"Date": self.date} if self.date else {})
        self.headers.append(request.headers.get("Authorization", ""))
        waiting = self.answers.get(_key(request.url or ""))
        if not waiting:
            self.unexpected.append(str(request.url))
            context.status_code = 400
            return b'{"code": 0, "message": "unexpected request"}'
        context.status_code, content = waiting.pop(0)
        return content

    def mount(self, mocker: requests_mock.Mocker) -> None:
        """Let every request of the process come here."""
        mocker.register_uri(requests_mock.ANY, requests_mock.ANY, content=self.answer)
