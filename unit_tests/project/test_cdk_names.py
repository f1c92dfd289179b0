"""The private names of libraries that source_twilio uses: each is there, and none is unlisted.

A new minor release of the CDK is allowed in setup.py when this passes with it.
"""

from __future__ import annotations

import ast
import inspect
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import requests
from airbyte_cdk import entrypoint
from airbyte_cdk.sources.concurrent_source.concurrent_read_processor import ConcurrentReadProcessor
from airbyte_cdk.sources.concurrent_source.concurrent_source import ConcurrentSource
from airbyte_cdk.sources.declarative.auth.token import BasicHttpAuthenticator
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentPerPartitionCursor,
)
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.declarative.stream_slicers.declarative_partition_generator import (
    DeclarativePartitionFactory,
    StreamSlicerPartitionGenerator,
)
from airbyte_cdk.sources.streams.concurrent.cursor import ConcurrentCursor
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.sources.streams.http.http_client import HttpClient
from airbyte_cdk.sources.utils.transform import TypeTransformer
from airbyte_cdk.utils import airbyte_secrets_utils
from airbyte_cdk.utils.memory_monitor import MemoryMonitor

ROOT = Path(__file__).parents[2]
NAMES: list[tuple[Any, str]] = [
    (SimpleRetriever, "_fetch_next_page"),
    (SimpleRetriever, "_paginator_path"),
    (SimpleRetriever, "_paginator"),
    (SimpleRetriever, "_parameters"),
    (SimpleRetriever, "_request_params"),
    (HttpRequester, "_http_client"),
    (HttpClient, "_session"),
    (BasicHttpAuthenticator, "_username"),
    (BasicHttpAuthenticator, "_password"),
    (DefaultStream, "_stream_partition_generator"),
    (StreamSlicerPartitionGenerator, "_partition_factory"),
    (DeclarativePartitionFactory, "_retriever"),
    (ConcurrentPerPartitionCursor, "_cursor_per_partition"),
    (ConcurrentPerPartitionCursor, "_emit_state_message"),
    (ConcurrentPerPartitionCursor, "_last_emission_time"),
    (ConcurrentPerPartitionCursor, "_lock"),
    (ConcurrentPerPartitionCursor, "_to_dict"),
    (ConcurrentPerPartitionCursor, "_to_partition_key"),
    (ConcurrentPerPartitionCursor, "DEFAULT_MAX_PARTITIONS_NUMBER"),
    (ConcurrentPerPartitionCursor, "SWITCH_TO_GLOBAL_LIMIT"),
    (ConcurrentCursor, "_concurrent_state"),
    (ConcurrentCursor, "_get_concurrent_state"),
    (TypeTransformer, "_config"),
    (ConcurrentDeclarativeSource, "_concurrent_source"),
    (ConcurrentDeclarativeSource, "_config"),
    (ConcurrentDeclarativeSource, "_config_for_validation"),
    (ConcurrentDeclarativeSource, "_create_streams"),
    (ConcurrentDeclarativeSource, "_migrate_and_transform_config"),
    (ConcurrentDeclarativeSource, "_validate_source"),
    (ConcurrentDeclarativeSource, "_read_json_file"),
    (ConcurrentSource, "_consume_from_queue"),
    (ConcurrentSource, "_handle_item"),
    (ConcurrentSource, "_queue"),
    (ConcurrentReadProcessor, "_on_stream_is_done"),
    (ConcurrentReadProcessor, "_record_counter"),
    (entrypoint.AirbyteEntrypoint, "_memory_monitor"),
    (MemoryMonitor, "_check_interval"),
    (airbyte_secrets_utils, "__SECRETS_FROM_CONFIG"),
    (requests.Response, "_content"),
]


@pytest.mark.parametrize(
    ("owner", "name"), NAMES, ids=lambda value: getattr(value, "__name__", value)
)
def test_private_name(owner: Any, name: str) -> None:
    """The name is still there; where it is not, read the module that uses it anew."""
    classes = inspect.getmro(owner) if isinstance(owner, type) else [owner]
    texts = [inspect.getsource(part) for part in classes if part is not object]
    assert any(re.search(rf"\b{name}\b", text) for text in texts)


def test_every_name_is_listed() -> None:
    """Each private name that source_twilio uses and does not define is in the table."""
    used, defined = set[str](), {"_replace"}
    for file in (ROOT / "source_twilio").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                defined.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                defined.add(node.target.id)
            elif isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr):
                is_own = isinstance(node.ctx, ast.Store) and getattr(node.value, "id", "") == "self"
                (defined if is_own else used).add(node.attr)
    assert sorted(used - defined - {name for _, name in NAMES}) == []


def test_the_pin_is_what_was_tested() -> None:
    """setup.py allows the minor release of the CDK that is installed here, and no other."""
    major, minor, *_ = version("airbyte-cdk").split(".")
    pins = re.findall(r'"airbyte-cdk[^"]*?([><=][^"]*)"', (ROOT / "setup.py").read_text("utf-8"))
    assert {*pins} == {f">={major}.{minor},<{major}.{int(minor) + 1}"}
