"""The Grafana dashboard asks for series that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "grafana"
DASHBOARD: Any = json.loads((FOLDER / "synthetic.json").read_text("utf-8"))
_METRIC = re.compile(r"\blitellm_[a-z_]+")
_SUFFIX = re.compile(r"_bucket$")


def queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


def metrics() -> set[str]:
    return {_SUFFIX.sub("", name) for query in queries() for name in _METRIC.findall(query)}


def test_every_series_is_one_of_ours_or_of_litellms() -> None:
    prometheus = pytest.importorskip("prometheus_client")
    from litellm.types.integrations import prometheus as litellms  # noqa: PLC0415  # for this test

    from litellm_synthetic.integration.plan_metrics import plan_gauges  # noqa: PLC0415  # likewise

    plan_gauges()
    ours = {
        sample
        for family in prometheus.REGISTRY.collect()
        if family.name.startswith("litellm_synthetic_plan_")
        for sample in (family.name, f"{family.name}_total")
    }
    theirs = set(get_args(litellms.DEFINED_PROMETHEUS_METRICS))
    theirs |= {f"{name}_total" for name in theirs}
    assert metrics()
    assert metrics() - ours - theirs == set()


def test_the_plan_is_there_as_spend_and_latency_are() -> None:
    names = " ".join(metrics())
    for part in ("plan_remaining", "plan_capped", "refused_locally", "spend", "latency"):
        assert part in names


def test_each_of_our_series_is_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    assert {name for name in metrics() if "synthetic_plan" in name} <= set(_METRIC.findall(text))


def test_panels_do_not_overlap() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & own
        assert max(x for x, _ in own) < 24
        cells |= own


def test_every_panel_uses_the_chosen_data_source() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"
