"""Reads the settings, and says what is wrong with them before any request."""

from __future__ import annotations

import copy
import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from twilio_warehouse.errors import UserError

EXAMPLE = (
    '{"account_sid": "AC...", "auth_token": "...", "start_date": "2025-01-01T00:00:00Z"}, '
    "with your values"
)
# A setting that nobody has filled in.
PLACEHOLDER = re.compile(r"\W*|x+|<.*>|\$?\{.*\}|your[-_ ].*|.*\.\.\.|change.?me", re.IGNORECASE)
SECRETS = ("auth_token", "api_key_sid", "api_key_secret", "client_id", "client_secret")
# What users take for settings, and the option of the command that does it.
OPTIONS = {
    "streams": "--streams",
    "tables": "--streams",
    "except": "--except",
    "exclude": "--except",
    "refresh": "--refresh",
    "destination": "--to",
    "load_every": "--load-every",
    "exclude_columns": "--exclude-columns",
    "hash_columns": "--hash-columns",
}
# In configs of Airbyte's API, Terraform's provider and Singer's tap-twilio. The connector has no
# use for them.
OF_OTHERS = {"sourceType", "source_type", "user_agent"}
# How comments begin, and what the CDK adds.
NO_SETTING = ("_", "$", "#", "/")
# As Twilio's own tools name them. Where both are set, its command line takes the key.
KEY = ("TWILIO_API_KEY", "TWILIO_API_SECRET")
VARIABLES = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", *KEY)
IN_ENVIRONMENT = (
    "TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or TWILIO_API_KEY with TWILIO_API_SECRET, in the "
    "environment"
)
# Before Twilio was founded: all that it shows.
FIRST_DATE = "2008-01-01"


class Settings(NamedTuple):
    """A config of the connector, and a sentence that says where it is from."""

    config: dict[str, Any]
    origin: str


def read_settings(path: Path | None, command: str, start_date: str = "") -> Settings:
    """Return the settings of a file, or else of the environment. Raises `UserError`."""
    if path:
        settings = Settings(read_config(path), f"The file is {path}.")
    else:
        settings = settings_of(os.environ, command)
    if start_date:
        settings.config["start_date"] = start_date
    return settings


def read_config(path: Path) -> dict[str, Any]:
    """Return the config of a file. Raises `UserError` if it cannot be read."""
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"There is no file {path}: make one of {EXAMPLE}. Without a file, the settings are "
            f"{IN_ENVIRONMENT}."
        ) from None
    except IsADirectoryError:
        raise UserError(f"{path} is a directory: name the file in it, {path}/...") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UserError(f"{path} is not valid JSON: {error.msg} at {where}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    if not isinstance(config, dict):
        raise UserError(f"{path} must hold one JSON object: {EXAMPLE}.")
    for name, value in with_credentials(config).items():
        if name in SECRETS and PLACEHOLDER.fullmatch(str(value)):
            raise UserError(f"{name} in {path} is still a placeholder: put your own value there.")
    return config


def settings_of(environment: Mapping[str, str], command: str) -> Settings:
    """Return the settings of the environment. Raises `UserError` if they are not whole."""
    given = {name: environment[name].strip() for name in VARIABLES if environment.get(name)}
    if not given:
        raise UserError(
            f"Which account? twilio-warehouse {command} secrets/config.json (make {command} "
            f"CONFIG=secrets/config.json), a file of {EXAMPLE}; or {IN_ENVIRONMENT}."
        )
    for name, value in given.items():
        if PLACEHOLDER.fullmatch(value):
            raise UserError(f"{name} is still a placeholder: put your own value there.")
    key, secret = map(given.get, KEY)
    token = given.get("TWILIO_AUTH_TOKEN")
    if "TWILIO_ACCOUNT_SID" not in given:
        raise UserError(
            f"{', '.join(given)} without TWILIO_ACCOUNT_SID: set it too, or name a file of "
            f"{EXAMPLE}."
        )
    credentials: dict[str, Any] = {"auth_type": "auth_token", "auth_token": token}
    used = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]
    if key and secret:
        credentials = {"auth_type": "api_key", "api_key_sid": key, "api_key_secret": secret}
        used[1:] = KEY
    elif not token:
        lacking = KEY[0] if secret else KEY[1] if key else "TWILIO_AUTH_TOKEN"
        raise UserError(
            f"{lacking} is not set: the settings are {IN_ENVIRONMENT}, or a file of {EXAMPLE}."
        )
    config = {
        "account_sid": given["TWILIO_ACCOUNT_SID"],
        "credentials": credentials,
        "start_date": FIRST_DATE,
    }
    for name in ("region", "edge"):
        if found := environment.get(f"TWILIO_{name.upper()}"):
            config[name] = found
            used.append(f"TWILIO_{name.upper()}")
    return Settings(config, f"The settings are those of {', '.join(used)}.")


def with_credentials(config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with those of `credentials` among them."""
    credentials = config.get("credentials")
    return {**config, **(credentials if isinstance(credentials, dict) else {})}


def secrets_of(config: dict[str, Any]) -> list[str]:
    """Return the secrets of a config."""
    return [
        str(value) for name, value in with_credentials(config).items() if name in SECRETS and value
    ]


def check_settings(config: dict[str, Any], origin: str) -> None:
    """Raise `UserError` if the connector would refuse the settings, without a request.

    `origin` is a sentence that says where they are from.
    """
    # Imported here, since it takes seconds; the errors above come at once.
    from jsonschema import Draft7Validator

    from source_twilio.config import CONFIG_PROBLEM, SettingsTransformation
    from source_twilio.source import manifest

    settings = copy.deepcopy(config)
    SettingsTransformation().transform(settings)
    problem = settings.pop(CONFIG_PROBLEM)
    spec = manifest([])["spec"]["connection_specification"]
    if errors := [] if problem else [*Draft7Validator(spec).iter_errors(settings)]:
        problem = describe_error(errors[0], spec)
    problem = problem or unknown_setting(config, spec["properties"])
    if problem:
        raise UserError(f"{problem} {origin}")


def unknown_setting(config: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """Return what is wrong with a setting that the connector would ignore, or nothing."""
    credentials = config.get("credentials")
    choices = known["credentials"]["oneOf"]
    levels = [
        (config, [*known, "num_worker"]),
        (credentials or {}, [name for choice in choices for name in choice["properties"]]),
    ]
    for given, names in levels:
        for name in given:
            if name in names or name in OF_OTHERS or name.startswith(NO_SETTING):
                continue
            if name in OPTIONS:
                return f"{name} is no setting: use the option {OPTIONS[name]}."
            similar = similar_name(name, [*names, *OPTIONS])
            option = OPTIONS.get(similar)
            hint = f"did you mean {similar}" + (f", the option {option}?" if option else "?")
            return f"{name} is no setting: {hint if similar else 'docs/twilio.md lists them.'}"
    return ""


def ignored_settings(config: Mapping[str, Any]) -> list[str]:
    """Return the settings of other connectors that are left unused."""
    return sorted(OF_OTHERS & config.keys())


def similar_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most similar, or nothing."""
    return "".join(difflib.get_close_matches(name, known, 1))


def describe_error(error: Any, spec: dict[str, Any]) -> str:
    """Say what a setting must be; neither its value nor its pattern is shown."""
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        examples = spec["properties"].get(missing, {}).get("examples")
        return f"{missing} is missing" + (f', such as "{examples[0]}".' if examples else ".")
    name = ".".join(str(part) for part in error.absolute_path) or "The config"
    if error.validator == "enum":
        return f"{name} must be one of {', '.join(map(str, error.validator_value))}."
    if error.validator == "type":
        return f"{name} must be of type {error.validator_value}."
    expected = error.schema.get("pattern_descriptor")
    return (
        f"{name} must be {expected}." if expected else f"{name} cannot be read: see docs/twilio.md."
    )
