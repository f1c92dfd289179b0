"""Asks Twilio with the connector's own credentials, and keeps what was answered."""

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

# How many pages of a list are read at most, and how many rows they have.
PAGES, SIZE = 5, 1000
# How long a request waits at most, in seconds, whatever Twilio asks for.
LONGEST_WAIT = 30


class Again(Retry):
    """Asks again after a wait that is short, and that the user is told of."""

    def get_retry_after(self, response: Any) -> float | None:
        """Return the seconds to wait, None for those of the backoff."""
        try:
            asked = super().get_retry_after(response)
        except InvalidHeader:
            return None
        return min(asked, LONGEST_WAIT) if asked else None

    def sleep_for_retry(self, response: Any) -> bool:
        """Say that it waits, and wait."""
        if seconds := self.get_retry_after(response):
            print(f"Twilio asks to wait: {seconds:.0f} seconds ...", file=sys.stderr, flush=True)
            time.sleep(seconds)
        return bool(seconds)


# Of each status, what can pass is asked again (BEHAVIOR 31).
AGAIN = Again(
    total=3,
    connect=1,
    read=1,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    raise_on_status=False,
)


class Unknown(Exception):  # noqa: N818 - no failure: an answer
    """A question that cannot be answered here; the text says why."""


class Page(NamedTuple):
    """An answer of Twilio's: `said` is its status, as `HTTP 404, code 20404`."""

    status: int
    said: str
    rows: list[Row]
    body: Row
    # The link to the next page, or nothing.
    more: str
    # The host that was asked.
    host: str


class Rows(NamedTuple):
    """The first rows of a list, and whether these are all."""

    rows: list[Row]
    complete: bool


class Client:
    """A Twilio that is asked for an account at a time, and for the same thing once."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take the settings as users write them."""
        self.config = copy.deepcopy({**config})
        SettingsTransformation().transform(self.config)
        spec = manifest([])["definitions"]["authenticator"]
        self._signed = TwilioAuthenticator(
            **{name: spec[name] for name in ("username", "password", "place")},
            config=self.config,
            parameters={},
        )
        self.requests = 0
        self._answers: dict[tuple[str, str], Page | Unknown] = {}
        self._session = requests.Session()
        self._session.mount("https://", HTTPAdapter(max_retries=AGAIN))

    def accounts(self) -> list[Row]:
        """Return the account of the config, then those below it, as SIDs with their status."""
        own = self.config["account_sid"]
        try:
            found = View(self, own).rows("https://api.twilio.com/2010-04-01/Accounts.json").rows
        except Unknown:
            found = []
        rows = [{"sid": row.get("sid"), "status": row.get("status", "active")} for row in found]
        mine = [row for row in rows if row["sid"] == own] or [{"sid": own, "status": "active"}]
        return mine + [row for row in rows if row["sid"] != own]

    def page(self, account: str, url: str) -> Page:
        """Return the answer to a GET for an account. Raises `Unknown` if there is none."""
        if (account, url) not in self._answers:
            try:
                self._answers[account, url] = self._get(account, url)
            except Unknown as unknown:
                self._answers[account, url] = unknown
        answer = self._answers[account, url]
        if isinstance(answer, Unknown):
            raise answer
        return answer

    def _get(self, account: str, url: str) -> Page:
        host = urlsplit(url).hostname
        self.requests += 1
        try:
            with requests_for(account):
                got = self._session.get(
                    url, auth=self._signed, timeout=(5, 60), allow_redirects=False
                )
            body = got.json()
        except AirbyteTracedException:
            raise Unknown("no token of the subaccount is known") from None
        except requests.JSONDecodeError:
            raise Unknown(f"{host} answered no JSON (HTTP {got.status_code})") from None
        except requests.RequestException:
            raise Unknown(f"{host} did not answer") from None
        body = body if isinstance(body, dict) else {}
        meta = body.get("meta") or {}
        lists = [value for value in body.values() if isinstance(value, list)]
        rows = body.get(meta["key"], []) if meta.get("key") else (lists or [[]])[0]
        more = body.get("next_page_uri") or meta.get("next_page_url") or ""
        if more.startswith("/"):
            more = f"https://{host}{more}"
        rows = [row for row in rows if isinstance(row, dict)]
        asked = str(urlsplit(str(got.request.url)).hostname)
        return Page(got.status_code, said_by(got), rows, body, more, asked)


def said_by(response: requests.Response) -> str:
    """Return status and code of an answer; a code that is no number may be anything."""
    said = code_of(response)
    return (
        said
        if re.fullmatch(r"HTTP \d+, code (\d{1,6}|none)", said)
        else f"HTTP {response.status_code}, code ..."
    )


class View(NamedTuple):
    """One account's lists. Paths are those of the manifest: below the account, or whole URLs."""

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

    def shown(self, path: str, query: Query | None = None, size: int | None = None) -> Page:
        """Return the first page of a list. Raises `Unknown` if it is refused."""
        page = self.page(path, query, size)
        # Usage may answer so where there is none (BEHAVIOR 16).
        is_empty = path.startswith("Usage/") and page.status == requests.codes.not_found
        return page if is_empty else self._open(page)

    def rows(
        self, path: str, query: Query | None = None, size: int = SIZE, pages: int = PAGES
    ) -> Rows:
        """Return the first pages of a list. Raises `Unknown` if one is refused."""
        page = self.shown(path, query, size)
        rows = [*page.rows]
        for _ in range(pages - 1):
            if not page.more:
                break
            page = self._open(self.client.page(self.account, page.more))
            rows += page.rows
        return Rows(rows, not page.more)

    @staticmethod
    def _open(page: Page) -> Page:
        if page.status != requests.codes.ok:
            raise Unknown(f"the list was refused ({page.said})")
        return page


def today() -> datetime:
    """Return the last midnight, UTC."""
    return datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
