"""Make the schemas in this folder from the projects' own CustomResourceDefinitions.

    python tests/deploy/schemas/make.py CRD.yaml…

What is kept is what validates: types, enums, bounds and required fields of the version that is stored. Descriptions go,
and so do pod templates within other objects, which the core schemas cover: the tests validate them as pods. What a
schema does not name is refused, which an API server would drop in silence.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

# fmt: off
KEPT = frozenset({
    "type", "enum", "pattern", "format", "required", "items", "properties", "additionalProperties", "minimum",
    "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "anyOf", "oneOf", "allOf", "not",
})
# fmt: on
FREE = "x-kubernetes-preserve-unknown-fields"


def reduced(schema: dict[str, Any], name: str = "") -> dict[str, Any]:
    """The part of an openAPI schema that validates, closed against fields that it does not name."""
    if name == "template" and "spec" in schema.get("properties", {}):
        return {"type": "object"}
    if schema.get("x-kubernetes-int-or-string"):
        return {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    kept: dict[str, Any] = {key: value for key, value in schema.items() if key in KEPT}
    if "properties" in kept:
        kept["properties"] = {key: reduced(value, key) for key, value in kept["properties"].items()}
        if not schema.get(FREE):
            kept["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = reduced(kept[key])
    return kept


def main(paths: list[str]) -> None:
    for path in paths:
        definition = yaml.safe_load(Path(path).read_text())
        (version,) = (one for one in definition["spec"]["versions"] if one["storage"])
        schema = reduced(version["schema"]["openAPIV3Schema"])
        # Metadata is the core's.
        schema["properties"]["metadata"] = {"type": "object"}
        schema["properties"].pop("status", None)
        kind = definition["spec"]["names"]["kind"]
        target = Path(__file__).parent / f"{kind}-{version['name']}.json"
        target.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
