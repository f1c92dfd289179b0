"""The lists that the sandbox serves, and the hosts that it serves them on.

What a list is comes from two sides: how lists hang together and what tells rows apart from the
manifest (`streams.py`), everything that goes over the wire from Twilio's table (`fields.py`). So
the sandbox does not believe the manifest about paths, keys of lists and parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from sandbox.fields import DATES, PLACEHOLDER, Resource
from sandbox.streams import STREAMS as DECLARED
from sandbox.streams import Stream
from sandbox.wire import snake

# Each region and its usual place, which stands in a host's name between product and domain.
REGIONS = {"us1": "", "ie1": ".dublin.ie1", "au1": ".sydney.au1"}
EDGES = ["ashburn", "dublin", "frankfurt", "roaming", "sao-paulo"]
EDGES += ["singapore", "sydney", "tokyo", "umatilla"]
# No place of ie1 or au1 lacks an edge: such hosts led to us1, and are gone since April 2026.
PLACES = {"": "us1", ".us1": "us1"}
PLACES |= {f".{edge}.{region}": region for edge in EDGES for region in REGIONS}
# What tells rows apart where Twilio's rows have no key of their own; tests name them so.
ROW_KEYS = {
    "call_events": ("request",),
    "call_insights_events": ("name", "timestamp"),
    "call_insights_metrics": ("edge", "timestamp"),
    "usage_records": ("category", "start_date"),
}
# Twilio's table says that these have pages.
ONE_PAGE = re.compile("available_phone_numbers_")


@dataclass(frozen=True, eq=False)
class Endpoint:
    """One list.

    Attributes:
        stream: the stream that reads it, or the name in Twilio's table.
        resource: what Twilio's table says of it.
        parents: the lists above it, from the top.
        row_key: the fields that tell the rows of the list apart.
        cursor_field: the field that a sync goes by.
        between: the field that a lower and the one that an upper bound act on, by parameter.
        paged: whether it has pages.
    """

    stream: str
    resource: Resource
    parents: tuple[str, ...]
    row_key: tuple[str, ...]
    cursor_field: str | None
    between: dict[str, tuple[str, str]]
    paged: bool

    @property
    def path(self) -> str:
        """The path, with Twilio's placeholders."""
        return self.resource.path

    @property
    def product(self) -> str:
        """The product whose host serves it."""
        return self.resource.product

    @property
    def key(self) -> str | None:
        """The field of a body that holds the rows; None where the body is the row."""
        return self.resource.list_key

    @property
    def parent(self) -> str:
        """The list right above it, or nothing."""
        return self.parents[-1] if self.parents else ""

    @cached_property
    def path_fields(self) -> list[str]:
        """The fields of a row that the path names, from the top."""
        # The newer APIs write {ConversationSid} for what their rows call conversationId.
        return [
            camel
            if (camel := name[0].lower() + name[1:-3] + "Id") in self.resource.fields
            # The others write it as they do.
            else snake(name)
            for name in self.resource.placeholders
        ]

    @cached_property
    def filters(self) -> dict[str, str]:
        """The fields that parameters of the same name must equal, by parameter."""
        params = self.resource.params.items()
        pairs = {
            name: snake(name)
            for name, param in params
            if param.format not in DATES and name not in self.between
        }
        return {name: field for name, field in pairs.items() if field in self.resource.fields}

    @cached_property
    def dates(self) -> list[str]:
        """The parameters that take X=, X<= and X>=."""
        return [name for name in self.resource.params if f"{name}<" in self.resource.params]

    def pattern(self) -> re.Pattern[str]:
        """Return what its path looks like: the account, then the items above in order."""
        path = self.path.replace(".", r"\.").replace("{AccountSid}", "(?P<account>[^/]+)")
        return re.compile(PLACEHOLDER.sub("([^/]+)", path))


def endpoint(stream: Stream, row_key: tuple[str, ...] = ()) -> Endpoint:
    """Return the list that a stream reads, or a parent of one, whose key the stream names."""
    resource, ancestors = stream.resource, stream.ancestors
    names = resource.placeholders
    if len(names) != len(ancestors):
        raise ValueError(
            f"{stream.name}: {resource.url} names {len(names)} items above the list, and the "
            f"manifest {len(ancestors)}"
        )
    known = {"account_sid", *map(snake, names), *stream.fields}
    key = tuple(name for name in stream.key if name not in known)
    between: dict[str, tuple[str, str]] = {}
    if stream.date_params and stream.cursor_field:
        lower, upper = stream.date_params
        if not lower.endswith(">"):
            # A bound with the name of a field acts on that field.
            own = {name: snake(name) for name in (lower, upper) if snake(name) in resource.fields}
            between = {
                lower: (own.get(lower, stream.cursor_field), ">"),
                upper: (own.get(upper, stream.cursor_field), "<"),
            }
    return Endpoint(
        stream=stream.name,
        resource=resource,
        parents=tuple(parent.stream.name for parent in ancestors),
        row_key=row_key or ROW_KEYS.get(stream.name, key),
        cursor_field=stream.cursor_field,
        between=between,
        paged=bool(resource.paging) and not ONE_PAGE.match(stream.name),
    )


def endpoints(streams: Iterable[Stream]) -> Iterator[Endpoint]:
    """Yield the lists of the streams, then those above them that no stream reads."""
    found = {stream.name: stream for stream in streams}
    yield from map(endpoint, list(found.values()))
    for stream in list(found.values()):
        for parent in [*stream.ancestors, *stream.other_parents]:
            if parent.stream.name not in found:
                found[parent.stream.name] = parent.stream
                yield endpoint(parent.stream, (parent.key,))


ENDPOINTS = tuple(endpoints(DECLARED.values()))
STREAMS = {endpoint.stream: endpoint for endpoint in ENDPOINTS}
ROUTES = [(endpoint.product, endpoint.pattern(), endpoint) for endpoint in ENDPOINTS]
# The product and the region that answer under a name.
HOSTS = {
    f"{product}{place}.twilio.com": (product, region)
    for product in sorted({"oauth", *(endpoint.product for endpoint in ENDPOINTS)})
    for place, region in PLACES.items()
}
