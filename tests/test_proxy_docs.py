"""Every YAML in the pages on the proxy means what LiteLLM understands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from litellm_synthetic.catalog.table import load_bundled

if TYPE_CHECKING:
    from tests.conftest import NewRouter

ROOT = Path(__file__).parents[1]


def snippets(page: Path) -> list[dict[str, Any]]:
    result = re.findall(r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(each) for each in result]


DOCUMENTED = snippets(ROOT / "docs" / "proxy.md")
EXAMPLE = yaml.safe_load((ROOT / "examples" / "proxy" / "config.yaml").read_text("utf-8"))
CONFIGS = [*DOCUMENTED, *snippets(ROOT / "README.md"), EXAMPLE]
WHOLE = [one for one in CONFIGS if "model_list" in one]


def test_the_page_has_snippets_of_each_section() -> None:
    sections = {"model_list", "litellm_settings", "router_settings", "general_settings"}
    assert {section for one in DOCUMENTED for section in one} == sections
    assert len(DOCUMENTED) == 6


@pytest.mark.parametrize("config", WHOLE)
@pytest.mark.filterwarnings("ignore:Router\\..* is deprecated")  # from 1.109 on
async def test_a_router_understands_the_models_and_its_settings(
    config: dict[str, Any], new_router: NewRouter
) -> None:
    router = new_router(config["model_list"], **config.get("router_settings", {}))
    names = {one["model_name"] for one in router.get_model_list() or ()}
    assert names == {one["model_name"] for one in config["model_list"]}


@pytest.mark.parametrize("config", WHOLE)
def test_the_models_are_current_and_the_fallbacks_name_entries(config: dict[str, Any]) -> None:
    names = {one["model_name"] for one in config["model_list"]}
    for one in config["model_list"]:
        facts = load_bundled().find(one["litellm_params"]["model"])
        assert one["model_name"] == "synthetic/*" or (facts is not None and facts.is_current)
        assert one["litellm_params"]["api_key"] == "os.environ/SYNTHETIC_API_KEY"
    settings = config.get("router_settings", {})
    for fallbacks in (settings.get("context_window_fallbacks"), settings.get("fallbacks")):
        for step in fallbacks or ():
            assert names >= {*step, *(one for others in step.values() for one in others)}
