"""What need not be done while the CDK builds streams: more than half of what that takes."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentCursorFactory,
)
from airbyte_cdk.sources.declarative.models import declarative_component_schema
from airbyte_cdk.sources.streams.concurrent.cursor import ConcurrentCursor
from pydantic.v1.fields import SHAPE_SINGLETON

KEY = "type"


@contextmanager
def built_quickly() -> Iterator[None]:
    """Have models chosen by their type, cursors copied, and no garbage looked for.

    Of garbage there is next to none. Where a field of a model can be one of several models,
    pydantic tries one after the other, each with all that is in it, until one fits. All of the
    CDK's say what they are: see `unions`.
    """
    factory: Any = ConcurrentCursorFactory
    collects, changed, usual = gc.isenabled(), [*unions()], factory.__init__
    gc.disable()
    factory.__init__ = lambda self, create: usual(self, copying(create))
    for union in changed:
        union.discriminator_key = KEY
        union.prepare_discriminated_union_sub_fields()
    try:
        yield
    finally:
        factory.__init__ = usual
        for union in changed:
            union.discriminator_key = union.discriminator_alias = union.sub_fields_mapping = None
        if collects:
            gc.enable()


def copying(create: Callable[..., ConcurrentCursor]) -> Callable[..., ConcurrentCursor]:
    """Return what makes the cursors of a stream's partitions as `create` does, as copies of one.

    The CDK takes each from the manifest anew, in six times the time. A state has one for each list
    of each account, whether it is read or not.
    """
    made: list[ConcurrentCursor] = []

    def copy(stream_state: Any, runtime_lookback_window: timedelta | None) -> ConcurrentCursor:
        if runtime_lookback_window:
            return create(
                stream_state=stream_state, runtime_lookback_window=runtime_lookback_window
            )
        if not made:
            made.append(create(stream_state={}, runtime_lookback_window=None))
        cursor = made[0].copy_without_state()
        cursor.start, cursor._concurrent_state = cursor._get_concurrent_state(stream_state)
        return cursor

    return copy


def unions() -> Iterator[Any]:
    """Yield the fields that can be one of several models, of which each requires its own `type`.

    So no other than the one of that type can fit. There is none if the CDK makes its models with
    another pydantic.
    """
    for model in vars(declarative_component_schema).values():
        for field in getattr(model, "__fields__", {}).values():
            yield from unions_in(field)


def unions_in(field: Any) -> Iterator[Any]:
    """Yield the field itself, or those in it."""
    parts = getattr(field, "sub_fields", None) or []
    for part in parts:
        yield from unions_in(part)
    if len(parts) > 1 and field.shape == SHAPE_SINGLETON and not field.discriminator_key:
        types = [names_of(part) for part in parts]
        names = [name for found in types for name in found]
        if all(types) and len(names) == len({*names}):
            yield field


def names_of(part: Any) -> tuple[Any, ...]:
    """Return the values of the `type` that a model requires, or nothing."""
    found = getattr(part.outer_type_, "__fields__", {}).get(KEY)
    if part.shape != SHAPE_SINGLETON or not found or not found.required or found.alias != KEY:
        return ()
    return tuple(getattr(found.type_, "__args__", ()))
