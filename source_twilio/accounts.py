"""The accounts to read."""

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import Record, StreamSlice

from source_twilio.credentials import HOPELESS, has_key, known, refusal
from source_twilio.errors import RefusedError, body_of, error
from source_twilio.retriever import TwilioRetriever
from source_twilio.rows import Row
from source_twilio.windows import Page


@dataclass
class AccountsRetriever(TwilioRetriever):
    """The accounts to read, of those that Twilio shows; the manifest's filter selects them.

    Why not YAML: a filter can neither say that it selects nothing, nor which of the listed accounts
    do not exist. And a key that may not list accounts can still read its own (BEHAVIOR 26).
    """

    # Lists of an account, by the streams that read them.
    probes: Mapping[str, str] = field(default_factory=dict)
    # The stream that the accounts are for is of a product API (BEHAVIOR 14).
    of_product_api: bool = False

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Record]:
        """Yield the selected accounts, of which there must be one."""
        records = [*super().read_records(records_schema, stream_slice)]
        if not records:
            raise error(
                "No account is left to read: check account_selection, account_sids and "
                "include_inactive_accounts against the accounts that Twilio shows.",
                FailureType.config_error,
            )
        if self.of_product_api:
            own, tokens = self.config["account_sid"], known(self.config).tokens
            whole = len(records)
            records = [r for r in records if r.data["sid"] == own or tokens.get(r.data["sid"])]
            if whole > len(records):
                known(self.config).warn(
                    f"accounts: {whole - len(records)} subaccounts are left out of alerts, for "
                    "Twilio has not given their tokens: use the Auth Token of the main account, or "
                    "set subaccount_product_data to false."
                )
        yield from records

    def _read(self, part: StreamSlice) -> Iterator[Page]:
        """Yield the account list once all of it is there, or the configured account alone."""
        memory = known(self.config)
        pages: list[Page] = []
        wrong = memory.still_refused()
        try:
            if not wrong and not memory.own_account_only:
                for page in self._pages(part):
                    pages.append(page)
        except RefusedError as refused:
            if pages:
                raise error("Twilio refused the rest of the account list.") from refused
            with memory.lock:
                wrong = memory.still_refused()
                if not wrong and not memory.own_account_only:
                    wrong = memory.refused = self._prove(refused.response)
                    memory.refused_at = time.monotonic()
                    memory.own_account_only = not wrong
        if wrong:
            raise error(wrong, FailureType.config_error)
        pages = pages or [Page([{"sid": self.config["account_sid"]}], part, True)]
        self._verify({row.get("sid"): row for page in pages for row in page.rows})
        yield from pages

    def _prove(self, refused: requests.Response) -> str:
        """Return why they open nothing; or warn that they open one account only."""
        if not has_key(self.config) or body_of(refused).get("code") in HOPELESS:
            return refusal(refused, self.config)
        account = self.config["account_sid"]
        with ThreadPoolExecutor(max_workers=5) as pool:
            answers = dict(
                zip(self.probes, pool.map(self._probe, self.probes.values()), strict=True)
            )
        refusals = {name: a for name, a in answers.items() if a.status_code in (401, 403)}
        if not any(answer.ok for answer in answers.values()):
            return refusal([refused, *refusals.values()][-1], self.config)
        closed = [*refusals]
        nor = f"; nor may it read {', '.join(closed)}" if closed else ""
        known(self.config).warn(
            f"accounts: this API key may not list accounts, so only account {account} is read{nor}."
        )
        return ""

    def _probe(self, path: str) -> requests.Response:
        """Ask a list of the configured account for one row."""
        account = self.config["account_sid"]
        url = urljoin(f"https://api.twilio.com/2010-04-01/Accounts/{account}/", path)
        with known(self.config).throttle:
            answer = self.requester.send_request(path=url, request_params={"PageSize": 1})
        return answer if answer is not None else requests.Response()

    def _verify(self, shown: Mapping[str, Row]) -> None:
        """Warn of listed accounts that are not shown; raise if the configured one is not."""
        own = self.config["account_sid"]
        if own not in shown:
            raise error(
                f"Account {own} is not among those that these credentials show: set account_sid to "
                "the account that the API key belongs to.",
                FailureType.config_error,
            )
        owner = shown[own].get("owner_account_sid", own)
        if owner != own and owner in shown:
            raise error(
                f"The API key belongs to the main account {owner}: set account_sid to it, and "
                "select the subaccount with account_sids.",
                FailureType.config_error,
            )
        if self.config.get("account_selection") == "listed":
            for account in self.config["account_sids"]:
                if account not in shown:
                    known(self.config).warn(
                        f"accounts: account_sids lists {account}, which Twilio does not show to "
                        "these credentials: it is not read."
                    )
