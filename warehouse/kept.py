"""What is kept with the tables: whose they are, and up to where each stream is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from warehouse.mistakes import Mistake


@dataclass
class Kept:
    """The account and region of the tables, and by stream its state and where that begins."""

    account_sid: str
    region: str
    states: dict[str, Any] = field(default_factory=dict)
    # From which moment on rows have been read, of the streams that start_date bounds.
    starts: dict[str, str] = field(default_factory=dict)

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
        states, starts = found.get("states", {}), found.get("starts", {})
        return cls(account, region, {**states}, {**starts})

    def saved(self) -> dict[str, Any]:
        """Return it as dlt keeps it."""
        return {**vars(self), "states": {**self.states}, "starts": {**self.starts}}

    def forget(self, names: Collection[str]) -> None:
        """Forget up to where streams are read."""
        for name in names:
            self.states.pop(name, None)
            self.starts.pop(name, None)

    def earlier(self, starts: Mapping[str, str]) -> list[str]:
        """Return the streams whose rows begin later than a first read would begin now."""
        return sorted(
            name
            for name, start in starts.items()
            if name in self.states and start < self.starts.get(name, "")
        )
