"""The sandbox's proxy: hosts, regions, certificates, and its command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import requests
from requests.auth import HTTPBasicAuth
from requests.exceptions import (
    ProxyError,
    SSLError,
)
from twilio.rest import Client  # type: ignore[import-untyped]

from sandbox import Key, Sandbox
from sandbox.api import REGIONS, Account
from sandbox.server import BUNDLES
from unit_tests.support.sandbox_client import (
    HOSTS,
    NOON,
    PARTS,
    follow,
    get,
    named,
    refusal,
)


def test_request_log(twilio: Sandbox) -> None:
    """The log holds what was asked, decoded and in order."""
    get(twilio, "Calls", {"StartTime>": "2024-01-01", "PageSize": 3})
    [request] = twilio.requests
    sid = twilio.accounts[0].sid
    assert tuple(request) == (
        "GET",
        "api.twilio.com",
        f"/2010-04-01/Accounts/{sid}/Calls.json",
        "StartTime>=2024-01-01&PageSize=3",
        [("StartTime>", "2024-01-01"), ("PageSize", "3")],
        200,
        sid,
        sid,
    )


def test_other_hosts_are_refused(twilio: Sandbox) -> None:
    """Nothing but Twilio is reached through the proxy; without an edge nothing but us1."""
    gone = (
        "api.ie1.twilio.com",
        "api.au1.twilio.com",
        "api.dublin.twilio.com",
        "api.x.us1.twilio.com",
    )
    for host in ("example.com", "www.twilio.com", "api.twilio.com.example.com", *gone):
        with pytest.raises(ProxyError, match="502"):
            requests.get(f"https://{host}/", timeout=60)
    assert (get(twilio, "Keys").headers["Twilio-Concurrent-Requests"], len(twilio.requests)) == (
        "1",
        1,
    )


@pytest.mark.parametrize("region", REGIONS)
def test_regions(twilio: Sandbox, region: str) -> None:
    """The data and the credentials are known to one region, whatever the edge."""
    twilio.region, found = region, {}
    holders: list[Account | Key] = [twilio.accounts[0], twilio.key(twilio.accounts[0].sid)]
    places = {"": "us1", ".us1": "us1", ".umatilla.us1": "us1", ".dublin.us1": "us1"}
    places |= {".dublin.ie1": "ie1", ".frankfurt.ie1": "ie1", ".roaming.ie1": "ie1"}
    places |= {".sydney.au1": "au1", ".sao-paulo.au1": "au1", ".ashburn.au1": "au1"}
    for place in places:
        paths = ("Calls", "/v1/Alerts")
        answers = [get(twilio, path, who=who, place=place) for path in paths for who in holders]
        found[place] = {refusal(answer) for answer in answers}
    expected = {True: {(200, None)}, False: {(401, 20003)}}
    assert found == {place: expected[there == region] for place, there in places.items()}


@pytest.mark.parametrize(
    ("edge", "region", "host"),
    [
        ("dublin", "ie1", "api.dublin.ie1.twilio.com"),
        ("tokyo", "au1", "api.tokyo.au1.twilio.com"),
        ("dublin", None, "api.dublin.us1.twilio.com"),
        (None, "us1", "api.us1.twilio.com"),
        (None, None, "api.twilio.com"),
    ],
)
def test_client_finds_the_region(
    twilio: Sandbox, edge: str | None, region: str | None, host: str
) -> None:
    """Twilio's client reaches the regions by the names that it makes of its settings."""
    twilio.region = region or "us1"
    account = twilio.accounts[0]
    client = Client(account.sid, account.auth_token, region=region, edge=edge)
    assert named(client.keys.list()) == named(twilio.rows("keys", account.sid))
    assert [request.host for request in twilio.requests] == [host]


def test_key_of_a_region_without_data(twilio: Sandbox) -> None:
    """It is unknown elsewhere; its own region has the accounts, and no rows of theirs."""
    sid = twilio.accounts[0].sid
    key = twilio.key(sid, region="ie1")
    client = Client(key.sid, key.secret, sid, region="ie1", edge="dublin")
    assert refusal(get(twilio, "Calls", who=key)) == (401, 20003)
    assert named(client.api.accounts.list()) == named(twilio.rows("accounts", sid))
    lists = [name for name in PARTS if name not in ("accounts", "usage_records")]
    assert [name for name in lists if PARTS[name](client).list()] == []
    usage = get(twilio, "Usage/Records/Daily", who=key, place=".dublin.ie1")
    conference = twilio.rows("conferences", sid)[0]["sid"]
    path = f"Conferences/{conference}/Participants"
    participants = get(twilio, path, who=key, place=".dublin.ie1")
    assert [refusal(usage), refusal(participants)] == [(404, 20404)] * 2


def test_links_to_another_host(twilio: Sandbox) -> None:
    """Links of a product API name the host that was asked, or the one that is set."""
    twilio.region, place, found = "ie1", ".dublin.ie1", []
    for twilio.links_host in (None, "monitor.twilio.com"):
        link = get(twilio, "/v1/Alerts", {"PageSize": 1}, place=place).json()["meta"]
        found.append((link["next_page_url"].split("/")[2], follow(twilio, link["url"]).get("code")))
    assert found == [(twilio.host("monitor"), None), ("monitor.twilio.com", 20003)]
    assert get(twilio, "Calls", place=place).json()["uri"].startswith("/2010-04-01/")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (403, ["HTTP/1.1 403 Forbidden"]),
        (
            407,
            [
                "HTTP/1.1 407 Proxy Authentication Required",
                'Proxy-Authenticate: Basic realm="proxy"',
            ],
        ),
        (502, ["HTTP/1.1 502 Bad Gateway"]),
    ],
)
def test_proxy_refuses(twilio: Sandbox, status: int, answer: list[str]) -> None:
    """The proxy can refuse to connect, or demand that one authenticates."""
    twilio.proxy_status = status
    with pytest.raises(ProxyError, match=f"Tunnel connection failed: {status}"):
        get(twilio, "Calls")
    with socket.create_connection(("127.0.0.1", twilio.port), timeout=60) as proxy:
        proxy.sendall(b"CONNECT api.twilio.com:443 HTTP/1.1\r\n\r\n")
        said = proxy.makefile("r", newline="").read()
    assert said == "\r\n".join([*answer, "Content-Length: 0", "", ""])
    assert twilio.requests == []
    twilio.proxy_status = None
    assert get(twilio, "Calls").ok


def test_unknown_authority(twilio: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not told of the sandbox's authority does not trust it."""
    for name in BUNDLES:
        monkeypatch.delenv(name)
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        get(twilio, "Calls")
    assert twilio.requests == []


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_curl(twilio: Sandbox) -> None:
    """The command curl needs the environment only."""
    account = twilio.accounts[0]
    url = f"{HOSTS['api']}/2010-04-01/Accounts/{account.sid}/Messages.json?DateSent%3E=2024-05-01"
    command = ["curl", "-sSf", "-u", f"{account.sid}:{account.auth_token}", url]
    body = orjson.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    expected = twilio.rows("messages", account.sid, {"DateSent>": "2024-05-01"})
    assert (body["messages"], body["next_page_uri"]) == (expected, None)


def test_sandboxes_are_apart_and_clean_up() -> None:
    """Two at once share nothing but what their seed gives, and leave no file."""
    with Sandbox(scale=0.01, clock=NOON) as one, Sandbox(scale=0.01, clock=NOON) as other:
        assert one.accounts == other.accounts
        sid = one.accounts[0].sid
        assert one.rows("calls", sid) == other.rows("calls", sid)
        one.add("calls", sid)
        assert len(one.rows("calls", sid)) == len(other.rows("calls", sid)) + 1
        bundles = {twilio.environment["SSL_CERT_FILE"] for twilio in (one, other)}
        assert (len(bundles), all(map(os.path.exists, bundles))) == (2, True)
    assert not any(map(os.path.exists, bundles))


def test_default_set() -> None:
    """The long lists have several pages of 1000, and the accounts are of all kinds."""
    with Sandbox() as twilio:
        main, sub = twilio.accounts[:2]
        long = ("messages", "calls", "recordings", "alerts", "usage_records")
        pages = {
            name: [-(-len(twilio.rows(name, account.sid)) // 1000) for account in (main, sub)]
            for name in long
        }
    assert pages == {
        "messages": [4, 2],
        "calls": [3, 2],
        "recordings": [3, 2],
        "alerts": [3, 2],
        "usage_records": [4, 4],
    }
    assert [account.status for account in twilio.accounts[3:]] == ["active", "suspended", "closed"]


def test_command_line() -> None:
    """The command prints what a shell needs, refuses a port in use, and ends when asked to."""
    command = [sys.executable, "-m", "sandbox", "--scale", "0.01", "--region", "ie1", "--port"]
    root = Path(__file__).parents[2]
    with subprocess.Popen([*command, "0"], cwd=root, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        lines = list(iter(served.stdout.readline, "# Ctrl-C stops it.\n"))
        values = dict(line[7:].rstrip().split("=", 1) for line in lines if line[:7] == "export ")
        port = values["HTTPS_PROXY"].rpartition(":")[2]
        [keyed] = [line for line in lines if line.startswith("# config.json with it: ")]
        credentials = json.loads(keyed.partition(": ")[2])["credentials"]
        pair = (credentials["api_key_sid"], credentials["api_key_secret"])
        account = f"Accounts/{values['TWILIO_ACCOUNT_SID']}/Queues.json"
        statuses = [
            requests.get(
                f"https://api.dublin.ie1.twilio.com/2010-04-01/{account}",
                auth=HTTPBasicAuth(*user),
                proxies={"https": values["HTTPS_PROXY"]},
                verify=values["REQUESTS_CA_BUNDLE"],
                timeout=60,
            ).status_code
            for user in (pair, (pair[0], "wrong"))
        ]
        second = subprocess.run([*command, port], cwd=root, capture_output=True, text=True)
        served.send_signal(signal.SIGTERM)
    assert statuses == [200, 401]
    assert (
        f"# A Standard API key: export TWILIO_API_KEY={pair[0]} TWILIO_API_SECRET={pair[1]}\n"
        in lines
    )
    assert (served.returncode, second.returncode, second.stderr.count("\n")) == (0, 2, 1)
    assert [line.split()[-1] for line in lines if line.startswith("# curl")] == [
        "https://api.dublin.ie1.twilio.com/2010-04-01/Accounts.json"
    ]
    assert sorted(values) == sorted(
        ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE"]
        + ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]
    )
