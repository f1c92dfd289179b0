"""The sandbox as tests use it."""

from __future__ import annotations

import pytest

from sandbox import Sandbox
from sandbox.data import ACCOUNTS

# Two that are open, each list in two parents, and two that are not.
HOLDERS = [holder for holder in ACCOUNTS if holder[0] not in ("Northwind Field", "Northwind Test")]


def small() -> Sandbox:
    """Return one with four accounts and little in it."""
    return Sandbox(seed=1, scale=0.02, page_size_max=50, account_specs=HOLDERS)


def use_as_twilio(sandbox: Sandbox, patch: pytest.MonkeyPatch) -> Sandbox:
    """Have this process and its children use it in place of Twilio; return it."""
    for name, value in sandbox.environment.items():
        patch.setenv(name, value)
    return sandbox
