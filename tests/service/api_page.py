"""Writes `service/api/README.md`: every path and field of the HTTP API, from its OpenAPI. `make pages` runs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perception_reward.service.app import make_app
from perception_reward.service.assembly import assemble
from perception_reward.service.settings import load

PAGE = Path(__file__).resolve().parents[2] / "service" / "api" / "README.md"
MEDIA_TYPE = "application/json"

HEAD = """# The HTTP API

A running service shows this at `/docs`, where requests can be tried, and as an OpenAPI document at `/openapi.json`;
neither needs the internet. Paths are below the service's address, such as `http://127.0.0.1:8420`.

- Bodies are JSON, plain or packed with gzip (`Content-Encoding: gzip`). Scoring takes JSON for JSON whatever its
  `Content-Type` says; what is written (annotations) has to say that it is `application/json`.
- `X-Heartbeat: 5`, on `POST /v1/score`: an answer that takes longer begins with a space every 5 seconds, so that
  proxies, load balancers and clients can tell a replica that takes its time from one that has hung. The status is 200
  then; where the request fails after all, the answer is broken off.
- Where the service asks for a key: `Authorization: Bearer KEY`, or HTTP basic with the key as the password.
  What a key may do: [SECURITY.md](../../SECURITY.md#keys).
- Unknown fields are refused: a misspelt `anotation_id` would turn the reward off in silence.
- Every error is a [problem document](#problem) (RFC 9457); `detail` says what is wrong, where, and what to do.

"""


def page() -> str:
    app = make_app(assemble(load(workers=1), preload=()))
    document: dict[str, Any] = app.openapi()
    models: dict[str, Any] = document["components"]["schemas"]
    return HEAD + "\n".join([*_paths(document["paths"]), *_models(models)]).rstrip() + "\n"


def _paths(paths: dict[str, Any]) -> Iterator[str]:
    yield "## Paths\n"
    yield "| | | takes | gives |"
    yield "|---|---|---|---|"
    for path, methods in paths.items():
        for method, operation in methods.items():
            taken, given = _body(operation.get("requestBody", {})), _body(operation["responses"].get("200", {}))
            yield f"| `{method.upper()} {path}` | {operation['description']} | {taken} | {given} |"
    yield ""
    for title, where in (("Query parameters", "query"), ("Headers", "header")):
        yield f"{title}:\n"
        yield "| | of | type | default | |"
        yield "|---|---|---|---|---|"
        for name, (parameter, users) in sorted(_parameters(paths, where).items()):
            schema = parameter["schema"]
            cells = (f"`{name}`", ", ".join(users), _type(schema), _default(schema), parameter.get("description", ""))
            yield f"| {' | '.join(cells)} |"
        yield ""
    yield "Errors:\n"
    yield "| status | |"
    yield "|---|---|"
    errors = {
        int(status): response["description"]
        for methods in paths.values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        if int(status) >= 400 and response["description"] != "Service Unavailable"
    }
    yield from (f"| {status} | {text} |" for status, text in sorted(errors.items()))
    yield ""
    yield "A request:\n"
    example = paths["/v1/score"]["post"]["requestBody"]["content"][MEDIA_TYPE]["examples"]["geometry"]["value"]
    yield f"```json\n{json.dumps(example, indent=1, ensure_ascii=False)}\n```\n"


def _parameters(paths: dict[str, Any], where: str) -> dict[str, tuple[dict[str, Any], list[str]]]:
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for path, methods in paths.items():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == where:
                    users = found.setdefault(parameter["name"], (parameter, []))[1]
                    users.extend(["`" + path + "`"] if f"`{path}`" not in users else [])
    return found


def _body(holder: dict[str, Any]) -> str:
    content = holder.get("content", {})
    shapes = [shape for media in content.values() if (shape := _type(media.get("schema", {})))]
    kinds = [f" (`{kind}`)" for kind in content if kind != MEDIA_TYPE]
    return "".join([*shapes[:1], *kinds[:1]]) or "–"


def _models(models: dict[str, Any]) -> Iterator[str]:
    yield "## Fields\n"
    yield "What has no default is required."
    yield ""
    for name, model in _by_use(models):
        yield f"### {name}\n"
        if text := model.get("description"):
            yield " ".join(text.split()) + "\n"
        yield "| field | type | default | |"
        yield "|---|---|---|---|"
        required = model.get("required", ())
        for field, schema in model["properties"].items():
            default = "–" if field in required else _default(schema)
            yield f"| `{field}` | {_type(schema)} | {default} | {schema.get('description', '')} |"
        yield ""


def _by_use(models: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The models with fields: a request and what it holds first, then an answer, then the others."""
    first = [name for root in ("ScoreBody", "ScoreResponse") for name in _held(root, models)]
    for name in dict.fromkeys([*first, *models]):
        if "properties" in models[name]:
            yield name, models[name]


def _held(name: str, models: dict[str, Any]) -> Iterator[str]:
    yield name
    for held in re.findall(r"#/components/schemas/(\w+)", json.dumps(models[name])):
        yield from _held(held, models)


def _default(schema: dict[str, Any]) -> str:
    if "default" in schema:
        return f"`{json.dumps(schema['default'], ensure_ascii=False)}`"
    return "`null`" if {"type": "null"} in schema.get("anyOf", ()) else "empty"


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words, with links to the models."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if options := schema.get("anyOf") or schema.get("oneOf"):
        kinds = list(dict.fromkeys(filter(None, map(_type, options))))
        return ", or ".join(kind for kind in kinds if kind != "integer" or "number" not in kinds)
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "")
    if kind == "array":
        places = schema.get("prefixItems")
        inner = " and ".join(map(_type, places)) if places else _type(schema.get("items", {}))
        return f"list of {inner}" if " or " not in inner else f"list of ({inner})"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"object of {_type(values)}" if isinstance(values, dict) and _type(values) else "object"
    return f"{kind}{_range(schema)}"


def _range(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    most = schema.get("maxLength")
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    if low is not None:
        return f", {'above' if 'exclusiveMinimum' in schema else 'at least'} {low:g}"
    return f", at most {most} characters" if most is not None else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
