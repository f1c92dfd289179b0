"""The accounts to read."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.credentials import UNRECOVERABLE, refusal
from source_twilio.errors import RefusedError, body_of, error
from source_twilio.memory import AT_THE_START, PROBING, Patience, known, trying
from source_twilio.pages import is_active
from source_twilio.retriever import TwilioRetriever
from source_twilio.rows import Row
from source_twilio.settings import has_key
from source_twilio.windows import Page


@dataclass
class AccountsRetriever(TwilioRetriever):
    """The accounts to read: the main one first, and the inactive ones last.

    Why not YAML: the list is asked once for all streams, and the CDK could only keep it on disk,
    for whatever credentials. A filter would look through all of `account_sids` for each account,
    and can neither say that it selects nothing, nor which of the listed accounts do not exist. And
    a key that may not list accounts can still read its own (BEHAVIOR 26).
    """

    # Lists of an account, by the streams that read them.
    probes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Note the stream that the accounts are for; `name` is `accounts` in any case."""
        super().__post_init__(parameters)
        self._reader = parameters.get("name", self.name)

    def _read(self, part: StreamSlice) -> Iterator[Page]:
        """Yield the accounts to read, as copies: each stream converts its own."""
        rows: list[Row] = known(self.config).accounts.get(lambda: self._ask(part))
        if self._of_product_api:
            rows = self._with_tokens(rows)
        yield Page([{**row} for row in rows], part, True)

    def _ask(self, window: StreamSlice) -> list[Row]:
        """Return the accounts to read, once all of the list is there."""
        rows = list[Row]()
        try:
            for page in self._pages(window):
                rows += page.rows
        except RefusedError as refused:
            if rows:
                raise error("Twilio refused the rest of the account list.") from refused
            self._prove(refused.response)
            rows = [{"sid": self.config["account_sid"]}]
        else:
            known(self.config).shown = frozenset(row["sid"] for row in rows if row.get("sid"))
        rows = self._named(rows)
        self._verify({row["sid"]: row for row in rows})
        return self._selected(rows)

    def _named(self, rows: list[Row]) -> list[Row]:
        """Return the rows that name an account; warn of the others, which nothing can be asked."""
        named = [row for row in rows if row.get("sid") and row["sid"].__class__ is str]
        if missing := len(rows) - len(named):
            known(self.config).warn(
                f"accounts: {missing} rows of the account list have no sid: they are left out."
            )
        return named

    def _patience(self, part: StreamSlice, token: Mapping[str, Any] | None) -> Patience:
        """Be short at the first page, and in a check, which reads in the process's main thread."""
        checks = threading.current_thread() is threading.main_thread()
        return AT_THE_START if checks or token is None else super()._patience(part, token)

    def _prove(self, refused: requests.Response) -> None:
        """Warn that the credentials open one account only; raise if they open nothing."""
        memory = known(self.config)
        if not has_key(self.config) or body_of(refused).get("code") in UNRECOVERABLE:
            raise error(refusal(refused, self.config), FailureType.config_error)
        with ThreadPoolExecutor(max_workers=5) as pool:
            answers = dict(
                zip(self.probes, pool.map(self._probe, self.probes.values()), strict=True)
            )
        failures = {name: a for name, a in answers.items() if isinstance(a, Exception)}
        responses = {n: a for n, a in answers.items() if isinstance(a, requests.Response)}
        refusals = {name: a for name, a in responses.items() if a.status_code in (401, 403)}
        if not any(answer.ok for answer in responses.values()):
            for failure in failures.values():
                raise failure
            last = [refused, *refusals.values()][-1]
            raise error(refusal(last, self.config), FailureType.config_error)
        account = self.config["account_sid"]
        nor = f"; nor may it read {', '.join(refusals)}" if refusals else ""
        nor += f"; Twilio failed to say if it may read {', '.join(failures)}" if failures else ""
        memory.warn(
            f"accounts: this API key may not list accounts, so only account {account} is read{nor}."
        )

    def _probe(self, path: str) -> requests.Response | AirbyteTracedException:
        """Ask a list of the configured account for one row; return the answer or the failure."""
        account = self.config["account_sid"]
        url = urljoin(f"https://api.twilio.com/2010-04-01/Accounts/{account}/", path)
        try:
            with known(self.config).throttle, trying(PROBING):
                answer = self.requester.send_request(path=url, request_params={"PageSize": 1})
        except AirbyteTracedException as failure:
            return failure
        return answer if answer is not None else requests.Response()

    def _verify(self, shown: Mapping[str | None, Row]) -> None:
        """Warn of listed accounts that are not shown; raise if the configured one is not."""
        own = self.config["account_sid"]
        if own not in shown:
            given = "API key" if has_key(self.config) else "Auth Token"
            raise error(
                f"Account {own} is not among those that these credentials show: set account_sid to "
                f"the account that the {given} belongs to.",
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

    def _selected(self, rows: list[Row]) -> list[Row]:
        """Return the accounts that the settings select, of which there must be one."""
        config, own = self.config, self.config["account_sid"]
        wanted: set[str] | None = {
            "listed": set(config.get("account_sids") or []),
            "main_only": {own},
        }.get(config.get("account_selection", "all"))
        if wanted is not None:
            rows = [row for row in rows if row.get("sid") in wanted]
        if not config.get("include_inactive_accounts", True):
            rows = [row for row in rows if is_active(row)]
        return sorted(self._some(rows), key=lambda row: (row.get("sid") != own, not is_active(row)))

    def _some(self, rows: list[Row]) -> list[Row]:
        """Return the rows; raise if there are none."""
        if not rows:
            raise error(
                "No account is left to read: check account_selection, account_sids and "
                "include_inactive_accounts against the accounts that Twilio shows.",
                FailureType.config_error,
            )
        return rows

    def _with_tokens(self, rows: list[Row]) -> list[Row]:
        """Return the accounts that a product API can be asked for (BEHAVIOR 14)."""
        own, memory = self.config["account_sid"], known(self.config)
        if not self.config.get("subaccount_product_data", True):
            return self._some([row for row in rows if row["sid"] == own])
        found = [row for row in rows if row["sid"] == own or memory.tokens.get(row["sid"])]
        if missing := len(rows) - len(found):
            memory.warn(
                f"{self._reader}: {missing} subaccounts are left out, because Twilio has not given "
                "their tokens: use the Auth Token of the main account, or set "
                "subaccount_product_data to false."
            )
        return found
