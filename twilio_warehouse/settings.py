"""Reads the config file, and says what is wrong with it before anything is asked."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from twilio_warehouse.mistakes import Mistake

EXAMPLE = (
    '{"account_sid": "AC...", "auth_token": "...", "start_date": "2025-01-01T00:00:00Z"}, '
    "with your values"
)
# What a setting holds that nobody has filled in.
PLACEHOLDER = re.compile(r"\W*|x+|<.*>|\$?\{.*\}|your[-_ ].*|.*\.\.\.|change.?me", re.IGNORECASE)
SECRETS = ("auth_token", "api_key_sid", "api_key_secret")


def read_config(path: Path | None) -> dict[str, Any]:
    """Return what a config file holds. Raises `Mistake` if that cannot be read."""
    if not path:
        raise Mistake(f"Which account? make sync CONFIG=secrets/config.json, a file of {EXAMPLE}.")
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise Mistake(f"There is no file {path}: make one of {EXAMPLE}.") from None
    except IsADirectoryError:
        raise Mistake(f"{path} is a directory: name the file in it, CONFIG={path}/...") from None
    except json.JSONDecodeError as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}"
        raise Mistake(f"{path} is no JSON: {wrong.msg} at {where}.") from None
    except UnicodeDecodeError:
        raise Mistake(f"{path} is no text in UTF-8: save it as such.") from None
    except OSError as wrong:
        raise Mistake(f"{path} cannot be read: {wrong.strerror}.") from None
    if not isinstance(config, dict):
        raise Mistake(f"{path} must hold one JSON object: {EXAMPLE}.")
    for name, value in given(config).items():
        if name in SECRETS and PLACEHOLDER.fullmatch(str(value)):
            raise Mistake(f"{name} in {path} is still a placeholder: put your own value there.")
    return config


def given(config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with those of `credentials` among them."""
    credentials = config.get("credentials")
    return {**config, **(credentials if isinstance(credentials, dict) else {})}


def secrets(config: dict[str, Any]) -> list[str]:
    """Return the secrets of a config."""
    return [str(value) for name, value in given(config).items() if name in SECRETS and value]


def check_settings(config: dict[str, Any], path: Path) -> None:
    """Raise `Mistake` if the connector would refuse the settings; ask nobody."""
    # Imported here, since it takes seconds, and the mistakes above want none.
    from jsonschema import Draft7Validator

    from source_twilio.config import CONFIG_PROBLEM, SettingsTransformation
    from source_twilio.source import manifest

    settings = copy.deepcopy(config)
    SettingsTransformation().transform(settings)
    wrong = settings.pop(CONFIG_PROBLEM)
    spec = manifest([])["spec"]["connection_specification"]
    if errors := [] if wrong else [*Draft7Validator(spec).iter_errors(settings)]:
        wrong = sentence(errors[0], spec)
    if wrong:
        raise Mistake(f"{wrong} The file is {path}.")


def sentence(error: Any, spec: dict[str, Any]) -> str:
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
    wanted = error.schema.get("pattern_descriptor")
    return f"{name} must be {wanted}." if wanted else f"{name} cannot be read: see docs/twilio.md."
