"""The requests of real clients, as small as they can be with every field still there.

`tox run -e clients -- --record -k writes` writes them; `tests/gateway/test_client_requests.py`
replays them through a proxy, which needs no download.

What is kept is the shape: names of fields, kinds of values, roles, types of blocks, the order of
messages. Prose, paths, ids, keys and what tells one machine or session from another are not.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "clients"
MAX_TOOLS = 2
# Headers that say how the client speaks, and nothing of who or where it is.
_HEADERS = ("accept", "anthropic-beta", "anthropic-version", "content-type", "user-agent")
# Texts that are words of a protocol, which no person has written.
_WORD = re.compile(r"[A-Za-z0-9_.+:/$-]{1,60}")
_PATH = re.compile(r"/[^\s\"'<>]*/")
_IDENTIFIER = re.compile(r"[0-9a-f]{12,}|[0-9a-f]{8}-[0-9a-f]{4}|sk-|syn_|^msg_|^rs_|^fc_|^call_")
_PROSE = frozenset(("text", "content", "description", "instructions", "title", "output"))
# A call and its result are found again by these; each id becomes another one, the same throughout.
_IDS = frozenset(("id", "tool_use_id", "tool_call_id", "call_id", "user_id", "prompt_cache_key"))


def write(name: str, requests: list[dict[str, Any]]) -> None:
    """Write what a client sent, scrubbed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    document = [scrubbed(request) for request in requests]
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def read(name: str) -> list[dict[str, Any]]:
    """Return the requests of one client."""
    document: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return document


def scrubbed(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request without anybody's prose, paths, ids and keys."""
    headers = {
        name: _user_agent(value) if name == "user-agent" else value
        for name, value in request["headers"].items()
        if name in _HEADERS
    }
    ids: dict[str, str] = {}
    body = _scrub(request["body"], "", ids)
    return {"path": request["path"].partition("&")[0], "headers": headers, "body": body}


def _user_agent(text: str) -> str:
    """Return the product and its version: the rest tells of the machine."""
    return text.split(" ", maxsplit=1)[0]


def _scrub(value: Any, name: str, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _schema(each) if key in {"input_schema", "parameters"} else _scrub(each, key, ids)
            for key, each in value.items()
        }
    if isinstance(value, list):
        kept = _few_tools(value) if name == "tools" else value
        return [_scrub(each, name, ids) for each in kept]
    if isinstance(value, str):
        return _text(value, name, ids)
    return value


def _few_tools(tools: list[Any]) -> list[Any]:
    """Return the tools that write a file, and one more of each kind."""
    kinds: dict[Any, int] = {}
    few = []
    for tool in sorted(tools, key=lambda tool: "rite" not in json.dumps(tool)[:200]):
        kind = (tool.get("type"), tuple(sorted(tool)))
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] <= MAX_TOOLS:
            few.append(tool)
    return few


def _schema(schema: Any) -> Any:
    """Return a tool's schema without its descriptions."""
    if isinstance(schema, dict):
        return {
            key: _schema(each)
            for key, each in schema.items()
            if key != "description" or isinstance(each, dict)
        }
    return [_schema(each) for each in schema] if isinstance(schema, list) else schema


def _text(text: str, name: str, ids: dict[str, str]) -> str:
    if name in _IDS or _IDENTIFIER.search(text):
        return ids.setdefault(text, f"id_{len(ids)}")
    if name == "arguments":
        return json.dumps(dict.fromkeys(json.loads(text), "x"))
    if name in _PROSE or not _WORD.fullmatch(text) or _PATH.search(text):
        return "Words." if text else ""
    return text
