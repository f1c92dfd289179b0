"""The rows that the warehouse must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dev.soak.credential_cases import CredentialCase
from dev.soak.streams import ALL_ROWS, Key, Row, Stream, identity
from sandbox import Sandbox
from sandbox.streams import STREAMS


@dataclass
class ExpectedRows:
    """The rows that Twilio shows with the credentials, and the keys of all that it has shown."""

    twilio: Sandbox
    case: CredentialCase
    # By stream. A warehouse may keep rows that have been deleted.
    ever_shown: dict[str, set[Key]] = field(default_factory=dict)

    def note(self, streams: Mapping[str, Stream]) -> None:
        """Note the keys of the rows that exist now."""
        for stream in streams.values():
            keys = self.ever_shown.setdefault(stream.name, set())
            keys.update(identity(stream.name, row) for row in self.rows(stream))

    def rows(self, stream: Stream) -> list[Row]:
        """Return the rows of a stream in all accounts that the credentials can read."""
        case = self.case
        if stream.name == "accounts":
            rows = self.twilio.rows("accounts", self.twilio.accounts[0].sid)
            order = [account.sid for account in self.twilio.accounts]
            if case.lists is None:
                return [{"sid": order[0]}]
            return [row for row in rows if row["sid"] in order[case.lists]]
        declared = STREAMS[stream.name]
        selected = (declared.of_product_api and case.product_apis) or case.reads
        selected = slice(case.own, case.own + 1) if declared.main_only else selected
        accounts = [] if stream.name in case.refused_streams else self.twilio.accounts[selected]
        query = ALL_ROWS.get(stream.name, {})
        has_account = "account_sid" in stream.catalog["stream"]["json_schema"]["properties"]
        return [
            {**({"account_sid": account} if has_account else {}), **row}
            for account in [a.sid for a in accounts if a.status != "closed"]
            for row in self.twilio.rows(stream.name, account, query)
        ]
