"""Write the connector as two files that need no package: for the builder and the manifest runner.

`source_twilio/schemas/` stays the only source of the schemas; this inlines them.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).parents[1] / "source_twilio"


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


def build(target: Path) -> None:
    """Write manifest.yaml and components.py into the folder `target`."""
    target.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(self_contained(), sort_keys=False, allow_unicode=True, width=1000)
    (target / "manifest.yaml").write_text(text, "utf-8")
    shutil.copyfile(PACKAGE / "components.py", target / "components.py")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
    print(f"Wrote {sys.argv[1]}/manifest.yaml and {sys.argv[1]}/components.py")
