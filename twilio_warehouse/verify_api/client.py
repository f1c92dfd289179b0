"""Sends GET requests with the connector's own authenticator, and caches the responses."""

from __future__ import annotations

import copy
import re
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from source_twilio.auth import TwilioAuthenticator
from source_twilio.config import SettingsTransformation
from source_twilio.errors import code_of
from source_twilio.session import requests_for
from source_twilio.source import manifest

Row = dict[str, Any]
Query = Mapping[str, str]

# The most pages that are read of a list, and their size.
MAX_PAGES, PAGE_SIZE = 5, 1000
# The longest wait before a retry, whatever Retry-After says.
MAX_WAIT_SECONDS = 30


class VisibleRetry(Retry):
    """Retries after a bounded wait, and prints it."""

    def get_retry_after(self, response: Any) -> float | None:
        """Return the seconds to wait, None for the backoff."""
        try:
            seconds = super().get_retry_after(response)
        except InvalidHeader:
            return None
        return min(seconds, MAX_WAIT_SECONDS) if seconds else None

    def sleep_for_retry(self, response: Any) -> bool:
        """Print the wait, and wait."""
        if seconds := self.get_retry_after(response):
            print(f"Twilio asks to wait: {seconds:.0f} seconds ...", file=sys.stderr, flush=True)
            time.sleep(seconds)
        return bool(seconds)


# Transient errors (BEHAVIOR 31).
RETRY = VisibleRetry(
    total=3,
    connect=1,
    read=1,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    raise_on_status=False,
)


class Unknown(Exception):  # noqa: N818 - not an error: a result
    """A question that cannot be answered here; the message says why."""


class Page(NamedTuple):
    """A response of Twilio's; `summary` is its status and code, as `HTTP 404, code 20404`."""

    status: int
    summary: str
    rows: list[Row]
    body: Row
    # The link to the next page, empty on the last one.
    next_page: str
    # The host of the request.
    host: str


class Rows(NamedTuple):
    """The first rows of a list, and whether they are all."""

    rows: list[Row]
    complete: bool


class Client:
    """Sends requests for one account at a time, and each request once."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take the config as users write it."""
        self.config = copy.deepcopy({**config})
        SettingsTransformation().transform(self.config)
        spec = manifest([])["definitions"]["authenticator"]
        self._authenticator = TwilioAuthenticator(
            **{name: spec[name] for name in ("username", "password", "place")},
            config=self.config,
            parameters={},
        )
        self.requests = 0
        self._responses: dict[tuple[str, str], Page | Unknown] = {}
        self._session = requests.Session()
        self._session.mount("https://", HTTPAdapter(max_retries=RETRY))

    def accounts(self) -> list[Row]:
        """Return the account of the config, then its subaccounts: SID and status."""
        own = self.config["account_sid"]
        try:
            found = (
                AccountView(self, own).rows("https://api.twilio.com/2010-04-01/Accounts.json").rows
            )
        except Unknown:
            found = []
        rows = [{"sid": row.get("sid"), "status": row.get("status", "active")} for row in found]
        mine = [row for row in rows if row["sid"] == own] or [{"sid": own, "status": "active"}]
        return mine + [row for row in rows if row["sid"] != own]

    def page(self, account: str, url: str) -> Page:
        """Return the response to a GET for an account. Raises `Unknown` if there is none."""
        if (account, url) not in self._responses:
            try:
                self._responses[account, url] = self._get(account, url)
            except Unknown as unknown:
                self._responses[account, url] = unknown
        response = self._responses[account, url]
        if isinstance(response, Unknown):
            raise response
        return response

    def _get(self, account: str, url: str) -> Page:
        host = urlsplit(url).hostname
        self.requests += 1
        try:
            with requests_for(account):
                response = self._session.get(
                    url, auth=self._authenticator, timeout=(5, 60), allow_redirects=False
                )
            body = response.json()
        except AirbyteTracedException:
            raise Unknown("the subaccount's Auth Token is unknown") from None
        except requests.JSONDecodeError:
            raise Unknown(f"{host} returned invalid JSON (HTTP {response.status_code})") from None
        except requests.RequestException:
            raise Unknown(f"{host} did not respond") from None
        body = body if isinstance(body, dict) else {}
        meta = body.get("meta") or {}
        lists = [value for value in body.values() if isinstance(value, list)]
        rows = body.get(meta["key"], []) if meta.get("key") else (lists or [[]])[0]
        next_page = body.get("next_page_uri") or meta.get("next_page_url") or ""
        if next_page.startswith("/"):
            next_page = f"https://{host}{next_page}"
        rows = [row for row in rows if isinstance(row, dict)]
        requested = str(urlsplit(str(response.request.url)).hostname)
        status = response.status_code
        return Page(status, summarize(response), rows, body, next_page, requested)


def summarize(response: requests.Response) -> str:
    """Return status and code of a response; a code that is not a number is masked."""
    summary = code_of(response)
    if re.fullmatch(r"HTTP \d+, code (\d{1,6}|none)", summary):
        return summary
    return f"HTTP {response.status_code}, code ..."


class AccountView(NamedTuple):
    """The lists of one account. Paths are as in the manifest: relative to it, or full URLs."""

    client: Client
    account: str

    def page(self, path: str, query: Query | None = None, size: int | None = None) -> Page:
        """Return the first page of a list, whatever its status."""
        url, _, fixed = path.partition("?")
        if not url.startswith("https:"):
            url = f"https://api.twilio.com/2010-04-01/Accounts/{self.account}/{url}.json"
        pairs = {**dict(parse_qsl(fixed)), **(query or {})}
        if size:
            pairs["PageSize"] = str(size)
        return self.client.page(self.account, f"{url}?{urlencode(pairs)}" if pairs else url)

    def readable_page(self, path: str, query: Query | None = None, size: int | None = None) -> Page:
        """Return the first page of a list. Raises `Unknown` if it is refused."""
        page = self.page(path, query, size)
        # Usage may respond so where there is none (BEHAVIOR 16).
        is_empty = path.startswith("Usage/") and page.status == requests.codes.not_found
        return page if is_empty else self._require_ok(page)

    def rows(
        self, path: str, query: Query | None = None, size: int = PAGE_SIZE, pages: int = MAX_PAGES
    ) -> Rows:
        """Return the first pages of a list. Raises `Unknown` if one is refused."""
        page = self.readable_page(path, query, size)
        rows = [*page.rows]
        for _ in range(pages - 1):
            if not page.next_page:
                break
            page = self._require_ok(self.client.page(self.account, page.next_page))
            rows += page.rows
        return Rows(rows, not page.next_page)

    @staticmethod
    def _require_ok(page: Page) -> Page:
        if page.status != requests.codes.ok:
            raise Unknown(f"the list was refused ({page.summary})")
        return page


def today() -> datetime:
    """Return the last midnight, UTC."""
    return datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
