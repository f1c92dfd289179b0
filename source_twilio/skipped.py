"""The accounts that Twilio refuses to show: none is asked twice, and one line stands for many."""

import weakref
from threading import Lock
from typing import NamedTuple

from source_twilio.errors import LOGGER


class Account(NamedTuple):
    """An account as it is asked: by the 2010 API, or by the product APIs, with its own token."""

    sid: str
    of_product_api: bool


# So many are named when they are met, and at the end.
NAMED = 3


class Skipped:
    """What a sync leaves out, by stream; lines at the end of the process sum it up (BEHAVIOR 9).

    An account that refuses its credentials (401) before it has shown any list is refused in every
    stream that is asked with them: in those of the 2010 API, or of the product APIs (BEHAVIOR 14).
    Any other refusal is one of a single list. A product API refuses accounts that do not use the
    product, which is no surprise: only the lines at the end speak of them (BEHAVIOR 34).
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = Lock()
        self._opened: set[Account] = set()
        self._refused: dict[Account, bool] = {}
        # The accounts that a single list left out, by stream, and whether they do not use it.
        self._left_out: dict[str, dict[Account, bool]] = {}
        weakref.finalize(self, report, self._refused, self._left_out)

    def opened(self, account: Account) -> None:
        """Note that Twilio showed a list of the account."""
        self._opened.add(account)

    def is_opened(self, account: Account) -> bool:
        """Return whether Twilio has shown a list of the account."""
        return account in self._opened

    def is_refused(self, account: Account) -> bool:
        """Return whether the account refuses its credentials."""
        return account in self._refused

    def note(
        self,
        stream: str,
        account: Account,
        status: int,
        is_active: bool = True,
        unused: bool = False,
    ) -> None:
        """Note that a stream leaves an account out, and warn of the first few.

        `unused` says that the answer is the one to active accounts without the product.
        """
        by_product, unused = account.of_product_api and is_active, unused and is_active
        with self._lock:
            everywhere = status == 401 and account not in self._opened and not by_product
            accounts = self._refused if everywhere else self._left_out.setdefault(stream, {})
            known = account in accounts
            accounts[account] = unused
        if not known and not unused and len(accounts) <= NAMED:
            LOGGER.warning(
                "%s: Twilio refuses to show account %s (HTTP %s): skipped, its cursor stays.",
                stream,
                account.sid,
                status,
            )


def report(refused: dict[Account, bool], left_out: dict[str, dict[Account, bool]]) -> None:
    """Log how many accounts were skipped, where they were more than have been named."""
    for stream, found in {"all streams": refused, **left_out}.items():
        accounts = [*dict.fromkeys(account.sid for account in found)]
        unused = any(found.values())
        if unused or len(accounts) > NAMED:
            LOGGER.warning(
                "%s: Twilio refuses to show %s account%s%s: skipped, cursors stay. The first: %s.",
                stream,
                len(accounts),
                "s" if accounts[1:] else "",
                ", which may not use the product" if unused else "",
                ", ".join(accounts[:NAMED]),
            )
