"""The documentation of the API as one HTML page, made from its OpenAPI document.

The page is whole in itself: it loads nothing, so it can be read offline, and its policy lets it run
nothing but its own few lines of script. It can be searched, and follows the reader's colours.
"""

import base64
import hashlib
import html
from collections.abc import Iterator
from typing import Any, Final

Json = dict[str, Any]

DEPTH_MAX: Final = 4
STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --mark: #2a7ae2; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif; }
header { position: sticky; top: 0; background: Canvas; padding: .5rem 0; z-index: 1; }
input { width: 100%; padding: .5rem; font: inherit; border: 1px solid var(--line); }
nav a { margin-right: 1rem; white-space: nowrap; }
a { color: var(--mark); }
h2 { margin: 1.5rem 0 .5rem; scroll-margin-top: 7rem; }
details { border: 1px solid var(--line); margin: .3rem 0; scroll-margin-top: 7rem; }
summary { padding: .4rem .6rem; cursor: pointer; overflow-wrap: anywhere; }
summary:hover, pre { background: var(--soft); }
details > div { padding: 0 .8rem .6rem; overflow-x: auto; }
pre { padding: .6rem; white-space: pre-wrap; }
code, .method { font-family: ui-monospace, monospace; }
.method { display: inline-block; width: 3.5rem; font-weight: 600; color: var(--mark); }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; }
tr { border-bottom: 1px solid var(--line); }
[hidden] { display: none; }
"""
SCRIPT: Final = """
const field = document.querySelector("input");
const calls = [...document.querySelectorAll("details")];
const groups = [...document.querySelectorAll("section")];
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const call of calls) {
    call.text ??= call.textContent.toLowerCase();
    call.hidden = !words.every((word) => call.text.includes(word));
  }
  for (const group of groups) {
    group.hidden = !group.querySelector("details:not([hidden])");
  }
});
const show = () => {
  const call = document.getElementById(location.hash.slice(1));
  if (call instanceof HTMLDetailsElement) call.open = true;
};
addEventListener("hashchange", show);
show();
"""


def policy() -> str:
    """Return the content security policy of the page: itself, and nothing from elsewhere."""
    return (
        f"default-src 'none'; style-src {_hash_of(STYLE)}; script-src {_hash_of(SCRIPT)}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def render(document: Json) -> str:
    """Write the page."""
    info = document["info"]
    tags = [tag["name"] for tag in document["tags"]]
    links = " ".join(f'<a href="#{_slug(tag)}">{html.escape(tag)}</a>' for tag in tags)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(info['title'])} API</title><style>{STYLE}</style></head><body>",
        f"<header><strong>{html.escape(info['title'])} API</strong> "
        f'{html.escape(info["version"])} · <a href="/openapi.json">openapi.json</a>',
        '<input type="search" placeholder="Search calls, parameters, codes" aria-label="Search">',
        f"<nav>{links}</nav></header>",
        *(f"<p>{_text(part)}</p>" for part in info["description"].split("\n\n")),
    ]
    for tag in tags:
        parts.append(f'<section><h2 id="{_slug(tag)}">{html.escape(tag)}</h2>')
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    parts += _operation(document, method.upper(), path, operation)
        parts.append("</section>")
    parts.append(f"<script>{SCRIPT}</script></body></html>")
    return "\n".join(parts)


def _operation(document: Json, method: str, path: str, operation: Json) -> Iterator[str]:
    yield f'<details id="{operation["operationId"]}"><summary><span class="method">{method}</span>'
    yield f"<code>{html.escape(path)}</code></summary><div>"
    for part in operation["description"].split("\n\n"):
        yield f"<p>{_text(part)}</p>"
    rows = [
        _row(field["name"], field["schema"], field["required"], field.get("description", ""))
        for field in operation.get("parameters", ())
    ]
    body = operation.get("requestBody")
    if body is not None:
        rows += _fields(document, body["content"]["application/json"]["schema"], "", DEPTH_MAX)
    if rows:
        yield _table(["parameter", "form", "needed", "what it is"], rows)
    yield from _answers(document, operation["responses"])
    yield "</div></details>"


def _answers(document: Json, responses: Json) -> Iterator[str]:
    done = responses["200"]["content"]["application/json"]["schema"]["allOf"][1]
    data = done["properties"]["data"]
    kind = "a list of" if data.get("type") == "array" else ""
    rows = _fields(document, data, "", DEPTH_MAX)
    if rows:
        yield f"<h4>Answer: {kind} <code>data</code></h4>"
        yield _table(["field", "form", "always", "what it is"], rows)
    sentences = {
        each["const"]: each["description"]
        for each in document["components"]["schemas"]["ErrorCode"]["oneOf"]
    }
    errors = []
    for status, response in responses.items():
        if status == "200":
            continue
        narrowed = _resolved(document, response)["content"]["application/json"]["schema"]["allOf"]
        for code in narrowed[1]["properties"]["code"]["enum"]:
            errors.append(f"<td>{status}<td><code>{code}</code><td>{html.escape(sentences[code])}")
    yield "<h4>Errors</h4>"
    yield _table(["HTTP", "code", "sentence"], errors)


def _fields(document: Json, schema: Json, prefix: str, depth: int) -> list[str]:
    """List the fields of an object, and of the objects in it."""
    schema = _resolved(document, schema)
    if "items" in schema and isinstance(schema["items"], dict):
        return _fields(document, schema["items"], prefix and f"{prefix}[]", depth)
    for option in schema.get("anyOf", ()):
        if "properties" in _resolved(document, option):
            return _fields(document, option, prefix, depth)
    rows = []
    for name, part in schema.get("properties", {}).items():
        full = f"{prefix}.{name}" if prefix else name
        found = _resolved(document, part)
        text = found.get("description", "") if "$ref" not in part else ""
        rows.append(_row(full, found, name in schema.get("required", ()), text))
        if depth and found.get("type") != "string":
            rows += _fields(document, part, full, depth - 1)
    return rows


def _row(name: str, schema: Json, needed: bool, text: str) -> str:
    examples = ", ".join(
        f"<code>{html.escape(str(each))}</code>" for each in schema.get("examples", ())
    )
    about = f"{_text(text)} {f'({examples})' if examples else ''}"
    return (
        f"<td><code>{html.escape(name)}</code><td>{html.escape(_form(schema))}"
        f"<td>{'yes' if needed else 'no'}<td>{about}"
    )


def _form(schema: Json) -> str:
    if "format" in schema:
        return str(schema["format"])
    kinds = schema.get("type", [part.get("type", "object") for part in schema.get("anyOf", ())])
    kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
    return str(kind or "any")


def _resolved(document: Json, part: Json) -> Json:
    reference = part.get("$ref")
    if reference is None:
        return part
    found = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def _table(columns: list[str], rows: list[str]) -> str:
    head = "".join(f"<th>{name}" for name in columns)
    return f"<table><tr>{head}{''.join(f'<tr>{row}' for row in rows)}</table>"


def _text(text: str) -> str:
    """Write prose, with what stands between backquotes as code."""
    parts = html.escape(text).split("`")
    return "".join(
        f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)
    )


def _slug(tag: str) -> str:
    return "-".join("".join(each if each.isalnum() else " " for each in tag.lower()).split())


def _hash_of(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
