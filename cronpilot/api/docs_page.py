"""The API's documentation as one page, made of its schema: no script, nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Schema = Mapping[str, Any]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1f24; background: #fff; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: #f4f5f7; padding: .6rem .8rem; overflow-x: auto; border-radius: 4px; }
details { border-top: 1px solid #d9dde2; } summary { padding: .5rem 0; cursor: pointer; }
.method { display: inline-block; width: 4.5rem; font-weight: 700; }
table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top;
  padding: .2rem 1rem .2rem 0; } h2 { margin-top: 2.5rem; }
@media (prefers-color-scheme: dark) { body { color: #dfe3e8; background: #14171b; }
  pre { background: #20252b; } details { border-color: #353c44; } a { color: #8ab4f8; } }
"""
_INTRO = """
<p>HTTP basic auth: <code>curl -u NAME http://localhost:7000/api/tasks/</code>. Lists are JSON
arrays; the header <code>X-Total-Count</code> has the total, <code>Link</code> the next page. Errors
are <code>application/problem+json</code>: <code>detail</code> says what is wrong, <code>hint</code>
what to do, <code>field</code> where. Changes of a task take its version in <code>If-Match</code>.
The schema itself: <a href="openapi.json">openapi.json</a>.</p>
"""


def docs_page(openapi: Schema) -> str:
    """All operations, grouped, with what they take and answer; then the messages."""
    info = openapi["info"]
    groups: dict[str, list[str]] = {}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            group = (operation.get("tags") or ["more"])[0]
            groups.setdefault(group, []).append(_operation(path, method, operation))
    title = f"{escape(info['title'])} {escape(info['version'])}"
    body = "".join(f"<h2>{escape(name)}</h2>{''.join(parts)}" for name, parts in groups.items())
    messages = "".join(_message(name, schema) for name, schema in _schemas(openapi).items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{title}</h1>{_INTRO}{body}<h2>messages</h2>{messages}</html>\n"
    )


def _schemas(openapi: Schema) -> Schema:
    found: Schema = openapi.get("components", {}).get("schemas", {})
    return found


def _operation(path: str, method: str, operation: Schema) -> str:
    said = escape(operation.get("description") or operation.get("summary", ""))
    first, _, rest = said.partition("\n")
    return (
        f'<details><summary><code><span class="method">{method.upper()}</span>{escape(path)}</code>'
        f" {first}</summary><p>{rest}</p>{_parameters(operation)}{_body(operation)}"
        f"{_answers(operation)}</details>"
    )


def _parameters(operation: Schema) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td>{_type(one.get('schema', {}))}</td></tr>"
        for one in operation.get("parameters", [])
    )
    return f"<table><tr><th>parameter<th>in<th>type</tr>{rows}</table>" if rows else ""


def _body(operation: Schema) -> str:
    kinds = operation.get("requestBody", {}).get("content", {})
    return "".join(
        f"<p>Body, {escape(kind)}: {_type(what.get('schema', {}))}</p>"
        for kind, what in kinds.items()
    )


def _answers(operation: Schema) -> str:
    rows = ""
    for status, answer in operation.get("responses", {}).items():
        kinds = answer.get("content", {}).values()
        types = " ".join(_type(kind.get("schema", {})) for kind in kinds)
        said = escape(answer["description"])
        rows += f"<tr><td>{escape(status)}</td><td>{said}</td><td>{types}</td></tr>"
    return f"<table><tr><th>answer<th><th></tr>{rows}</table>"


def _message(name: str, schema: Schema) -> str:
    shown = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    said = escape(schema.get("description", "").partition("\n")[0])
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> {said}</summary>'
        f"<pre>{shown}</pre></details>"
    )


def _type(schema: Schema) -> str:
    return " or ".join(_types(schema)) or "anything"


def _types(schema: Schema) -> Iterator[str]:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        yield f'<a href="#{name}">{name}</a>'
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _types(one)
    if "enum" in schema:
        yield ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    elif schema.get("type") == "array":
        yield f"list of {_type(schema.get('items', {}))}"
    elif "type" in schema:
        yield escape(str(schema.get("format") or schema["type"]))
