"""Streams that are built quickly are those that the CDK builds by itself."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentCursorFactory,
    ConcurrentPerPartitionCursor,
)
from airbyte_cdk.sources.declarative.models.declarative_component_schema import (
    DeclarativeStream,
    HttpRequester,
)
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import (
    ModelToComponentFactory,
)
from pydantic.v1 import ValidationError

from source_twilio import SourceTwilio
from source_twilio.source import built_quickly, unions
from unit_tests.support.mock_twilio import CONFIG

REQUESTER = {"type": "HttpRequester", "url": "https://api.twilio.com"}


def test_same_models() -> None:
    """Each stream of the manifest is parsed into the same models."""
    source = SourceTwilio(config=CONFIG)
    streams = source.resolved_manifest["streams"]
    assert len(streams) == 125
    expected = [repr(DeclarativeStream.parse_obj(stream)) for stream in streams]
    with built_quickly():
        assert [repr(DeclarativeStream.parse_obj(stream)) for stream in streams] == expected


@pytest.mark.parametrize(
    "authenticator",
    [
        {"type": "NoAuth"},
        {"type": "BearerAuthenticator", "api_token": "x", "more": {"type": "NoAuth"}},
        {"type": "BearerAuthenticator"},
        {"type": "Another"},
        {"type": None},
        {"api_token": "x"},
        {},
        None,
        "NoAuth",
    ],
)
def test_same_choice(authenticator: Any) -> None:
    """Whatever stands in a field: the same model is chosen, or none is in both ways."""

    def parsed() -> str:
        try:
            return repr(HttpRequester.parse_obj({**REQUESTER, "authenticator": authenticator}))
        except ValidationError:
            return "refused"

    expected = parsed()
    with built_quickly():
        assert parsed() == expected


BEGINNINGS = [
    (value, lookback)
    for value in (None, "2026-01-10T00:00:00Z", "2026-01-10T00:00:07Z")
    for lookback in (None, timedelta(0), timedelta(days=3))
]


def test_same_cursors(clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursors of partitions are those that the CDK makes, and none is another's."""
    quickly = [*cursors()]
    monkeypatch.setattr("source_twilio.source.built_quickly", nullcontext)
    assert quickly == [*cursors()]
    assert len(quickly) > 20 * len(BEGINNINGS)


def cursors() -> Iterator[dict[str, Any]]:
    """Yield what is told of cursors of each stream, with and without a state."""
    for stream in SourceTwilio(config=CONFIG).streams(CONFIG):
        whole: Any = stream.cursor
        if not isinstance(whole, ConcurrentPerPartitionCursor):
            continue
        for value, lookback in BEGINNINGS:
            state = {whole.cursor_field.cursor_field_key: value} if value else {}
            one, two = (whole._cursor_factory.create({**state}, lookback) for _ in range(2))
            assert not {id(part) for part in own(one)} & {id(part) for part in own(two)}
            yield told(one)


def own(cursor: Any) -> list[Any]:
    """Return what changes with a cursor, and so is no other's."""
    return [cursor._lock, cursor._concurrent_state, cursor._most_recent_cursor_value_per_partition]


def told(cursor: Any) -> dict[str, Any]:
    """Return what a cursor knows, and what it says to read."""
    known = {name: value for name, value in vars(cursor).items() if name not in OF_ITS_OWN}
    converter = vars(known.pop("_connector_state_converter"))
    return {
        **known,
        "_cursor_field": vars(cursor.cursor_field),
        "_clamping_strategy": type(cursor._clamping_strategy),
        "_message_repository": type(cursor._message_repository),
        "converter": {name: converter[name] for name in converter if name != "_parser"},
        "end": cursor._end_provider(),
        "slices": [*map(dict, cursor.stream_slices())],
        "state": cursor.state,
    }


# The cursor of a partition says nothing: the one of all partitions does.
OF_ITS_OWN = {"_lock", "_connector_state_manager", "_end_provider"}


def test_building(monkeypatch: pytest.MonkeyPatch) -> None:
    """All streams are built so, and afterwards everything is as it was."""
    create, seen = ModelToComponentFactory.create_component, set()

    def counted(self: Any, model_type: Any, *arguments: Any, **settings: Any) -> Any:
        if model_type is DeclarativeStream:
            retriever = DeclarativeStream.__fields__["retriever"]
            seen.add((gc.isenabled(), retriever.discriminator_key))
        return create(self, model_type, *arguments, **settings)

    monkeypatch.setattr(ModelToComponentFactory, "create_component", counted)
    source = SourceTwilio(config=CONFIG)
    before = [(union.discriminator_key, union.sub_fields_mapping) for union in unions()]
    factory = vars(ConcurrentCursorFactory)["__init__"]
    assert len(source.streams(CONFIG)) == 125
    assert seen == {(False, "type")}, (
        "The CDK builds its streams in another place than _create_streams, or out of other models "
        "than pydantic's v1: to read many streams begins later. Look at source_twilio/source.py."
    )
    assert gc.isenabled()
    assert vars(ConcurrentCursorFactory)["__init__"] is factory
    assert before
    assert [(union.discriminator_key, union.sub_fields_mapping) for union in unions()] == before
