"""Reads the config file, and says what is wrong with it before any request."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from twilio_warehouse.errors import UserError

EXAMPLE = (
    '{"account_sid": "AC...", "auth_token": "...", "start_date": "2025-01-01T00:00:00Z"}, '
    "with your values"
)
# A setting that nobody has filled in.
PLACEHOLDER = re.compile(r"\W*|x+|<.*>|\$?\{.*\}|your[-_ ].*|.*\.\.\.|change.?me", re.IGNORECASE)
SECRETS = ("auth_token", "api_key_sid", "api_key_secret", "client_id", "client_secret")


def read_config(path: Path | None, command: str) -> dict[str, Any]:
    """Return the config of a file. Raises `UserError` if it cannot be read."""
    if not path:
        raise UserError(
            f"Which account? twilio-warehouse {command} secrets/config.json (make {command} "
            f"CONFIG=secrets/config.json), a file of {EXAMPLE}."
        )
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"There is no file {path}: make one of {EXAMPLE}.") from None
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


def with_credentials(config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with those of `credentials` among them."""
    credentials = config.get("credentials")
    return {**config, **(credentials if isinstance(credentials, dict) else {})}


def secrets_of(config: dict[str, Any]) -> list[str]:
    """Return the secrets of a config."""
    return [
        str(value) for name, value in with_credentials(config).items() if name in SECRETS and value
    ]


def check_config(config: dict[str, Any], path: Path) -> None:
    """Raise `UserError` if the connector would refuse the settings, without a request."""
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
    if problem:
        raise UserError(f"{problem} The file is {path}.")


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
