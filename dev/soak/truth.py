"""What Twilio shows: the rows that the warehouse must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dev.soak.holders import Holder
from dev.soak.streams import ALL_ROWS, Key, Row, Stream, identity
from sandbox import Sandbox
from sandbox.streams import STREAMS


@dataclass
class Truth:
    """What Twilio shows to the holder of the credentials, and what it has shown before."""

    twilio: Sandbox
    holder: Holder
    # The rows that existed at some time, by stream. A warehouse may keep rows that have vanished.
    ever: dict[str, set[Key]] = field(default_factory=dict)

    def remember(self, streams: Mapping[str, Stream]) -> None:
        """Note which rows exist now."""
        for stream in streams.values():
            keys = self.ever.setdefault(stream.name, set())
            keys.update(identity(stream.name, row) for row in self.rows(stream))

    def rows(self, stream: Stream) -> list[Row]:
        """Return the rows of a stream in all accounts that Twilio shows to the holder."""
        holder = self.holder
        if stream.name == "accounts":
            rows = self.twilio.rows("accounts", self.twilio.accounts[0].sid)
            order = [account.sid for account in self.twilio.accounts]
            if holder.lists is None:
                return [{"sid": order[0]}]
            return [row for row in rows if row["sid"] in order[holder.lists]]
        declared = STREAMS[stream.name]
        chosen = (declared.of_product_api and holder.product_apis) or holder.reads
        chosen = slice(holder.own, holder.own + 1) if declared.main_only else chosen
        accounts = [] if stream.name in holder.blind else self.twilio.accounts[chosen]
        query = ALL_ROWS.get(stream.name, {})
        owned = "account_sid" in stream.catalog["stream"]["json_schema"]["properties"]
        return [
            {**({"account_sid": account} if owned else {}), **row}
            for account in [a.sid for a in accounts if a.status != "closed"]
            for row in self.twilio.rows(stream.name, account, query)
        ]
