"""The accounts that Twilio refuses to show: none is asked twice, and one line stands for many."""

import weakref
from threading import Lock

from source_twilio.errors import LOGGER

# So many are named when they are met, and at the end.
NAMED = 3


class Skipped:
    """What a sync leaves out, by stream; a line at the end of the process sums it up (BEHAVIOR 9).

    An account that refuses its credentials (401) before it has shown any list is refused in every
    stream that is asked with them: in those of the 2010 API, or of the product APIs (BEHAVIOR 14).
    Any other refusal is one of a single list.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = Lock()
        self._opened: set[tuple[str, bool]] = set()
        self._refused: dict[tuple[str, bool], None] = {}
        # The accounts that a single list left out, by stream.
        self._left_out: dict[str, dict[tuple[str, bool], None]] = {}
        weakref.finalize(self, report, self._refused, self._left_out)

    def opened(self, account: tuple[str, bool]) -> None:
        """Note that Twilio showed a list of the account. It is a SID, and whether of a product."""
        self._opened.add(account)

    def is_refused(self, account: tuple[str, bool]) -> bool:
        """Return whether the account refuses its credentials."""
        return account in self._refused

    def note(self, stream: str, account: tuple[str, bool], status: int) -> None:
        """Note that a stream leaves an account out, and warn of the first few."""
        with self._lock:
            everywhere = status == 401 and account not in self._opened
            accounts = self._refused if everywhere else self._left_out.setdefault(stream, {})
            known = account in accounts
            accounts[account] = None
        if not known and len(accounts) <= NAMED:
            LOGGER.warning(
                "%s: Twilio refuses to show account %s (HTTP %s): skipped, its cursor stays.",
                stream,
                account[0],
                status,
            )


def report(
    refused: dict[tuple[str, bool], None], left_out: dict[str, dict[tuple[str, bool], None]]
) -> None:
    """Log how many accounts were skipped, where they were more than have been named."""
    for stream, found in {"all streams": refused, **left_out}.items():
        accounts = [*dict.fromkeys(sid for sid, _ in found)]
        if len(accounts) > NAMED:
            named = ", ".join(accounts[:NAMED])
            LOGGER.warning(
                "%s: Twilio refuses to show %s accounts: skipped, cursors stay. The first are %s.",
                stream,
                len(accounts),
                named,
            )
