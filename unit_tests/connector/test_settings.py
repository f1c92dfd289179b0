"""Settings: what is accepted, and what is said about the rest."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from sandbox import Sandbox
from source_twilio import SourceTwilio
from source_twilio.auth import TWILIO_HOST
from source_twilio.config import CONFIG_PROBLEM, SettingsTransformation, config_problem
from unit_tests.support.access import AC, SECRET, slept
from unit_tests.support.contract import Row, asked, config, opened, status, twilio
from unit_tests.support.reading import check, problems, read

__all__ = ["opened", "slept", "twilio"]


def settled(**given: Any) -> Row:
    """Return the settings as the manifest reads them."""
    settings = {"account_sid": AC, "auth_token": SECRET, "start_date": "2025-01-01", **given}
    SettingsTransformation().transform(settings)
    return settings


START, OTHER = "2024-01-01T00:00:00Z", "AC" + "2" * 32
# What is written, and what the manifest reads.
ACCEPTED: list[tuple[str, Any, Any]] = [
    ("start_date", "2024-01-01", START),
    ("start_date", " 2024-01-01T00:00:00Z ", START),
    ("start_date", "2024-01-01T00:00:00", START),
    ("start_date", "2024-01-01T00:00:00.000Z", START),
    ("start_date", "2024-01-01T00:00:00.123456Z", START),
    ("start_date", "2024-01-01T00:00:00+00:00", START),
    ("start_date", "2024-01-01T02:00:00+02:00", START),
    ("num_workers", 10, 10),
    ("num_workers", 10.0, 10),
    ("num_workers", "10", 10),
    ("num_workers", None, None),
    ("num_workers", "", None),
    ("lookback_window", 0, 0),
    ("lookback_window", "1440", 1440),
    ("lookback_window", 1440.0, 1440),
    ("lookback_window", None, None),
    ("include_inactive_accounts", "false", False),
    ("include_inactive_accounts", "True", True),
    ("include_inactive_accounts", None, None),
    ("subaccount_product_data", "false", False),
    ("account_sids", [OTHER], [OTHER]),
    ("account_sids", f"{AC}, {OTHER}", [AC, OTHER]),
    ("account_sids", None, None),
    ("account_shard", " 02 of 8", "2 of 8"),
    ("account_shard", "1 of 1", "1 of 1"),
    ("account_shard", "", None),
    ("account_selection", None, None),
    ("region", None, None),
    ("edge", "", None),
    ("credentials", None, None),
    (
        "credentials",
        {"auth_type": "auth_token", "auth_token": SECRET, "api_key_sid": None},
        {"auth_type": "auth_token", "auth_token": SECRET},
    ),
]


@pytest.mark.parametrize(("name", "written", "meant"), ACCEPTED)
def test_accepted(name: str, written: Any, meant: Any) -> None:
    """What is meant is taken, however Terraform, the API or older configurations spell it."""
    found = settled(**{name: written})
    assert (found.get(name), type(found.get(name))) == (meant, type(meant))
    assert found[CONFIG_PROBLEM] == ""


WORKERS = "num_workers must be a whole number from 1 to 40."
LOOKBACK = "lookback_window must be a whole number of minutes from 0 to 576000."
MOMENT = "start_date must be a day or a moment, such as 2025-01-01 or 2025-01-01T00:00:00Z."
SHARD = 'account_shard must be a number and how many there are, such as "2 of 8", or "8 of 8".'
REFUSED: list[tuple[str, Any, str]] = [
    *(("account_shard", wrong, SHARD) for wrong in ("9 of 8", "0 of 8", "2", "2/8", "a of b")),
    *(("account_shard", wrong, SHARD) for wrong in ("-1 of 8", "1 of 8 of 8", 2, ["2 of 8"])),
    ("num_workers", "ten", WORKERS),
    ("num_workers", 0, WORKERS),
    ("num_workers", 41, WORKERS),
    ("num_workers", 2.5, WORKERS),
    ("num_workers", True, WORKERS),
    ("num_workers", [10], WORKERS),
    ("num_workers", "inf", WORKERS),
    ("num_workers", "nan", WORKERS),
    ("num_worker", "ten", WORKERS),
    ("lookback_window", -1, LOOKBACK),
    ("lookback_window", "1 day", LOOKBACK),
    ("lookback_window", 576001, LOOKBACK),
    ("start_date", "yesterday", MOMENT),
    ("start_date", "2025-02-29", MOMENT),
    ("start_date", "2025-01-01T25:00:00Z", MOMENT),
    ("start_date", 20250101.5, MOMENT),
    ("include_inactive_accounts", "no", "include_inactive_accounts must be true or false."),
    ("include_inactive_accounts", 1, "include_inactive_accounts must be true or false."),
    ("subaccount_product_data", [], "subaccount_product_data must be true or false."),
    ("account_sids", 5, "account_sids must be a list of account SIDs."),
    ("account_sids", [AC, None], "account_sids must be a list of account SIDs."),
    (
        "credentials",
        SECRET,
        "credentials must be an object with auth_type, and a token, an API key or an OAuth app.",
    ),
]


@pytest.mark.parametrize(("name", "written", "sentence"), REFUSED)
def test_refused(
    name: str, written: Any, sentence: str, twilio: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    """The error of a check names the setting, whatever was written, and nothing is asked."""
    found = {**config(twilio), name: written}
    outcome, message = check(found)
    assert (outcome, message) == ("FAILED", f"'Stream accounts is not available: {sentence}'")
    assert twilio.requests == []
    assert SECRET not in message + str(capfd.readouterr())


@pytest.mark.parametrize(
    "settings",
    [
        {"start_date": "2026-01-14"},
        {"start_date": "2026-01-14T00:00:00.000+00:00"},
        {"lookback_window": None, "num_workers": None, "account_sids": None, "region": None},
        {"num_workers": 10.0, "lookback_window": "1440"},
        {"num_worker": "3"},
    ],
)
def test_sync(settings: Row, twilio: Sandbox, clock: object) -> None:
    """A sync takes what a check takes."""
    output = read({**config(twilio), "start_date": "2026-01-14", **settings}, "recordings")
    [(_, query), *_] = asked(twilio, "recordings")
    assert query["DateCreated>"] == "2026-01-14T00:00:00Z"
    assert status(output, "recordings") == "COMPLETE"
    assert problems(output) == []


def test_form() -> None:
    """The form shows numbers as numbers and a date picker, and the platform takes a plain date."""
    fields = SourceTwilio().spec(logging.getLogger()).connectionSpecification["properties"]
    types = {name: field["type"] for name, field in fields.items()}
    assert (types["num_workers"], types["lookback_window"]) == ("integer", "integer")
    start = fields["start_date"]
    assert (start["type"], start["format"]) == ("string", "date-time")
    dates = [w for name, w, _ in ACCEPTED if name == "start_date" and w == w.strip()]
    assert [date for date in dates if not re.match(start["pattern"], date)] == []


def test_settings_quote_no_secret() -> None:
    """What is wrong with the settings is said without their values."""
    wrong: list[Row] = [
        {"account_sid": SECRET, "auth_token": SECRET},
        {"account_sid": SECRET, "auth_token": AC},
        {"account_sid": AC, "credentials": {"auth_type": "api_key", "api_key_sid": SECRET}},
        {"account_sid": AC, "auth_token": SECRET, "account_sids": [SECRET]},
    ]
    assert [SECRET in config_problem(settings) for settings in wrong] == [False] * 4
    assert [config_problem(settings) == "" for settings in wrong] == [False] * 4
    assert config_problem({"account_sid": AC, "auth_token": SECRET}) == ""
    assert TWILIO_HOST.fullmatch("api.dublin.ie1.twilio.com") is not None
