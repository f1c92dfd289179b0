"""The streams of the manifest; sandbox, tests and docs derive from them.

`$ref` and `$parameters` are resolved by the CDK itself, and templates are evaluated by it, so that
a stream looks here as it does in a sync.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
import yaml
from airbyte_cdk.sources.declarative.interpolation.jinja import JinjaInterpolation
from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import (
    ManifestComponentTransformer,
)
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import (
    ManifestReferenceResolver,
)

from sandbox.fields import BY_SHAPE, RESOURCES, Resource, shape

PACKAGE = Path(__file__).parents[1] / "source_twilio"
Component = Mapping[str, Any]


@dataclass(frozen=True)
class Parent:
    """A parent list; its `key` is the `field` of the child's partition."""

    stream: Stream
    key: str
    field: str


@dataclass(frozen=True, eq=False)
class Stream:
    """A stream, or a parent list of a stream.

    Attributes:
        name: of the stream; of a parent, that of its list in `fields.json`.
        component: the declarative stream, resolved.
        parents: the lists that it hangs under. Most differ in their queries only.
    """

    name: str
    component: Component
    parents: tuple[Parent, ...]

    @property
    def parameters(self) -> Component:
        """Its own and inherited `$parameters`."""
        found: Component = self.component["$parameters"]
        return found

    @property
    def retriever(self) -> Component:
        """Its retriever."""
        found: Component = self.component["retriever"]
        return found

    @cached_property
    def template(self) -> str:
        """URL and query, with the fields of the partition in braces."""
        names = ["account_sid", *self.fields, *([self.lists[0]] if self.lists else [])]
        partition = {name: f"{{{name}}}" for name in names}
        text = self.retriever["requester"]["url"]
        return self._evaluated(text, stream_slice=partition).strip()

    @property
    def url(self) -> str:
        """The URL without its query, with the fields of the partition in braces."""
        return self.template.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The parameters of each request, except dates and page size."""
        return dict(parse_qsl(self.template.partition("?")[2]))

    @property
    def ancestors(self) -> list[Parent]:
        """The parent lists, from the top; of several parents the first."""
        return [*self.parents[0].stream.ancestors, self.parents[0]] if self.parents else []

    @property
    def other_parents(self) -> list[Parent]:
        """Further parents, which add items that the first one lacks."""
        return [one for one in self.parents if one.stream.name != self.parents[0].stream.name]

    @property
    def fields(self) -> list[str]:
        """The fields of the partition that name the parents, from the top."""
        return [parent.field for parent in self.ancestors]

    @property
    def of_product_api(self) -> bool:
        """Whether it is of a product API, and so read with each account's own token."""
        return not self.url.startswith("https://api.twilio.com/")

    @property
    def resource(self) -> Resource:
        """Its entry in `fields.json`; raises KeyError if there is none."""
        return RESOURCES[self.name]

    @property
    def list_key(self) -> str | None:
        """The field of a body that holds the rows; None if the body is the record."""
        return self.parameters.get("list_key") or None

    @property
    def key(self) -> list[str]:
        """The primary key."""
        key = self.parameters["primary_key"]
        return [key] if isinstance(key, str) else [*key]

    @property
    def incremental(self) -> bool:
        """Whether it has a cursor."""
        return "incremental_sync" in self.component

    @property
    def cursor_field(self) -> str | None:
        """The field of the cursor."""
        cursor = self.component.get("incremental_sync", {})
        return self._evaluated(cursor["cursor_field"]) if cursor else None

    @property
    def date_params(self) -> tuple[str, str] | None:
        """The names of the lower and the upper bound of the date filter."""
        params = self.retriever["requester"].get("request_parameters")
        if not params or "date_from" not in self.parameters:
            return None
        return self.parameters["date_from"], self.parameters["date_to"]

    @property
    def changed_only(self) -> bool:
        """Whether it is read in full, and only changed rows are emitted."""
        keep = self.retriever["record_selector"].get("record_filter", {})
        return str(keep.get("class_name", "")).endswith(".UpdatedSince")

    @property
    def lists(self) -> tuple[str, list[str]] | None:
        """The field of the partition that distinguishes lists of an account; its values."""
        for router in self.retriever.get("partition_router", {}).get("stream_slicers", []):
            if router["type"] == "ListPartitionRouter":
                return router["cursor_field"], [*router["values"]]
        return None

    @property
    def added(self) -> set[str]:
        """The fields that the connector adds to Twilio's rows."""
        changes = self.component.get("transformations", [])
        names = {one["path"][0] for change in changes for one in change.get("fields", [])}
        return names - {*self.resource.fields}

    @property
    def main_only(self) -> bool:
        """Whether it is read for the configured account only."""
        router = self.retriever.get("partition_router", {})
        return bool(router.get("type") == "ListPartitionRouter")

    @property
    def undated(self) -> bool:
        """Whether rows without a date are a list of their own."""
        return bool(self.lists and self.lists[0] == "rows")

    @property
    def page_size(self) -> int | None:
        """The page size of requests; None if there is no such parameter."""
        paginator = self.retriever.get("paginator", {})
        size = paginator.get("pagination_strategy", {}).get("page_size")
        if size is None or "page_size_option" not in paginator:
            return None
        return int(self._evaluated(str(size)))

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The schema of its records; raises FileNotFoundError if there is none."""
        found: dict[str, Any] = orjson.loads(
            (PACKAGE / "schemas" / f"{self.name}.json").read_bytes()
        )
        return found

    def _evaluated(self, text: str, **context: Any) -> str:
        found = JinjaInterpolation().eval(
            text, {}, valid_types=(str,), parameters=self.parameters, **context
        )
        return str(found)


def declared(manifest: Component) -> Iterator[Component]:
    """Yield the streams of a manifest as the CDK resolves them, all `$ref` and `$parameters`."""
    resolved = ManifestReferenceResolver().preprocess_manifest(dict(manifest))
    transform = ManifestComponentTransformer().propagate_types_and_parameters
    for component in resolved["streams"]:
        # Other definitions are not needed, and take time.
        yield transform("", dict(component), {})


def described(component: Component, name: str = "") -> Stream:
    """Return a stream, or without `name` a parent list."""
    router = component["retriever"].get("nested_router", {})
    parents = tuple(
        Parent(described(config["stream"]), config["parent_key"], config["partition_field"])
        for config in router.get("parent_stream_configs", [])
    )
    stream = Stream(name, component, parents)
    if name:
        return stream
    if shape(stream.url) not in BY_SHAPE:
        raise ValueError(f"No list in sandbox/fields.json has the path of the parent {stream.url}")
    return Stream(BY_SHAPE[shape(stream.url)].name, component, parents)


def streams_of(manifest: Component) -> dict[str, Stream]:
    """Return the streams of a manifest by name."""
    found = [*declared(manifest)]
    return {row["$parameters"]["name"]: described(row, row["$parameters"]["name"]) for row in found}


STREAMS = streams_of(yaml.safe_load((PACKAGE / "manifest.yaml").read_text("utf-8")))
