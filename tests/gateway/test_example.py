"""The example runs as it stands, and so does what its README tells people to type."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway.running import MASTER_KEY, run_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.running import Proxy

FOLDER = Path(__file__).parents[2] / "examples" / "proxy"
README = (FOLDER / "README.md").read_text("utf-8")
WINDOWS = {"gpt-oss": 131_072, "small": 196_608, "vision": 262_144, "large": 524_288}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run one proxy on the example's file, where it lies."""
    folder = tmp_path_factory.mktemp("example")
    with run_proxy(folder, FOLDER / "config.yaml") as proxy:
        yield proxy


@pytest.fixture
def proxy(running: Proxy) -> Proxy:
    """Give a test the proxy, with an upstream that has heard nothing yet."""
    running.upstream.reset()
    return running


def typed(proxy: Proxy, command: list[str], text: str) -> str:
    """Run what the README says, at the address of the test's proxy."""
    assert "http://127.0.0.1:4000" in text
    done = subprocess.run(  # noqa: S603  # our own README
        command,
        input=text.replace("http://127.0.0.1:4000", proxy.url),
        env={**os.environ, "LITELLM_MASTER_KEY": MASTER_KEY},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_health_sends_no_paid_call(proxy: Proxy) -> None:
    with proxy.client() as client:
        report = client.get("/health")
    assert report.status_code == 200
    assert proxy.upstream.requests == []


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("block", blocks("bash"), ids=lambda text: text.split()[2].split("/v1/")[1])
def test_every_curl_of_the_readme_is_answered(proxy: Proxy, block: str) -> None:
    reply = json.loads(typed(proxy, ["bash", "-eu"], block))
    assert "error" not in reply
    assert reply.get("data") or reply.get("choices") or reply.get("content")


def test_the_readme_shows_each_kind_of_client() -> None:
    text = " ".join(blocks("bash"))
    for path in ("/v1/models", "/v1/chat/completions", "/v1/embeddings", "/v1/messages"):
        assert path in text


@pytest.mark.parametrize("block", blocks("python"))
def test_the_python_of_the_readme_streams_an_answer(proxy: Proxy, block: str) -> None:
    assert "Hello!" in typed(proxy, [sys.executable, "-"], block)
    assert proxy.upstream.last_request.json["stream"] is True


def test_lists_its_names_and_the_models(proxy: Proxy) -> None:
    with proxy.client() as client:
        ids = {one["id"] for one in client.get("/v1/models").json()["data"]}
        entries = client.get("/model/info").json()["data"]
    assert {*WINDOWS, "embeddings", "synthetic/hf:moonshotai/Kimi-K3"} <= ids
    result = {one["model_name"]: one["model_info"] for one in entries}
    assert {name: result[name]["max_input_tokens"] for name in WINDOWS} == WINDOWS
    assert all(result[name]["input_cost_per_token"] > 0 for name in WINDOWS)


@pytest.mark.parametrize(
    ("payload", "words", "answer"),
    [
        ("gpt-oss", 150_000, "syn:small:text"),
        ("small", 200_000, "syn:large:text"),
        ("vision", 270_000, "syn:large:text"),
    ],
)
def test_a_prompt_that_is_too_long_goes_to_a_larger_window(
    proxy: Proxy, payload: str, words: int, answer: str
) -> None:
    body: dict[str, Any] = {
        "model": payload,
        "messages": [{"role": "user", "content": "word " * words}],
    }
    with proxy.client() as client:
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text[:500]
    assert [one.json["model"] for one in proxy.upstream.requests] == [answer]
