"""A value that fits a JSON schema, always the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# A schema may refer to itself; below this depth optional parts are left out.
_DEPTH = 6
# A schema that requires itself fits nothing; here the attempt is given up.
_DEEPEST = 24

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com",
    "url": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def value_for(schema: Mapping[str, Any]) -> Any:
    """Return a value that fits the schema.

    Heeds `const`, `enum`, `default`, `examples`, `$ref` within the schema, `anyOf`, `oneOf`,
    `allOf`, `type`, `properties`, `items`, `prefixItems`, lengths, bounds and common formats.
    `pattern` and `not` are not heeded.
    """
    return _Generator(schema).value(schema, 0)


class _Generator:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def value(self, schema: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            return {}
        if not isinstance(schema, Mapping):
            return "example"
        fixed = _fixed(schema)
        if fixed:
            return fixed[0]
        if isinstance(schema.get("$ref"), str):
            return self.value(self._resolve(schema["$ref"]), depth + 1)
        alternative = self._chosen(schema)
        if alternative is not None:
            return self.value(alternative, depth + 1)
        return self._typed(schema, depth)

    def _resolve(self, reference: str) -> Any:
        target: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step and isinstance(target, Mapping):
                target = target.get(step.replace("~1", "/").replace("~0", "~"), {})
        return target

    def _chosen(self, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
        for union in ("anyOf", "oneOf"):
            options = schema.get(union)
            if isinstance(options, list) and options:
                rest = {key: value for key, value in schema.items() if key != union}
                return _merged(rest, self._flat(options[0]))
        parts = schema.get("allOf")
        if isinstance(parts, list) and parts:
            merged = {key: value for key, value in schema.items() if key != "allOf"}
            for part in parts:
                merged = _merged(merged, self._flat(part))
            return merged
        return None

    def _flat(self, schema: Any) -> Mapping[str, Any]:
        depth = 0
        while (
            isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str) and depth < _DEPTH
        ):
            schema = self._resolve(schema["$ref"])
            depth += 1
        return schema if isinstance(schema, Mapping) else {}

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((each for each in kind if each != "null"), "null")
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        if kind == "boolean":
            return True
        return None if kind == "null" else _string(schema)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        names = schema.get("required")
        schemas = properties if isinstance(properties, Mapping) else {}
        required_names = names if isinstance(names, list) else []
        selection = (
            required_names
            if depth >= _DEPTH
            else [*schemas, *(n for n in required_names if n not in schemas)]
        )
        return {name: self.value(schemas.get(name, {}), depth + 1) for name in selection}

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems")
        if isinstance(first, list):
            return [self.value(item, depth + 1) for item in first]
        min_items = schema.get("minItems", 0)
        count = max(min_items, 0 if depth >= _DEPTH else 1)
        return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]


def _fixed(schema: Mapping[str, Any]) -> Sequence[Any]:
    if "const" in schema:
        return [schema["const"]]
    for keyword in ("enum", "examples"):
        options = schema.get(keyword)
        if isinstance(options, list) and options:
            return options[:1]
    return [schema["default"]] if schema.get("default") is not None else []


def _merged(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**left, **right}
    if isinstance(left.get("properties"), Mapping) and isinstance(right.get("properties"), Mapping):
        merged["properties"] = {**left["properties"], **right["properties"]}
    if isinstance(left.get("required"), list) and isinstance(right.get("required"), list):
        merged["required"] = [*left["required"], *right["required"]]
    return merged


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    value: int | float = 1
    if isinstance(schema.get("minimum"), int | float):
        value = max(value, schema["minimum"])
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        value = max(value, schema["exclusiveMinimum"] + 1)
    if isinstance(schema.get("maximum"), int | float):
        value = min(value, schema["maximum"])
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        value = min(value, schema["exclusiveMaximum"] - 1)
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and step:
        value = -(-value // step) * step
    return int(value) if whole else value


def _string(schema: Mapping[str, Any]) -> str:
    text = _FORMATS.get(str(schema.get("format")), "example")
    min_length, max_length = schema.get("minLength"), schema.get("maxLength")
    if isinstance(min_length, int):
        text = text.ljust(min_length, "x")
    return text[:max_length] if isinstance(max_length, int) else text
