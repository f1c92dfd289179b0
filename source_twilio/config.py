"""The configuration: what users write becomes what the manifest reads; what is wrong is said."""

import re
import zlib
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime, timedelta, timezone
from typing import Any

from airbyte_cdk.sources.declarative.transformations.config_transformations.config_transformation import (  # noqa: E501
    ConfigTransformation,
)

from source_twilio.timestamps import format_timestamp, parse_timestamp, to_iso8601

ACCOUNT_SID = re.compile("AC[0-9a-f]{32}")
API_KEY_SID = re.compile("SK[0-9a-fA-F]{32}")
CLIENT_ID = re.compile("OQ[0-9a-fA-F]{32}")
# By the kind of credentials: its ID and secret, and how the ID looks.
PAIRS = {
    "api_key": ("api_key_sid", "api_key_secret", API_KEY_SID, "SK"),
    "oauth": ("client_id", "client_secret", CLIENT_ID, "OQ"),
}
CREDENTIALS = {"auth_token": "Auth Token", "api_key": "API key", "oauth": "OAuth app"}
# What the transformation adds: the sentence about wrong settings; when the source started, and
# where the newest window of its sync ends; whether what the main account alone has is read here, or
# in another shard.
CONFIG_PROBLEM, STARTED_AT, READ_UNTIL = "config_problem", "started_at", "read_until"
READS_MAIN_ACCOUNT = "reads_main_account"
# How long before now the newest window of a sync ends, lest a fast clock skips rows (BEHAVIOR 5).
CLOCK_MARGIN = timedelta(hours=1)
SHARD = re.compile(r"\s*(\d{1,6})\s+of\s+(\d{1,6})\s*", re.ASCII)


class SettingsTransformation(ConfigTransformation):
    """Reads the settings once, before the CDK checks them against the spec.

    Why not YAML: the CDK's transformations do not convert values. Its check says
    `'ten' is not of type 'integer'` and does not name the setting. A value that cannot be read is
    left out here, and the first request is refused with a sentence that names the setting.
    """

    def transform(self, config: MutableMapping[str, Any]) -> None:
        """Convert the settings in place; null and empty text mean that a setting is not set."""
        if "num_worker" in config:
            # As configurations of Airbyte's own source-twilio spell it.
            config["num_workers"] = config.get("num_workers") or config["num_worker"]
        for name in [name for name, value in config.items() if value is None or value == ""]:
            del config[name]
        problems = [
            f"{name} must be {wanted}."
            for name, (parse, wanted) in PARSERS.items()
            if name in config and not parse_setting(config, name, parse)
        ]
        if config.get("account_sids") and config.get("account_selection", "all") == "all":
            config["account_selection"] = "listed"
        if problems:
            # The spec demands one, and would say so before the first request says what is wrong.
            config.setdefault("start_date", "2008-01-01T00:00:00Z")
        config[CONFIG_PROBLEM] = [*problems, config_problem(config)][0]
        now = datetime.now(timezone.utc)
        config[STARTED_AT] = format_timestamp(now)
        config[READ_UNTIL] = format_timestamp(now - CLOCK_MARGIN)
        config[READS_MAIN_ACCOUNT] = is_of_shard(str(config.get("account_sid")), config)


def parse_setting(config: MutableMapping[str, Any], name: str, parse: Callable[[Any], Any]) -> bool:
    """Return whether a setting could be read; it is replaced by its value, or left out."""
    try:
        config[name] = parse(config[name])
    except (TypeError, ValueError):
        del config[name]
    return name in config


def parse_moment(value: Any) -> str:
    """Return a day, or a moment in any zone, as `2025-01-01T00:00:00Z`."""
    text = (to_iso8601(str(value).strip()) or "")[:19] + "Z"
    return format_timestamp(parse_timestamp(text))


def int_between(least: int, most: int) -> Callable[[Any], int]:
    """Return a parser of whole numbers, also of `"10"` and `10.0`."""

    def parse(value: Any) -> int:
        number = float(value)
        if isinstance(value, bool) or not number.is_integer() or not least <= number <= most:
            raise ValueError
        return int(number)

    return parse


def parse_bool(value: Any) -> bool:
    """Return a truth value, also of `"true"` and `"false"`."""
    return bool(("false", "true").index(str(value).lower()))


def parse_list(value: Any) -> list[Any]:
    """Return a list, also of text with commas or spaces between its entries."""
    if isinstance(value, str):
        value = re.split(r"[\s,]+", value.strip())
    if not all(isinstance(entry, str) for entry in value):
        raise TypeError
    return [*value]


def parse_shard(value: Any) -> str:
    """Return a shard as `2 of 8`."""
    found = SHARD.fullmatch(value)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError
    return f"{int(found[1])} of {int(found[2])}"


def is_of_shard(account: str, config: Mapping[str, Any]) -> bool:
    """Return whether this connection reads the account; without a shard it reads all.

    The checksum of the SID modulo the number of shards: twice as many split each in two.
    """
    number, _, shards = config.get("account_shard", "1 of 1").partition(" of ")
    return zlib.crc32(account.encode()) % int(shards) == int(number) - 1


def parse_credentials(value: Any) -> dict[str, Any]:
    """Return the credentials that are set."""
    return {name: given for name, given in {**value}.items() if given is not None}


PARSERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "credentials": (
        parse_credentials,
        "an object with auth_type, and a token, an API key or an OAuth app",
    ),
    "start_date": (parse_moment, "a day or a moment, such as 2025-01-01 or 2025-01-01T00:00:00Z"),
    "account_sids": (parse_list, "a list of account SIDs"),
    "account_shard": (
        parse_shard,
        'a number and how many there are, such as "2 of 8", or "8 of 8"',
    ),
    "include_inactive_accounts": (parse_bool, "true or false"),
    "subaccount_product_data": (parse_bool, "true or false"),
    "lookback_window": (int_between(0, 576_000), "a whole number of minutes from 0 to 576000"),
    "settling_days": (int_between(0, 400), "a whole number from 0 to 400"),
    "num_workers": (int_between(1, 40), "a whole number from 1 to 40"),
}


def auth_type(config: Mapping[str, Any]) -> str:
    """Return the kind of the credentials: `auth_token`, `api_key` or `oauth`."""
    return (config.get("credentials") or {}).get("auth_type") or "auth_token"


def is_scoped(config: Mapping[str, Any]) -> bool:
    """Return whether the credentials are of one account and may lack permissions (26, 56)."""
    return auth_type(config) != "auth_token"


def credential_name(config: Mapping[str, Any]) -> str:
    """Return what the credentials are called, e.g. `API key`."""
    return CREDENTIALS[auth_type(config)]


def config_problem(config: Mapping[str, Any]) -> str:
    """Return what is wrong with settings that fit the spec, or nothing; quote no credentials."""
    given = config.get("credentials") or {"auth_token": config.get("auth_token")}
    sid, token = str(config.get("account_sid")), str(given.get("auth_token") or "")
    listed = config.get("account_sids") or []
    if not ACCOUNT_SID.fullmatch(sid):
        if ACCOUNT_SID.fullmatch(token):
            return "account_sid and auth_token are swapped: the one that starts with AC is the SID."
        if API_KEY_SID.fullmatch(sid):
            return "account_sid must start with AC: an API key (SK...) goes into credentials."
        if ACCOUNT_SID.fullmatch("AC" + sid[2:].lower()) and sid[:2].upper() == "AC":
            return (
                "account_sid must be AC and digits in lower case, as the Twilio Console shows it."
            )
        return "account_sid must be AC and 32 hexadecimal digits, as the Twilio Console shows it."
    if problem := pair_problem(auth_type(config), given):
        return problem
    if not is_scoped(config) and not token:
        return (
            "Set credentials: the Auth Token of account_sid, an API key and its secret, or "
            "client_id and client_secret of an OAuth app."
        )
    if not is_scoped(config) and API_KEY_SID.fullmatch(token):
        return "auth_token is the SID of an API key: put it and its secret into credentials."
    if config.get("account_selection") == "listed" and not listed:
        return "account_sids is empty: list the accounts to read, or set account_selection to all."
    for number, account in enumerate(listed, 1):
        if not ACCOUNT_SID.fullmatch(str(account)):
            return f"Entry {number} of account_sids must be AC and 32 digits in lower case."
    now = format_timestamp(datetime.now(timezone.utc))
    if (start := str(config.get("start_date") or "")) > now:
        return f"start_date {start} is in the future, for it is {now}: set it to a past moment."
    return ""


def pair_problem(kind: str, given: Mapping[str, Any]) -> str:
    """Return what is wrong with an ID and its secret, or nothing."""
    if kind not in PAIRS:
        return ""
    name, secret, pattern, prefix = PAIRS[kind]
    if not pattern.fullmatch(str(given.get(name) or "")):
        if pattern.fullmatch(str(given.get(secret))):
            return f"{name} and {secret} are swapped: the one with {prefix} is the SID."
        return f"{name} must be {prefix} and 32 hexadecimal digits, as the Twilio Console shows it."
    if not given.get(secret):
        return f"{secret} is missing: Twilio shows it once only, so make a new one if need be."
    return ""
