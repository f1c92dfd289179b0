"""BEHAVIOR 11, 27: which hosts are asked, and which are never signed for."""

from __future__ import annotations

import pytest
import requests
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_twilio.auth import TwilioAuthenticator
from unit_tests.conftest import NOW
from unit_tests.support.access import AC, SECRET, slept, with_key
from unit_tests.support.contract import (
    DAY,
    MINUTE,
    Make,
    Row,
    add,
    arrived,
    config,
    opened,
    shown,
    sids,
    twilio,
)
from unit_tests.support.reading import problems, read

__all__ = ["opened", "slept", "twilio"]


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({}, ""),
        ({"region": "us1"}, ""),
        ({"region": "us1", "edge": "frankfurt"}, ".frankfurt.us1"),
        ({"edge": "ashburn"}, ".ashburn.us1"),
        ({"region": "ie1"}, ".dublin.ie1"),
        ({"region": "ie1", "edge": "frankfurt"}, ".frankfurt.ie1"),
        ({"region": "au1"}, ".sydney.au1"),
        ({"region": "au1", "edge": "sao-paulo"}, ".sao-paulo.au1"),
    ],
)
@pytest.mark.parametrize("links_host", [None, "monitor.twilio.com"])
def test_regions(
    settings: Row, place: str, links_host: str | None, opened: Make, clock: object
) -> None:
    """BEHAVIOR 27: all requests, links included, go to the hosts of the region, and no other."""
    twilio = opened(region=settings.get("region", "us1"), links_host=links_host, page_size_max=2)
    for account in sids(twilio):
        for number in range(5):
            add(twilio, "alerts", account, NOW - DAY - number * MINUTE)
    output = read(config(twilio, **settings), "alerts", "queues", "messages")
    assert {r.host for r in twilio.requests} == {f"{name}{place}.twilio.com" for name in PRODUCTS}
    assert arrived(output, "alerts") == shown(twilio, "alerts")
    assert arrived(output, "queues") == shown(twilio, "queues")
    assert problems(output) == []


PRODUCTS = ("api", "monitor")


def test_key_in_its_region(opened: Make, clock: object) -> None:
    """BEHAVIOR 27: a key of ie1 reads ie1."""
    twilio = opened(region="ie1")
    found = with_key(twilio, twilio.key(sids(twilio)[0], "standard"), region="ie1")
    output = read(found, "alerts", "queues")
    assert arrived(output, "queues") == shown(twilio, "queues", sids(twilio)[:1])
    assert arrived(output, "alerts") == shown(twilio, "alerts", sids(twilio)[:1])


@pytest.mark.parametrize(
    "address",
    [
        "https://api.twilio.com.evil.example/",
        "https://eviltwilio.com/",
        "https://twilio.com/",
        "https://api.twilio.com@evil.example/",
        "https://user@api.twilio.com/",
        "https://api.twilio.com:8443/",
        "https://a.b.c.d.twilio.com/",
        "https://api_.twilio.com/",
        "https://evil.example/api.twilio.com/",
        "https://evil.example\\.twilio.com/",
        "http://api.twilio.com/",
        "ftp://api.twilio.com/",
    ],
)
def test_no_host_of_twilio(address: str) -> None:
    """BEHAVIOR 11: nothing is signed for another host, another port, or without TLS."""
    request = requests.PreparedRequest()
    request.prepare("GET", "https://x.example/")
    request.url = address
    settings = {"account_sid": AC, "auth_token": SECRET}
    signer = TwilioAuthenticator(AC, settings, {}, SECRET)
    with pytest.raises(AirbyteTracedException, match="Refused to follow a link"):
        signer(request)
    assert request.headers.get("Authorization") is None


@pytest.mark.parametrize("edge", ["evil.example/", "x@evil.example#", "a.b.c", "", "Dublin"])
def test_edge_that_is_none(edge: str) -> None:
    """BEHAVIOR 27: the name of an edge cannot lead to another host."""
    request = requests.PreparedRequest()
    request.prepare("GET", "https://api.twilio.com/")
    settings = {"account_sid": AC, "auth_token": SECRET}
    signer = TwilioAuthenticator(AC, settings, {}, SECRET, f".{edge}.ie1")
    with pytest.raises(AirbyteTracedException, match="is not a valid Twilio host: check region"):
        signer(request)
    assert request.headers.get("Authorization") is None
