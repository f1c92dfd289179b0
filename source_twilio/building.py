"""What need not be done while the CDK builds streams: more than half of what that takes."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airbyte_cdk.sources.declarative.models import declarative_component_schema
from pydantic.v1.fields import SHAPE_SINGLETON

KEY = "type"


@contextmanager
def built_quickly() -> Iterator[None]:
    """Have models chosen by their type, and no garbage looked for: there is next to none.

    Where a field of a model can be one of several models, pydantic tries one after the other, each
    with all that is in it, until one fits. All of the CDK's say what they are: see `unions`.
    """
    collects, changed = gc.isenabled(), [*unions()]
    gc.disable()
    for union in changed:
        union.discriminator_key = KEY
        union.prepare_discriminated_union_sub_fields()
    try:
        yield
    finally:
        for union in changed:
            union.discriminator_key = union.discriminator_alias = union.sub_fields_mapping = None
        if collects:
            gc.enable()


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
