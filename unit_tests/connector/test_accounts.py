"""The accounts to read, and the product APIs that want each account's own token."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
import yaml
from airbyte_cdk.models import FailureType, Level, SyncMode
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
    TestLimits,
)
from airbyte_cdk.test.catalog_builder import CatalogBuilder
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Sandbox
from source_twilio import SourceTwilio
from source_twilio.config import is_of_shard
from source_twilio.errors import error
from source_twilio.session import SESSIONS, session_for
from source_twilio.timestamps import parse_timestamp
from unit_tests.conftest import NOW
from unit_tests.support.access import AC, SECRET, slept, with_key
from unit_tests.support.contract import (
    DAY,
    END,
    HOUR,
    LAST,
    MINUTE,
    ROOT,
    START,
    Make,
    Row,
    add,
    arrived,
    asked,
    config,
    cursors,
    opened,
    saved,
    shown,
    sids,
    status,
    text,
    twilio,
)
from unit_tests.support.reading import check, final_state, logged, problems, read, records

__all__ = ["opened", "slept", "twilio"]


# --------------------------------------------------------------------------------------------------
# Accounts to read
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        pytest.param({}, [0, 1, 2, 3], id="by default"),
        pytest.param({"account_selection": "all"}, [0, 1, 2, 3], id="all"),
        pytest.param({"account_selection": "main_only"}, [0], id="main only"),
        pytest.param({"account_selection": "listed", "list": [1, 2]}, [1, 2], id="listed"),
        pytest.param({"account_selection": "listed", "list": [0, 3]}, [0, 3], id="listed, closed"),
        pytest.param({"include_inactive_accounts": False}, [0, 1, 2], id="active"),
        pytest.param(
            {"account_selection": "listed", "list": [2, 3], "include_inactive_accounts": False},
            [2],
            id="listed and active",
        ),
        pytest.param({"account_selection": "main_only", "list": [1]}, [0], id="list without use"),
        pytest.param({"list": [1, 2]}, [1, 2], id="a list alone"),
        pytest.param({"account_selection": "all", "list": [1]}, [1], id="a list, and all"),
        pytest.param({"account_selection": "all", "list": []}, [0, 1, 2, 3], id="an empty list"),
        pytest.param({"account_selection": None, "account_sids": None}, [0, 1, 2, 3], id="null"),
    ],
)
def test_account_selection(settings: Row, chosen: list[int], opened: Make, clock: object) -> None:
    """The selected accounts are read, and no other is asked for anything."""
    twilio = opened(closed=True)
    settings = dict(settings)
    if "list" in settings:
        settings["account_sids"] = [sids(twilio)[number] for number in settings.pop("list")]
    output = read(config(twilio, **settings), "accounts", "alerts", "queues")
    selected = [sids(twilio)[number] for number in chosen]
    readable = [account for number, account in zip(chosen, selected, strict=True) if number != 3]
    assert {row["sid"] for row in records(output, "accounts")} == set(selected)
    assert len(records(output, "accounts")) == len(selected)
    assert arrived(output, "queues") == shown(twilio, "queues", readable)
    assert arrived(output, "alerts") == shown(twilio, "alerts", readable)
    assert {account for account, _ in asked(twilio, "queues")} == set(selected)
    assert {account for account, _ in asked(twilio, "alerts")} == set(selected)
    assert set(cursors(output, "alerts")) <= set(selected)


def test_order_of_accounts(opened: Make, clock: object) -> None:
    """The main account comes first and inactive ones last: the builder shows five slices only."""
    twilio = opened(closed=True)
    main, second, third, _ = sids(twilio)
    twilio.update("accounts", second, status="suspended")
    output = read(config(twilio), "accounts")
    order = [row["sid"] for row in records(output, "accounts")]
    assert (order[0], order[1]) == (main, third)
    assert [row["status"] for row in records(output, "accounts")][:2] == ["active", "active"]
    assert len(order) == 4


def test_account_list_is_asked_once(twilio: Sandbox, clock: object) -> None:
    """However many streams want the list at the same time, one request is made for it."""
    twilio.latency_ms = 100
    names = ("queues", "accounts", "calls", "keys", "alerts")
    output = read(config(twilio, num_workers=20), *names)
    assert len([r for r in twilio.requests if r.path.endswith("Accounts.json")]) == 1
    # Each stream converts rows of its own.
    assert [row["date_created"][-1] for row in records(output, "accounts")] == ["Z"] * 3
    assert {status(output, name) for name in names} == {"COMPLETE"}


@pytest.mark.parametrize(
    ("failure", "asked_times"),
    [
        (error("Twilio is down."), 2),
        (ValueError("a bug"), 2),
        (error("The token is wrong.", FailureType.config_error), 1),
    ],
)
def test_failed_account_list(failure: Exception, asked_times: int) -> None:
    """Those who wait get the error; a later stream asks again unless the settings are wrong."""
    memory, begun, go = session_for({}), threading.Event(), threading.Event()
    calls: list[str] = []

    def ask() -> list[Row]:
        calls.append("asked")
        begun.set()
        go.wait(60)
        raise failure

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(memory.accounts.get, ask)
        begun.wait(60)
        later = [pool.submit(memory.accounts.get, ask) for _ in range(2)]
        time.sleep(0.1)
        go.set()
        found = [future.exception() for future in (first, *later)]
    assert found == [failure] * 3
    assert len(calls) == 1
    with pytest.raises(type(failure), match=str(failure)):
        memory.accounts.get(ask)
    assert len(calls) == asked_times


def test_sources_share_nothing(opened: Make, clock: object) -> None:
    """A wrong token fails its check, although the right one has read the list in this process."""
    twilio = opened(page_size_max=50)
    right, wrong = config(twilio), config(twilio, auth_token=SECRET)
    assert check(right) == ("SUCCEEDED", "")
    assert check(wrong)[0] == "FAILED"
    assert len(records(read(right, "accounts"), "accounts")) == 3
    assert check(wrong)[0] == "FAILED"
    # The same object given to two sources: each copies it.
    assert check(right) == check(right) == ("SUCCEEDED", "")
    users = Counter(r.status for r in twilio.requests)
    assert users == {200: 4, 401: 6}


@pytest.mark.parametrize("command", ["check", "read", "builder"])
def test_one_configuration(
    command: str, twilio: Sandbox, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CDK gives one object to all parts of a source: what is known belongs to it."""
    SESSIONS.clear()
    given = config(twilio)
    if command == "builder":
        manifest = yaml.safe_load((ROOT / "source_twilio" / "manifest.yaml").read_text())
        source: Any = ConcurrentDeclarativeSource(
            config=given,
            source_config=manifest,
            emit_connector_builder_messages=True,
            limits=TestLimits(),
        )
    else:
        source = SourceTwilio(None, given)
    logger = logging.getLogger("airbyte")
    if command == "check":
        assert source.check(logger, given).status.value == "SUCCEEDED"
    else:
        catalog = CatalogBuilder()
        for name in ("alerts", "queues", "message_media"):
            catalog.with_stream(name, SyncMode.full_refresh)
        assert [*source.read(logger, given, catalog.build(), [])] != []
    assert [configuration is source._config for configuration, _ in SESSIONS.values()] == [True]


def test_memories_are_bounded() -> None:
    """A process with many sources forgets the one that was longest without use."""
    SESSIONS.clear()
    configurations: list[Row] = [{"number": number} for number in range(300)]
    memories = [session_for(configuration) for configuration in configurations]
    assert len(SESSIONS) == 256
    assert session_for(configurations[299]) is memories[299]
    assert session_for(configurations[0]) is not memories[0]


def test_split_over_two_connections(twilio: Sandbox, clock: object) -> None:
    """Two lists that share the accounts out read, together, everything, and nothing twice."""
    main, *others = sids(twilio)
    parts = [
        read(config(twilio, account_selection="listed", account_sids=part), "queues", "alerts")
        for part in ([main], others)
    ]
    for name in ("queues", "alerts"):
        assert arrived(parts[0], name) + arrived(parts[1], name) == shown(twilio, name)


def test_listed_stranger(twilio: Sandbox, clock: object) -> None:
    """A listed account that Twilio does not show is named, once, and the others are read."""
    found = config(twilio, account_selection="listed", account_sids=[AC, sids(twilio)[1]])
    output = read(found, "queues", "keys", "alerts")
    assert arrived(output, "queues") == shown(twilio, "queues", [sids(twilio)[1]])
    assert problems(output) == [
        f"accounts: account_sids lists {AC}, which Twilio does not show to these credentials: it "
        "is not read."
    ]


# --------------------------------------------------------------------------------------------------
# Product APIs
# --------------------------------------------------------------------------------------------------


def test_alerts_of_all_accounts(twilio: Sandbox, clock: time_machine.Traveller) -> None:
    """BEHAVIOR 14: each account's alerts, asked with its own token, with a cursor of its own."""
    for account in sids(twilio):
        add(twilio, "alerts", account, NOW - DAY)
    first = read(config(twilio), "alerts")
    assert arrived(first, "alerts") == shown(twilio, "alerts")
    assert cursors(first, "alerts") == dict.fromkeys(sids(twilio), END)
    users = {r.user for r in twilio.requests if r.host == "monitor.twilio.com"}
    assert users == set(sids(twilio))

    # A token that changed meanwhile is the list's to tell, and a new account begins at the start.
    clock.shift(DAY)
    twilio.update("accounts", sids(twilio)[1], auth_token=SECRET)
    new = twilio.add("accounts", sids(twilio)[0], friendly_name="New")["sid"]
    late = [add(twilio, "alerts", account, NOW - 9 * DAY)["sid"] for account in (new, new)]
    state = {"alerts": final_state(first, "alerts")}
    second = read(config(twilio, lookback_window=0), "alerts", state=state)
    assert [row["sid"] for row in records(second, "alerts") if row["sid"] in late] == late[::-1]
    ends = dict.fromkeys(sids(twilio), "2026-01-16T11:00:00Z")
    assert cursors(second, "alerts") == ends
    assert problems(first) + problems(second) == []


def test_alerts_of_a_refused_account(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 9, 14: a subaccount whose token is refused is skipped; its cursor stays."""
    main, refused, other = sids(twilio)
    for account in sids(twilio):
        add(twilio, "alerts", account, NOW - DAY)
    twilio.restrict(refused)
    state = {"alerts": saved("alerts", LAST, sids(twilio))}
    output = read(config(twilio, lookback_window=0), "alerts", state=state)
    assert {row["account_sid"] for row in records(output, "alerts")} == {main, other}
    assert cursors(output, "alerts") == {main: END, refused: LAST, other: END}
    # A line at the end of the process says so (BEHAVIOR 34).
    assert problems(output) == []


def test_alerts_of_the_main_account(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 14: without subaccount_product_data only the configured account is asked."""
    for account in sids(twilio):
        add(twilio, "alerts", account, NOW - DAY)
    output = read(config(twilio, subaccount_product_data=False), "alerts", "keys")
    assert {row["account_sid"] for row in records(output, "alerts")} == {sids(twilio)[0]}
    assert arrived(output, "keys") == shown(twilio, "keys")
    assert problems(output) == []


def test_alerts_without_tokens(
    twilio: Sandbox, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEHAVIOR 14: accounts whose token is not known are left out, and counted."""
    for account in sids(twilio):
        add(twilio, "alerts", account, NOW - DAY)
        twilio.update("accounts", account, auth_token=twilio.accounts[0].auth_token)
    answer = twilio.answer

    def without(host: str, path: str, *arguments: Any) -> tuple[int, bytes]:
        http, body = answer(host, path, *arguments)
        return http, re.sub(rb'"auth_token":"\w+",', b"", body)

    monkeypatch.setattr(twilio, "answer", without)
    output = read(config(twilio), "alerts", "keys")
    assert {row["account_sid"] for row in records(output, "alerts")} == {sids(twilio)[0]}
    assert arrived(output, "keys") == shown(twilio, "keys")
    assert problems(output) == [
        "alerts: 2 subaccounts are left out, because Twilio has not given their tokens: use the "
        "Auth Token of the main account, or set subaccount_product_data to false."
    ]


def test_earlier_state_of_alerts(twilio: Sandbox, clock: object) -> None:
    """BEHAVIOR 14: our own state of the main account goes on where it was; others begin."""
    main, *others = sids(twilio)
    state = {
        "use_global_cursor": False,
        "states": [{"partition": {"account_sid": main}, "cursor": {"date_generated": LAST}}],
    }
    output = read(config(twilio, lookback_window=0), "alerts", state={"alerts": state})
    first: dict[str, str] = {}
    for account, query in asked(twilio, "alerts"):
        first[account] = min(query["StartDate"], first.get(account, "~"))
    reach = text(NOW - 30 * DAY + 10 * MINUTE)
    # Alerts may be late (BEHAVIOR 51).
    late = text(parse_timestamp(LAST) - 25 * HOUR)
    assert first == {main: late, **dict.fromkeys(others, reach)}
    assert cursors(output, "alerts") == dict.fromkeys(sids(twilio), END)


# --------------------------------------------------------------------------------------------------
# Shards: several connections share the accounts
# --------------------------------------------------------------------------------------------------

SHARED = ("queues", "alerts", "recordings")


@given(account=st.text("0123456789abcdef", min_size=32, max_size=32), number=st.integers(1, 500))
def test_each_account_is_of_one_shard(account: str, number: int) -> None:
    """One of any number of shards; twice as many split each in two."""
    account = f"AC{account}"

    def those(of: int) -> list[int]:
        shards = range(1, of + 1)
        return [n for n in shards if is_of_shard(account, {"account_shard": f"{n} of {of}"})]

    [one], [half] = those(number), those(2 * number)
    assert half in (one, one + number)
    assert is_of_shard(account, {})


def test_growing_by_doubling(opened: Make, clock: time_machine.Traveller) -> None:
    """Four shards become eight that begin with copies of the four states: no row twice, none lost.

    New accounts and new rows arrive in one shard each, unasked.
    """
    twilio = opened(page_size_max=50)
    main, *_ = sids(twilio)
    for number in range(9):
        twilio.add("accounts", main, friendly_name=f"Shop {number}")
    for account in sids(twilio):
        twilio.add("queues", account)
        for stream in ("alerts", "recordings"):
            add(twilio, stream, account, NOW - 3 * DAY)

    def synced(of: int, states: dict[int, Row]) -> tuple[Counter[tuple[str, ...]], dict[int, Row]]:
        arrivals: Counter[tuple[str, ...]] = Counter()
        for shard in range(1, of + 1):
            settings = config(twilio, lookback_window=0, account_shard=f"{shard} of {of}")
            # Each splits in two, which begin with the state of the one.
            output = read(settings, *SHARED, state=states.get((shard - 1) % 4 + 1))
            assert problems(output) == []
            mine = [sid for sid in sids(twilio) if is_of_shard(sid, settings)]
            assert (
                logged(output, Level.INFO).count(
                    f"shard {shard} of {of}: {len(mine)} of {len(sids(twilio))} accounts"
                )
                == 1
            )
            for name in SHARED:
                arrivals += Counter((name, *key) for key in arrived(output, name).elements())
            # A shard forgets the accounts of the others.
            assert set(cursors(output, "alerts")) == set(mine)
            states[10 * of + shard] = {n: final_state(output, n) for n in SHARED}
        return arrivals, {shard: states[10 * of + shard] for shard in range(1, of + 1)}

    def all_of(*names: str) -> Counter[tuple[str, ...]]:
        since = {"alerts": START, "recordings": START}
        rows = {name: shown(twilio, name, since=since.get(name)) for name in names}
        return Counter((name, *key) for name in names for key in rows[name].elements())

    first, states = synced(4, {})
    assert first == all_of(*SHARED)
    before = all_of("alerts", "recordings")
    clock.shift(DAY)
    twilio.add("accounts", main, friendly_name="New")
    for account in sids(twilio):
        for stream in ("alerts", "recordings"):
            add(twilio, stream, account, NOW + DAY / 2)
    second, _ = synced(8, states)
    assert second == all_of(*SHARED) - before


def test_what_one_shard_reads(opened: Make, clock: object) -> None:
    """The list of accounts and the prices of the main account are read by one shard, whole."""
    twilio = opened()
    names = ("accounts", "voice_pricing_countries")
    outputs = [read(config(twilio, account_shard=f"{shard} of 3"), *names) for shard in (1, 2, 3)]
    counts = [[len(records(output, name)) for name in names] for output in outputs]
    # The main account of this Twilio is in the third.
    whole = read(config(twilio), *names)
    assert counts == [[0, 0], [0, 0], [len(records(whole, name)) for name in names]]
    assert min(counts[2]) > 0
    assert [status(o, name) for o in outputs for name in names] == ["COMPLETE"] * 6
    assert [check(config(twilio, account_shard=f"{n} of 3")) for n in (1, 2, 3)] == [
        ("SUCCEEDED", "")
    ] * 3
    assert [problem for output in outputs for problem in problems(output)] == []


def test_tokens_of_other_shards(twilio: Sandbox, clock: object) -> None:
    """A shard keeps neither rows nor tokens of accounts that another one reads."""
    settings = config(twilio, account_shard="1 of 2")
    read(settings, "queues", "accounts")
    kept = [(memory.accounts.get(list), memory.tokens) for _, memory in SESSIONS.values()]
    mine = {sid for sid in sids(twilio) if is_of_shard(sid, settings)}
    assert [({row["sid"] for row in rows}, set(tokens)) for rows, tokens in kept] == [(mine, mine)]


def test_shard_of_a_key_that_lists_no_accounts(opened: Make, clock: object) -> None:
    """Which accounts there are, a Standard key does not tell: the check says what to change."""
    twilio = opened()
    key = twilio.key(sids(twilio)[0], "standard")
    settings = with_key(twilio, key, account_shard="1 of 2")
    assert check(settings) == (
        "FAILED",
        "'Stream accounts is not available: account_shard needs the list of accounts, which this "
        "API key may not read: use the Auth Token or a Main API key, or leave account_shard out.'",
    )
