"""Who may ask for what."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import orjson

from sandbox.endpoints import PLACES, REGIONS
from sandbox.errors import ApiError, missing
from sandbox.lists import Lists


class Account(NamedTuple):
    """An account of the data set."""

    sid: str
    auth_token: str
    status: str


class Key(NamedTuple):
    """Credentials of an account: SID and secret are user and password."""

    sid: str
    secret: str
    account_sid: str
    kind: Literal["main", "standard", "restricted", "test", "oauth"]
    streams: tuple[str, ...]
    region: str
    # Of an OAuth app: how many seconds an access token lasts.
    token_seconds: int = 3600


@dataclass(kw_only=True, eq=False, repr=False)
class Credentials(Lists):
    """The accounts and their keys."""

    def __post_init__(self) -> None:
        """Shut the closed accounts."""
        super().__post_init__()
        self._restricted: dict[str, ApiError] = {}
        self._keys: dict[str, Key] = {}
        # The access tokens of OAuth apps: their app, and when they end.
        self._tokens: dict[str, tuple[Key, float]] = {}
        # Of their own, so that keys change nothing in the data.
        self._dice = random.Random(f"{self.seed} keys")
        for account in self.accounts:
            if account.status == "closed":
                self.restrict(account.sid)

    @property
    def accounts(self) -> list[Account]:
        """The main account, then its subaccounts."""
        with self._lock:
            wires = [row.wire for row in self._store.accounts.values()]
        return [Account(wire["sid"], wire["auth_token"], wire["status"]) for wire in wires]

    def restrict(self, account_sid: str, status: int | None = 401, code: int = 20003) -> None:
        """Have everything of an account answer an error from now on; status None lifts that.

        The main account takes its subaccounts with it, as when Twilio suspends it.
        """
        with self._lock:
            self._restricted.pop(account_sid, None)
            if status:
                self._restricted[account_sid] = ApiError(status, code)

    def host(self, product: str = "api") -> str:
        """Return the usual host of the region that holds the data."""
        return f"{product}{REGIONS[self.region]}.twilio.com"

    def key(
        self,
        account_sid: str,
        kind: Literal["main", "standard", "restricted", "test", "oauth"] = "main",
        streams: tuple[str, ...] = (),
        region: str | None = None,
        token_seconds: int = 3600,
    ) -> Key:
        """Add an API key and return it, or with kind "test" the account's test credentials.

        The streams are what a restricted key or an OAuth app opens. The region is that of the data
        unless given; in another one the key finds the accounts, and no data of theirs.
        """
        region = region or self.region
        if kind == "restricted" and region != "us1":
            raise ValueError("Twilio has restricted keys in us1 only")
        with self._lock:
            sid, secret = (f"{self._dice.getrandbits(128):032x}" for _ in range(2))
            prefix = {"test": "AC", "oauth": "OQ"}.get(kind, "SK")
            key = Key(prefix + sid, secret, account_sid, kind, streams, region, token_seconds)
            self._keys[key.sid] = key
            return key

    def revoke(self, key: Key) -> None:
        """Delete a key: from now on nobody knows it."""
        with self._lock:
            del self._keys[key.sid]

    def token(self, host: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Return an access token for the client ID and secret of an OAuth app."""
        app = self._keys.get(form.get("client_id", ""))
        place = host.removeprefix("oauth").removesuffix(".twilio.com")
        is_known = app and app.kind == "oauth" and app.secret == form.get("client_secret")
        if not app or not is_known or PLACES[place] != app.region:
            return 401, orjson.dumps({"code": 20003, "message": "Authenticate", "status": 401})
        value = f"{self._dice.getrandbits(256):064x}"
        self._tokens[value] = app, self.now().timestamp() + app.token_seconds
        seconds = app.token_seconds
        body = {"access_token": value, "token_type": "Bearer", "expires_in": seconds}
        return 200, orjson.dumps({**body, "id_token": None, "refresh_token": None})

    def _bearer(self, authorization: str) -> tuple[str, str] | None:
        """Return ID and secret of the OAuth app whose token a request bears, if it is valid."""
        app, ends = self._tokens.get(authorization.removeprefix("Bearer "), (None, 0.0))
        return (app.sid, app.secret) if app and self.now().timestamp() < ends else None

    def _key(self, user: str) -> Key | None:
        """Return the credentials of a user; an Auth Token is a main key by another name."""
        account = self._store.accounts.get(user)
        if account is None:
            return self._keys.get(user)
        return Key(user, account.wire["auth_token"], user, "main", (), self.region)

    def _authorise(self, key: Key, stream: str, account: str, path: str) -> None:
        """Refuse what the credentials do not open."""
        main = self._store.main
        opens = key.kind == "main" and self.main_keys_open == "subaccounts"
        everywhere = key.account_sid == main and (opens or key.sid == main)
        if account != key.account_sid and not everywhere:
            raise ApiError(401)
        if key.kind == "standard" and stream in ("accounts", "iam_keys", "keys"):
            raise ApiError(401)
        if key.kind in ("restricted", "oauth") and stream not in key.streams:
            raise ApiError(*self.not_permitted)
        if account not in self._store.accounts:
            raise missing(path)
