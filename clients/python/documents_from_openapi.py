"""Writes salience_audit/documents.py from the service's OpenAPI document.

    .venv/bin/python clients/python/documents_from_openapi.py

A test holds the file to what this makes.
"""

import subprocess
import sys
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path
from typing import Any

from app.main import create_app

Json = dict[str, Any]
FILE = Path(__file__).with_name("salience_audit") / "documents.py"
REFERENCE = "#/components/schemas/"
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
HEAD = '''"""What the service answers, field by field. Made by documents_from_openapi.py; not to be changed by hand."""

from __future__ import annotations

from typing import Any, Literal

from salience_audit.document import Document
'''


def source() -> str:
    """The module's text, formatted."""
    document = create_app().openapi()
    schemas = document["components"]["schemas"]
    names = sorted(_reachable(_answered(document), schemas))
    # A list's page has ``items``, as every dict has: the client iterates over lists instead.
    made = [name for name in names if "properties" in schemas[name] and not name.startswith("Page_")]
    aliases = [f"{name} = {_type(schemas[name])}" for name in names if "properties" not in schemas[name]]
    classes = [_class(name, schemas[name]) for name in made]
    text = "\n\n".join([HEAD.rstrip(), *aliases, *classes])
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FILE), "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return formatted.stdout


def _answered(document: Json) -> Iterator[str]:
    """Schemas of JSON answers that are no problems."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                schema = answer.get("content", {}).get("application/json", {}).get("schema")
                if schema and status.startswith("2"):
                    yield from _named(schema)


def _named(schema: Any) -> Iterator[str]:
    """References anywhere in a schema."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].removeprefix(REFERENCE)
        for part in schema.values():
            yield from _named(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _named(part)


def _reachable(names: Iterator[str], schemas: Json) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _named(schemas[name])
    return found


def _class(name: str, schema: Json) -> str:
    """Fields whose name is a keyword or a method of every dict are read by their key alone."""
    described = " ".join(schema.get("description", "Settings.").split("\n\n")[0].split())
    required = set(schema.get("required", ()))
    fields = [
        f"    {field}: {_optional(_type(of), field in required or 'default' in of)}"
        for field, of in schema["properties"].items()
        if not (hasattr(dict, field) or iskeyword(field))
    ]
    return "\n".join([f"class {name}(Document):", f'    """{described}"""', "", *fields])


def _optional(kind: str, always: bool) -> str:  # noqa: FBT001
    return kind if always or kind.endswith("| None") or kind == "Any" else f"{kind} | None"


def _type(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(REFERENCE))
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(part) for part in schema["anyOf"]))
    if chosen := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return f"Literal[{', '.join(map(repr, chosen))}]"
    if schema.get("type") == "array":
        return f"list[{_type(schema.get('items', {}))}]"
    if schema.get("type") == "object":
        of = schema.get("additionalProperties", True)
        return f"dict[str, {'Any' if isinstance(of, bool) else _type(of)}]"
    return PLAIN.get(schema.get("type", ""), "Any")


if __name__ == "__main__":
    FILE.write_text(source(), encoding="utf-8")
