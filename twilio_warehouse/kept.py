"""What is kept with the tables: whose they are, and up to where each stream is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twilio_warehouse.mistakes import Mistake


@dataclass
class Kept:
    """The account and region of the tables, and the states of their streams by name."""

    account_sid: str
    region: str
    states: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Mapping[str, Any], config: Mapping[str, Any], name: str) -> Kept:
        """Return what was found with the tables of `name`. Raises `Mistake` if they are others'."""
        account, region = str(config["account_sid"]), str(config.get("region") or "us1")
        if (holder := found.get("account_sid", account)) != account:
            raise Mistake(
                f"{name} holds the tables of account {holder}, and the config is of {account}: "
                "name another file with DATABASE=..."
            )
        # Earlier releases have not kept it.
        if (holder := found.get("region", region)) != region:
            raise Mistake(
                f"{name} holds the tables of region {holder}, and the config is of {region}: "
                "name another file with DATABASE=..."
            )
        return cls(account, region, {**found.get("states", {})})

    def saved(self) -> dict[str, Any]:
        """Return it as dlt keeps it."""
        return {**vars(self), "states": {**self.states}}
