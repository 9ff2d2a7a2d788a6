"""The set-up of each client for a LiteLLM proxy: the files, the variables and the command.

`docs/clients.md` is generated from these, and the suite runs them as they stand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.clients.releases import Release

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What the recipes call the model; `litellm-synthetic proxy-config --aliases` writes such groups.
MODEL = "large"
CONTEXT_TOKENS = 524_288
OUTPUT_TOKENS = 65_536
PROMPT = "Write the word hello into the file hello.txt"

CLAUDE_CODE = Release(
    "npm", "@anthropic-ai/claude-code", "2.1.332", "claude", node=22,
    native="@anthropic-ai/claude-code-{platform}-*/claude",
)  # fmt: skip  # one release, read as one
CODEX = Release("npm", "@openai/codex", "0.171.0", "codex", node=16)
OPENCODE = Release(
    "npm", "opencode-ai", "1.18.33", "opencode", node=16,
    native="opencode-{platform}-*/bin/opencode",
)  # fmt: skip  # one release, read as one
QWEN_CODE = Release("npm", "@qwen-code/qwen-code", "0.24.4", "qwen", node=22)
CONTINUE = Release("npm", "@continuedev/cli", "1.5.47", "cn", node=20)
PI = Release("npm", "@mariozechner/pi-coding-agent", "0.73.1", "pi", node=20)
GEMINI_CLI = Release("npm", "@google/gemini-cli", "0.61.0", "gemini", node=20)
OCTOFRIEND = Release("npm", "octofriend", "latest", "octofriend", node=20)
AIDER = Release("PyPI", "aider-chat", "0.86.2", "aider")


@dataclass(frozen=True)
class Recipe:
    """Describe how one client reaches a proxy with one API.

    Texts may hold `{url}`, the proxy's address, and `{key}`, a key of the proxy's.

    Attributes:
        name: what tests and tables call it.
        title: what people call it.
        api: the proxy's endpoint that it uses.
        release: the release that the suite runs.
        arguments: of the command, the prompt last or where `{prompt}` stands.
        files: by path; one that begins with `~/` is in the home folder, others beside the work.
        variables: of the environment.
        tools: the names of the tools that write a file, with what to call each with.
        note: what else to know, in Markdown.
        does_tools: whether it writes files by calling tools; aider reads them out of the text.
    """

    name: str
    title: str
    api: str
    release: Release
    arguments: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, Callable[[str], dict[str, Any]]] = field(default_factory=dict)
    note: str = ""
    does_tools: bool = True

    def filled(self, text: str, url: str, key: str) -> str:
        """Return a text with the proxy's address and key in it."""
        return text.replace("{url}", url).replace("{key}", key).replace("{prompt}", PROMPT)


def _opencode(package: str) -> str:
    limit = {"context": CONTEXT_TOKENS, "output": OUTPUT_TOKENS}
    options = {"baseURL": "{url}/v1", "apiKey": "{env:LITELLM_KEY}"}
    provider = {"npm": package, "name": "LiteLLM", "options": options,
                "models": {MODEL: {"name": MODEL, "limit": limit}}}  # fmt: skip  # as it is written
    document = {"$schema": "https://opencode.ai/config.json", "autoupdate": False,
                "model": f"litellm/{MODEL}", "small_model": f"litellm/{MODEL}",
                "provider": {"litellm": provider}}  # fmt: skip  # as above
    return json.dumps(document, indent=2) + "\n"


def _pi(api: str, base_url: str) -> str:
    model = {"id": MODEL, "reasoning": True, "contextWindow": CONTEXT_TOKENS,
             "maxTokens": OUTPUT_TOKENS}  # fmt: skip  # as it is written
    provider = {"baseUrl": base_url, "api": api, "apiKey": "LITELLM_KEY", "models": [model]}
    return json.dumps({"providers": {"litellm": provider}}, indent=2) + "\n"


_PI_ARGUMENTS = ("-p", "--provider", "litellm", "--model", MODEL, "{prompt}")
_PI_FILE = "~/.pi/agent/models.json"
_KEY = {"LITELLM_KEY": "{key}"}


def _file_path(path: str) -> dict[str, Any]:
    return {"file_path": path, "content": "hello\n"}


def _opencode_call(path: str) -> dict[str, Any]:
    return {"filePath": path, "content": "hello\n"}


def _pi_call(path: str) -> dict[str, Any]:
    return {"path": path, "content": "hello\n"}


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "claude-code", "Claude Code", "/v1/messages", CLAUDE_CODE,
        ("-p", "{prompt}", "--dangerously-skip-permissions"),
        variables={
            "ANTHROPIC_BASE_URL": "{url}",
            "ANTHROPIC_AUTH_TOKEN": "{key}",
            "ANTHROPIC_MODEL": MODEL,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "small",
            "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(CONTEXT_TOKENS),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        tools={"Write": _file_path},
        note="Without `CLAUDE_CODE_MAX_CONTEXT_TOKENS` it takes the window of a model that it does "
        "not know for a million tokens, and compacts only when Synthetic refuses the prompt.",
    ),
    Recipe(
        "codex", "Codex", "/v1/responses", CODEX,
        ("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "{prompt}"),
        files={
            "~/.codex/config.toml": f'model = "{MODEL}"\n'
            'model_provider = "litellm"\n'
            f"model_context_window = {CONTEXT_TOKENS}\n"
            f"model_max_output_tokens = {OUTPUT_TOKENS}\n\n"
            "[model_providers.litellm]\n"
            'name = "LiteLLM"\n'
            'base_url = "{url}/v1"\n'
            'env_key = "LITELLM_KEY"\n'
            'wire_api = "responses"\n'
        },
        variables=_KEY,
        tools={
            "exec_command": lambda path: {"cmd": f"echo hello > {path}"},
            "shell": lambda path: {"command": ["bash", "-lc", f"echo hello > {path}"]},
        },
        note="It warns that it has no metadata for the model; the two limits are what it needs of "
        "them.",
    ),
    Recipe(
        "opencode", "opencode", "/v1/chat/completions", OPENCODE, ("run", "{prompt}"),
        files={"opencode.json": _opencode("@ai-sdk/openai-compatible")},
        variables=_KEY,
        tools={"write": _opencode_call},
    ),
    Recipe(
        "opencode-messages", "opencode over Messages", "/v1/messages", OPENCODE,
        ("run", "{prompt}"),
        files={"opencode.json": _opencode("@ai-sdk/anthropic")},
        variables=_KEY,
        tools={"write": _opencode_call},
    ),
    Recipe(
        "qwen-code", "Qwen Code", "/v1/chat/completions", QWEN_CODE,
        ("-p", "{prompt}", "--yolo", "--auth-type", "openai"),
        variables={
            "OPENAI_BASE_URL": "{url}/v1", "OPENAI_API_KEY": "{key}", "OPENAI_MODEL": MODEL,
        },
        tools={"write_file": _file_path},
    ),
    Recipe(
        "continue", "Continue's cn", "/v1/chat/completions", CONTINUE,
        ("-p", "{prompt}", "--config", "config.yaml", "--auto"),
        files={
            "config.yaml": "name: LiteLLM\nversion: 1.0.0\nschema: v1\nmodels:\n"
            f"  - name: {MODEL}\n    provider: openai\n    model: {MODEL}\n"
            "    apiBase: {url}/v1\n    apiKey: {key}\n    roles: [chat]\n"
            "    capabilities: [tool_use]\n    defaultCompletionOptions:\n"
            f"      contextLength: {CONTEXT_TOKENS}\n"
        },
        tools={"Write": lambda path: {"filepath": path, "content": "hello\n"}},
        note="It drops the reasoning of earlier turns by itself.",
    ),
    Recipe(
        "pi", "pi", "/v1/chat/completions", PI, _PI_ARGUMENTS,
        files={_PI_FILE: _pi("openai-completions", "{url}/v1")},
        variables=_KEY,
        tools={"write": _pi_call},
    ),
    Recipe(
        "pi-responses", "pi over Responses", "/v1/responses", PI, _PI_ARGUMENTS,
        files={_PI_FILE: _pi("openai-responses", "{url}/v1")},
        variables=_KEY,
        tools={"write": _pi_call},
    ),
    Recipe(
        "pi-messages", "pi over Messages", "/v1/messages", PI, _PI_ARGUMENTS,
        files={_PI_FILE: _pi("anthropic-messages", "{url}")},
        variables=_KEY,
        tools={"write": _pi_call},
    ),
    Recipe(
        "gemini-cli", "Gemini CLI", "/v1beta/models", GEMINI_CLI,
        ("-p", "{prompt}", "-m", MODEL, "--yolo"),
        files={
            "~/.gemini/settings.json": json.dumps(
                {
                    "security": {"auth": {"selectedType": "gemini-api-key"}},
                    "privacy": {"usageStatisticsEnabled": False},
                },
                indent=2,
            )
            + "\n"
        },
        variables={
            "GOOGLE_GEMINI_BASE_URL": "{url}",
            "GEMINI_API_KEY": "{key}",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        },
        tools={"write_file": _file_path},
    ),
    Recipe(
        "octofriend", "octofriend", "/v1/chat/completions", OCTOFRIEND, (),
        note="npm does not have it, so nothing here is tried. It takes any OpenAI base URL: "
        "`{url}/v1`, with a key of the proxy's and the model `large`. It reads "
        "`x-synthetic-quotas` of a reply, which a proxy calls `llm_provider-x-synthetic-quotas`.",
    ),
    Recipe(
        "aider", "aider", "/v1/chat/completions", AIDER,
        (
            "--model", f"openai/{MODEL}", "--no-git", "--yes-always", "--no-check-update",
            "--analytics-disable", "--no-show-model-warnings", "--message", "{prompt}", "hello.txt",
        ),
        variables={"OPENAI_API_BASE": "{url}/v1", "OPENAI_API_KEY": "{key}"},
        note="It brings a LiteLLM of its own, which only talks to the proxy here.",
        does_tools=False,
    ),
)  # fmt: skip  # one table, read as one
