"""The tool that tests give to models."""

from __future__ import annotations

from typing import Any, Final

CITY: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
WEATHER: Final[Any] = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": CITY},
}
