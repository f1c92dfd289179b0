"""The accounts to read, and the partitions of their lists."""

import threading
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.partition_routers import CartesianProductStreamSlicer
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.config import READS_MAIN_ACCOUNT, credential_name, is_of_shard, is_scoped
from source_twilio.errors import LOGGER, UNRECOVERABLE, RefusedError, body_of, error, refusal
from source_twilio.pages import Page
from source_twilio.records import Row
from source_twilio.retriever import TwilioRetriever
from source_twilio.session import (
    PROBE,
    STARTUP,
    RetryBudget,
    is_active,
    requests_for,
)


@dataclass
class ListsRouter(CartesianProductStreamSlicer):
    """Each value of the first router with each account of the second.

    Why not YAML: the CDK takes a list of routers in its own retrievers only. And its class warns at
    each start that it keeps no state of parents, which no stream here has.
    """

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        pass


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

    def _read(self, stream_slice: StreamSlice) -> Iterator[Page]:
        """Yield the accounts to read, as copies: each stream converts its own."""
        rows: list[Row] = self._session.accounts.get(lambda: self._ask(stream_slice))
        if self._reader == self.name and "account_shard" in self.config:
            yield from self._whole(stream_slice)
            return
        if self._of_product_api:
            rows = self._with_tokens(rows)
        yield Page([{**row} for row in rows], stream_slice, True)

    def _whole(self, stream_slice: StreamSlice) -> Iterator[Page]:
        """Yield the accounts of all shards, page by page, in the shard of the main account."""
        if self.config[READS_MAIN_ACCOUNT]:
            for page in self._pages(stream_slice):
                self._drop_tokens(page.rows)
                yield page._replace(rows=self._selected(page.rows))

    def _ask(self, stream_slice: StreamSlice) -> list[Row]:
        """Return the accounts to read, once all of the list is there.

        Of each page only they are kept: a shard of 50,000 accounts holds some thousands.
        """
        session, config = self._session, self.config
        main: Row = {"sid": config["account_sid"]}
        rows, shown = list[Row](), set[str]()
        selected = nameless = 0
        try:
            for page in self._pages(stream_slice):
                named = [row for row in page.rows if has_sid(row)]
                nameless += len(page.rows) - len(named)
                shown.update(row["sid"] for row in named)
                main = next((row for row in named if row["sid"] == main["sid"]), main)
                those = self._selected(named)
                selected += len(those)
                rows += [row for row in those if is_of_shard(row["sid"], config)]
                self._drop_tokens(named)
        except RefusedError as refused:
            if shown or nameless:
                raise error("Twilio refused the rest of the account list.") from refused
            self._prove(refused.response)
            shown.add(main["sid"])
            rows = self._selected([main])
            selected = len(rows)
        else:
            session.shown = frozenset(shown)
        if nameless:
            session.warn(
                f"accounts: {nameless} rows of the account list have no sid: they are left out."
            )
        self._verify(shown, main)
        self._some(selected)
        if shard := config.get("account_shard"):
            LOGGER.info("shard %s: %s of %s accounts", shard, f"{len(rows):,}", f"{len(shown):,}")
        return sorted(rows, key=lambda row: (row["sid"] != main["sid"], not is_active(row)))

    def _drop_tokens(self, rows: list[Row]) -> None:
        """Forget the tokens of accounts that other shards read."""
        for row in rows:
            if has_sid(row) and not is_of_shard(row["sid"], self.config):
                self._session.tokens.pop(row["sid"], None)

    def _retry_budget(
        self, stream_slice: StreamSlice, token: Mapping[str, Any] | None
    ) -> RetryBudget:
        """Be short at the first page, and in a check, which reads in the process's main thread."""
        checks = threading.current_thread() is threading.main_thread()
        return STARTUP if checks or token is None else super()._retry_budget(stream_slice, token)

    def _prove(self, refused: requests.Response) -> None:
        """Warn that the credentials open one account only; raise if they open nothing."""
        session = self._session
        if not is_scoped(self.config) or body_of(refused).get("code") in UNRECOVERABLE:
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
        account, name = self.config["account_sid"], credential_name(self.config)
        if "account_shard" in self.config:
            raise error(
                f"account_shard needs the list of accounts, which this {name} may not read: use "
                "the Auth Token or a Main API key, or leave account_shard out.",
                FailureType.config_error,
            )
        nor = f"; nor may it read {', '.join(refusals)}" if refusals else ""
        nor += f"; Twilio failed to say if it may read {', '.join(failures)}" if failures else ""
        session.warn(
            f"accounts: this {name} may not list accounts, so only account {account} is read{nor}."
        )

    def _probe(self, path: str) -> requests.Response | AirbyteTracedException:
        """Ask a list of the configured account for one row; return the answer or the failure."""
        account = self.config["account_sid"]
        url = urljoin(f"https://api.twilio.com/2010-04-01/Accounts/{account}/", path)
        try:
            with self._session.throttle, requests_for(budget=PROBE):
                answer = self.requester.send_request(path=url, request_params={"PageSize": 1})
        except AirbyteTracedException as failure:
            return failure
        return answer if answer is not None else requests.Response()

    def _verify(self, shown: Collection[str], main: Row) -> None:
        """Warn of listed accounts that are not shown; raise if the configured one is not."""
        own, given = self.config["account_sid"], credential_name(self.config)
        if own not in shown:
            raise error(
                f"Account {own} is not among those that these credentials show: set account_sid to "
                f"the account that the {given} belongs to.",
                FailureType.config_error,
            )
        owner = main.get("owner_account_sid", own)
        if owner != own and owner in shown:
            raise error(
                f"The {given} belongs to the main account {owner}: set account_sid to it, and "
                "select the subaccount with account_sids.",
                FailureType.config_error,
            )
        if self.config.get("account_selection") == "listed":
            for account in self.config["account_sids"]:
                if account not in shown:
                    self._session.warn(
                        f"accounts: account_sids lists {account}, which Twilio does not show to "
                        "these credentials: it is not read."
                    )

    def _selected(self, rows: list[Row]) -> list[Row]:
        """Return the accounts that the settings select, whatever the shard."""
        config = self.config
        wanted: set[str] | None = {
            "listed": set(config.get("account_sids") or []),
            "main_only": {config["account_sid"]},
        }.get(config.get("account_selection", "all"))
        if wanted is not None:
            rows = [row for row in rows if row.get("sid") in wanted]
        if not config.get("include_inactive_accounts", True):
            rows = [row for row in rows if is_active(row)]
        return rows

    def _some(self, count: int) -> None:
        """Raise if no account is selected."""
        if not count:
            raise error(
                "No account is left to read: check account_selection, account_sids and "
                "include_inactive_accounts against the accounts that Twilio shows.",
                FailureType.config_error,
            )

    def _with_tokens(self, rows: list[Row]) -> list[Row]:
        """Return the accounts that a product API can be asked for (BEHAVIOR 14)."""
        own, session = self.config["account_sid"], self._session
        if not self.config.get("subaccount_product_data", True):
            rows = [row for row in rows if row["sid"] == own]
            self._some(len(rows) or "account_shard" in self.config)
            return rows
        found = [row for row in rows if row["sid"] == own or session.tokens.get(row["sid"])]
        if missing := len(rows) - len(found):
            session.warn(
                f"{self._reader}: {missing} subaccounts are left out, because Twilio has not given "
                "their tokens: use the Auth Token of the main account, or set "
                "subaccount_product_data to false."
            )
        return found


def has_sid(row: Row) -> bool:
    """Return whether a row of the list names an account: nothing can be asked for the others."""
    return bool(row.get("sid")) and row["sid"].__class__ is str
