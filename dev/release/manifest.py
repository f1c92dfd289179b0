"""Writes the connector as two self-contained files for the builder and the manifest runner.

`source_twilio/` stays the only source: this inlines its schemas, and the modules of components.py.
"""

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).parents[2] / "source_twilio"

# The modules of the bundle have a name of their own, lest an installed package takes their place.
HEAD = '''"""The modules of source_twilio that manifest.yaml needs, made by `make manifest`."""

import linecache
import sys
from types import ModuleType


def _module(name: str, text: str) -> ModuleType:
    """Create a module whose tracebacks name its file."""
    file = f"source_twilio/{name}.py"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    module = sys.modules[f"twilio_components.{name}"] = ModuleType(f"twilio_components.{name}")
    exec(compile(text, file, "exec"), vars(module))
    return module


sys.modules["twilio_components"] = ModuleType("twilio_components")
'''


def self_contained() -> dict[str, Any]:
    """Return the manifest with an InlineSchemaLoader for each stream and its schema inlined."""
    manifest: dict[str, Any] = yaml.safe_load((PACKAGE / "manifest.yaml").read_text("utf-8"))
    manifest["schemas"] = {}
    for name, stream in manifest["definitions"]["streams"].items():
        schema = json.loads((PACKAGE / "schemas" / f"{name}.json").read_text("utf-8"))
        manifest["schemas"][name] = schema
        stream["schema_loader"] = {
            "type": "InlineSchemaLoader",
            "schema": {"$ref": f"#/schemas/{name}"},
        }
    return manifest


def bundle() -> str:
    """Return components.py and the modules that it imports as one text."""
    texts = {name: (PACKAGE / f"{name}.py").read_text("utf-8") for name in modules("components")}
    parts = [HEAD]
    for name, text in texts.items():
        if "'''" in text:
            raise ValueError(f"{name}.py holds ''', which ends its place in the bundle")
        text = text.replace("from source_twilio.", "from twilio_components.")
        parts.append(f"_{name} = _module({name!r}, r'''{text}''')\n")
    parts.append(
        "globals().update({name: getattr(_components, name) for name in _components.__all__})"
    )
    return "\n".join(parts) + "\n"


def modules(name: str) -> Iterator[str]:
    """Yield a module and the modules that it imports, in the order of their imports."""
    tree = ast.parse((PACKAGE / f"{name}.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("source_twilio."):
            yield from modules(str(node.module).removeprefix("source_twilio."))
    yield name


def build(target: Path) -> None:
    """Write manifest.yaml and components.py into the folder `target`."""
    target.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(self_contained(), sort_keys=False, allow_unicode=True, width=1000)
    (target / "manifest.yaml").write_text(text, "utf-8")
    (target / "components.py").write_text(bundle(), "utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
    print(f"Wrote {sys.argv[1]}/manifest.yaml and {sys.argv[1]}/components.py")
