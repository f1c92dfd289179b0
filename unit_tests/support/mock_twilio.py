"""A mock of Twilio's HTTP that answers exactly the requests it was told of, once each.

A request is told by its address and by the account that signs it: lists of the product APIs have
one address for all accounts.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests_mock

from sandbox.fields import PAGE_PARAMS

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


def _key(address: str, signer: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    parts = urlsplit(address)
    query = tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return signer, f"{parts.scheme}://{parts.netloc}{parts.path}", query


def signer_of(address: str, account: str) -> str:
    """Return who signs a request on behalf of an account (BEHAVIOR 14)."""
    return ACCOUNT if "//api.twilio.com/" in address else account


@dataclass
class MockTwilio:
    """The expected requests and their answers; `requested` is what came, in order.

    A request that nobody expects gets a 400, which no retry and no tolerance of the connector
    hides; `unexpected` lists them.
    """

    answers: dict[Any, list[tuple[int, bytes]]] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    # Who signed each request, as user and password.
    signed: list[str] = field(default_factory=list)
    delay_seconds: float = 0
    # The `Date` of all answers, if they are to have one.
    date: str = ""

    def expect(self, address: str, body: Any, status: int = 200, account: str = ACCOUNT) -> None:
        """Answer one request for exactly this address on behalf of an account.

        Those for one address and account are answered in the order in which they were expected.
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = _key(address, signer_of(address, account))
        self.answers.setdefault(key, []).append((status, content))

    def page(
        self,
        address: str,
        list_key: str,
        rows: list[Any],
        next_page: str | None = None,
        account: str = ACCOUNT,
        paging: str | None = None,
    ) -> None:
        """Answer with one page of a list, linked in the manner of the address's API.

        `paging` is that of Twilio's table: of a list with tokens, the next page's is in its link.
        """
        body: dict[str, Any] = {list_key: rows}
        if paging in PAGE_PARAMS:
            token = {paging: next_page.rpartition("=")[2]} if next_page else {}
            body |= {"meta": {"key": list_key, **token}}
        elif "//api.twilio.com/" in address:
            link = next_page and next_page.removeprefix("https://api.twilio.com")
            body |= {"next_page_uri": link, "page_size": 1000}
        else:
            body |= {"meta": {"key": list_key, "next_page_url": next_page}}
        self.expect(address, body, account=account)

    def outstanding(self) -> Counter[str]:
        """Return the addresses that were expected and never requested."""
        return Counter(
            {
                f"{base}?{urlencode(query)} by {signer}": len(left)
                for (signer, base, query), left in self.answers.items()
                if left
            }
        )

    def answer(self, request: Any, context: Any) -> bytes:
        """Answer one request (a requests_mock callback)."""
        time.sleep(self.delay_seconds)
        context.headers.update({"Date": self.date} if self.date else {})
        header = request.headers.get("Authorization", "")
        self.signed.append(b64decode(header.removeprefix("Basic ")).decode())
        signer = self.signed[-1].partition(":")[0]
        waiting = self.answers.get(_key(request.url or "", signer))
        if not waiting:
            self.unexpected.append(f"{request.url} by {signer}")
            context.status_code = 400
            return b'{"code": 0, "message": "unexpected request"}'
        context.status_code, content = waiting.pop(0)
        return content

    def mount(self, mocker: requests_mock.Mocker) -> None:
        """Let every request of the process come here."""
        mocker.register_uri(requests_mock.ANY, requests_mock.ANY, content=self.answer)
