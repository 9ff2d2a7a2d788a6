"""The config of `proxy-config`: its models, their facts, its fallbacks."""

from __future__ import annotations

import itertools
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.active import ModelTable
from litellm_synthetic.catalog.fallbacks import window_fallbacks
from litellm_synthetic.catalog.models import Model
from litellm_synthetic.catalog.table import Catalog, load_bundled
from litellm_synthetic.cli.proxy_config_models import choose
from litellm_synthetic.cli.proxy_config_yaml import ConfigOptions, proxy_config
from litellm_synthetic.config.allowlist import parse_allowlist
from tests.cli.invocation import invoke

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import NewRouter

BASE_URL = "https://api.synthetic.new/openai/v1"
FLAGS = [
    list(flags)
    for count in range(4)
    for flags in itertools.combinations(("--aliases", "--fallbacks", "--redis"), count)
]
ALIASES = [one.id for one in load_bundled().current() if one.kind == "alias"]
CHAT = [one.id for one in load_bundled().current() if one.kind == "chat"]
FLASH = [one for one in CHAT if one.endswith("Flash")]
# `/health` leaves such a model out.
UNPROBED = {"disable_background_health_check": True}
EMBEDDINGS = [one.id for one in load_bundled().current() if one.kind == "embedding"]
HOSTILE = [
    "hf:a/b: c", "x # y", '" - "', "'", "a\\", "\n- injected: true", "---", "...", "%YAML 1.1",
    "!!python/object/apply:os.system [id]", "&a", "*a", "{a: b}", "[1]", "? a", "- a", "<<", "=",
    "~", "null", "Yes", "off", "n", "1e3", "0x1f", "1:20", "1_000", "2026-11-20", ".inf", "NaN",
    " a", "a ", "\t", "\x00\x07\x1b\x7f\x85", "\u2028\u2029\ufeff\u202e", "\U0001f600", "é",
]  # fmt: skip  # one list, read as one


run = partial(invoke, "proxy-config")


def config(*arguments: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    loaded = yaml.safe_load(run(*arguments, env=env).stdout)
    assert isinstance(loaded, dict)
    return loaded


def ids(written: Mapping[str, Any]) -> list[str]:
    return [
        one["litellm_params"]["model"].removeprefix("synthetic/") for one in written["model_list"]
    ]


def test_the_efforts_are_those_that_lead_to_an_answer() -> None:
    assert "Reasoning efforts: high, max." in run("--models", "hf:zai-org/GLM-5.3-Flash").stdout


def model(model_id: str = "hf:a/b", window: int | None = None, **facts: Any) -> Model:
    row = {"kind": "chat", "status": "current", "sources": ["test"], **facts}
    return Model.model_validate({"id": model_id, "context_window_tokens": window, **row})


def table(*models: Model, base_url: str = BASE_URL) -> ModelTable:
    day = date(2026, 10, 8)
    catalog = Catalog(observed_on=day, compiled_on=day, sources={}, models=models)
    return ModelTable(catalog, "bundled", None, base_url)


class TestTheFile:
    @pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
    @pytest.mark.filterwarnings("ignore:Router\\..* is deprecated")  # from 1.109 on
    def test_makes_a_router_with_any_flags(self, flags: list[str], new_router: NewRouter) -> None:
        written = config(*flags)
        settings = written["router_settings"]
        router = new_router(written["model_list"], **settings)
        known = {one["model_name"] for one in router.get_model_list() or ()}
        assert known == {f"synthetic/{one}" for one in ids(written)}
        assert ("context_window_fallbacks" in settings) is ("--fallbacks" in flags)
        fallbacks = settings.get("context_window_fallbacks")
        assert fallbacks is None or router.context_window_fallbacks == fallbacks
        assert written["litellm_settings"].get("cache", False) is ("--redis" in flags)

    @pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
    def test_loads_the_package_and_reads_every_key_from_the_environment(
        self, flags: list[str]
    ) -> None:
        written = config(*flags, env={"SYNTHETIC_API_KEY": "syn_made_up_000000000000"})
        assert written["litellm_settings"]["callbacks"] == ["litellm_synthetic.proxy.route"]
        assert written["general_settings"] == {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "health_check_skip_disabled_background_models": True,
        }
        keys = {one["litellm_params"]["api_key"] for one in written["model_list"]}
        assert keys == {"os.environ/SYNTHETIC_API_KEY"}
        assert "syn_made_up" not in yaml.safe_dump(written)

    def test_keeps_redis_in_the_environment_and_its_cache_for_those_who_ask(self) -> None:
        written = config("--redis")
        assert written["litellm_settings"]["cache_params"] == {
            "type": "redis",
            "host": "os.environ/REDIS_HOST",
            "port": "os.environ/REDIS_PORT",
            "password": "os.environ/REDIS_PASSWORD",
            "mode": "default_off",
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
        }
        # The router takes that connection; one of its own would have to notice a dead Redis again.
        assert not any("redis" in name for name in written["router_settings"])

    def test_states_limits_of_models_nothing_of_aliases_and_no_price(self) -> None:
        entries = dict(zip(ids(written := config("--aliases")), written["model_list"], strict=True))
        assert entries["hf:openai/gpt-oss-120b"]["model_info"] == {
            **UNPROBED,
            "mode": "chat",
            "max_input_tokens": 131072,
            "max_output_tokens": 65536,
            "supports_function_calling": True,
            "supports_vision": False,
            "supports_reasoning": True,
            "supports_response_schema": True,
        }
        assert entries["syn:large:text"]["model_info"] == {**UNPROBED, "mode": "chat"}
        assert entries[EMBEDDINGS[0]]["model_info"] == {
            **UNPROBED,
            "mode": "embedding",
            "max_input_tokens": 8192,
            "output_vector_size": 768,
        }
        assert "cost" not in yaml.safe_dump(written)

    def test_says_the_date_its_origin_and_what_each_alias_serves(self) -> None:
        text = run("--aliases", "--models", "HF:zai-org/*").stdout
        assert "#   litellm-synthetic proxy-config --models 'HF:zai-org/*' --aliases\n" in text
        assert "# from the facts of 2026-10-08." in text
        assert "# Serves hf:deepseek-ai/DeepSeek-V4.1-Flash now.\n" in text
        assert "# USD per million tokens: 1.40 in, 4.40 out, 0.26 in from the cache.\n" in text
        assert all(len(line) <= 100 for line in text.splitlines())
        assert text.isascii()

    def test_is_the_same_each_time(self) -> None:
        flags = ["--aliases", "--fallbacks", "--redis"]
        assert run(*flags).stdout_bytes == run(*flags).stdout_bytes

    def test_says_where_a_gateways_facts_are_from(self) -> None:
        own = table(model(), base_url="https://gateway.example/openai/v1")
        text = proxy_config(own, own.catalog.models, ConfigOptions())
        assert "https://gateway.example/openai/v1: set SYNTHETIC_API_BASE" in text.replace(
            "\n# ", " "
        )
        assert "api_base" not in yaml.safe_dump(yaml.safe_load(text))

    def test_warns_of_a_model_without_a_price_and_of_a_deprecated_one(self) -> None:
        own = table(model(deprecated=True))
        text = proxy_config(own, own.catalog.models, ConfigOptions())
        assert "No price is known" in text
        assert "marks it as deprecated" in text

    @settings(deadline=None)
    @given(
        st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=4),
        st.text(max_size=30),
        st.text(max_size=30),
    )
    @example(HOSTILE, "\n- evil: true", "\nevil: true")
    @example([" ".join(HOSTILE)], "\r- evil", "\x85evil: 1")
    def test_holds_nothing_but_the_ids_whatever_they_hold(
        self, model_ids: list[str], target: str, command: str
    ) -> None:
        targets = [{"from": "2026-01-01", "to": None, "target": target, "source": ""}]
        own = table(
            *(
                model(
                    one, place + 1, kind="alias", alias_targets=targets, input_modalities=[target]
                )
                for place, one in enumerate(model_ids)
            ),
            base_url=command,
        )
        options = ConfigOptions(fallbacks=True, command=command, file=command)
        text = proxy_config(own, own.catalog.models, options)
        written = yaml.safe_load(text)
        assert [one["model_name"] for one in written["model_list"]] == [
            f"synthetic/{one}" for one in model_ids
        ]
        assert list(written) == [
            "model_list",
            "litellm_settings",
            "router_settings",
            "general_settings",
        ]
        assert text.isascii()


class TestTheChoice:
    def test_is_every_current_chat_and_embedding_model(self) -> None:
        assert ids(config()) == CHAT + EMBEDDINGS

    def test_puts_aliases_first(self) -> None:
        assert ids(config("--aliases")) == ["default", *ALIASES, *CHAT, *EMBEDDINGS]

    @pytest.mark.parametrize(
        ("arguments", "found"),
        [
            (["--models", "hf:moonshotai/Kimi-K3"], ["hf:moonshotai/Kimi-K3"]),
            (["--models", "synthetic/moonshotai/kimi-k3"], ["hf:moonshotai/Kimi-K3"]),
            (["--models", "syn:small:*"], ["syn:small:text", "syn:small:vision"]),
            (["--models", "*Flash, syn:large:text"], ["syn:large:text", *FLASH]),
            (["--models", "*nomic*", "--models", "*flash"], [*FLASH, *EMBEDDINGS]),
            (["--models", "*nomic*", "--aliases"], ["default", *ALIASES, *EMBEDDINGS]),
            (["--models", "*"], [*ALIASES, *CHAT, *EMBEDDINGS]),
            (["--models", "*kimi-k3,*kimi-k3,*kimi*"], ["hf:moonshotai/Kimi-K3"]),
        ],
    )
    def test_is_what_ids_and_globs_name_in_any_spelling(
        self, arguments: list[str], found: list[str]
    ) -> None:
        assert ids(config(*arguments)) == found

    @pytest.mark.parametrize(
        ("word", "message"),
        [
            (
                "hf:moonshotai/Kimi-K4",
                "No model matches 'hf:moonshotai/Kimi-K4'. Closest: hf:moons",
            ),
            ("hf:zai-org/GLM-5.2", "hf:zai-org/GLM-5.2 is retired, last seen on"),
            ("zai-org/glm-5.2", "hf:zai-org/GLM-5.2 is retired, last seen on"),
            ("*GLM-4.6*", "is retired"),
            ("*GLM-4.?", "No current model matches '*GLM-4.?'; in the table: hf:zai-org/GLM-4."),
            ("hf:syntheticlab/*", "No current model matches 'hf:syntheticlab/*'; in the table: "),
            ("'hf:*'", "can match no id."),
            ("[", "can match no id."),
            ("zzzzzzzzzzz", "No model matches 'zzzzzzzzzzz'.\n"),
        ],
    )
    def test_fails_on_a_word_that_names_no_current_model(self, word: str, message: str) -> None:
        result = run("--models", f"syn:large:text,{word}", code=1)
        assert message in result.stderr
        assert result.stderr.endswith("Nothing was written.\n")
        assert result.stdout == ""

    def test_takes_an_unlisted_model_that_is_named_in_full_and_says_so(self) -> None:
        result = run("--models", "hf:syntheticlab/fix-json")
        assert ids(yaml.safe_load(result.stdout)) == ["hf:syntheticlab/fix-json"]
        assert "fix-json is not in the list of models (not in /models" in result.stderr
        assert "No price of hf:syntheticlab/fix-json is known" in result.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--models", ""],
            ["--models", " , "],
            ["--force"],
            ["--out", ""],
            ["--force", "--out", "-"],
        ],
    )
    def test_refuses_options_that_mean_nothing(self, arguments: list[str]) -> None:
        assert "error: --" in run(*arguments, code=2).stderr

    @given(st.text(max_size=20))
    def test_gives_models_or_a_problem_for_any_word(self, word: str) -> None:
        choice = choose(load_bundled(), [word], aliases=False, allowlist=None)
        assert bool(choice.models) is not bool(choice.problems)


class TestTheAllowlist:
    def test_counts_for_what_default_stands_for(self) -> None:
        allowed = {"SYNTHETIC_ALLOWED_MODELS": "syn:small:*"}
        assert "default" not in ids(yaml.safe_load(run("--aliases", env=allowed).stdout))
        variables = {**allowed, "SYNTHETIC_MODEL": "syn:small:text"}
        assert "default" in ids(yaml.safe_load(run("--aliases", env=variables).stdout))

    def test_keeps_the_others_out_with_a_remark(self) -> None:
        result = run("--aliases", env={"SYNTHETIC_ALLOWED_MODELS": "syn:*, *Kimi-K3, 'x'"})
        assert ids(yaml.safe_load(result.stdout)) == ["default", *ALIASES, "hf:moonshotai/Kimi-K3"]
        assert f"{len(CHAT + EMBEDDINGS) - 1} hidden by SYNTHETIC_ALLOWED_MODELS" in result.stderr
        assert "\"'x'\" can match no id" in result.stderr

    @pytest.mark.parametrize("word", ["hf:moonshotai/Kimi-K3", "*kimi-k3", "hf:zai-org/GLM-5.2"])
    def test_is_not_undone_by_naming_a_model(self, word: str) -> None:
        result = run("--models", word, code=1, env={"SYNTHETIC_ALLOWED_MODELS": "syn:*"})
        assert f"SYNTHETIC_ALLOWED_MODELS does not allow {word!r}." in result.stderr
        assert result.stdout == ""

    def test_is_not_undone_by_suggestions(self) -> None:
        allowed = parse_allowlist("syn:small:*, hf:zai-org/*")
        for word in ("hf:moonshotai/Kimi-K", "hf:zai-org/GLM-5.2"):
            (problem,) = choose(load_bundled(), [word], aliases=False, allowlist=allowed).problems
            assert "moonshotai/Kimi-K3" not in problem
            assert "syn:large" not in problem

    def test_that_allows_nothing_leaves_nothing_to_write(self) -> None:
        result = run(code=1, env={"SYNTHETIC_ALLOWED_MODELS": "none:*"})
        assert result.stderr.endswith("error: No models to list.\nNothing was written.\n")


class TestTheOutput:
    def test_goes_into_a_file_that_is_there_only_once(self, tmp_path: Path) -> None:
        path = tmp_path / "config.yaml"
        result = run("--out", str(path))
        assert result.stdout == ""
        assert result.stderr.endswith(f"{len(CHAT + EMBEDDINGS)} models written to {path}\n")
        assert path.read_text() == run("--out", "-").stdout
        path.write_text("mine")
        again = run("--out", str(path), code=1)
        assert f"{path} exists already; --force replaces it." in again.stderr
        assert path.read_text() == "mine"
        run("--out", str(path), "--force")
        assert ids(yaml.safe_load(path.read_text())) == CHAT + EMBEDDINGS

    def test_names_its_file(self, tmp_path: Path) -> None:
        run("--out", str(tmp_path / "my config.yaml"))
        assert (
            "#   litellm --config 'my config.yaml'\n" in (tmp_path / "my config.yaml").read_text()
        )

    def test_is_not_a_folder(self, tmp_path: Path) -> None:
        assert "is a folder; name a file in it." in run("--out", str(tmp_path), code=1).stderr

    def test_follows_the_table_in_force(self) -> None:
        active.set_current_table(table(model("hf:new/One", 1000)))
        assert ids(config()) == ["hf:new/One"]


windows = st.one_of(st.none(), st.integers(1, 6).map(lambda size: size * 1000))
modalities = st.sampled_from([None, ["text"], ["text", "image"]])
prices = st.sampled_from([None, "0.000001", "0.000002"])
model_lists = st.lists(
    st.tuples(windows, modalities, prices, st.sampled_from([None, True, False]), st.booleans()),
    max_size=10,
).map(
    lambda rows: [
        model(
            f"{'syn:m' if is_alias else 'hf:lab/m'}{place}",
            window,
            kind="alias" if is_alias else "chat",
            input_modalities=inputs,
            tools=tools,
            prices={"input_usd_per_token": price, "output_usd_per_token": price},
        )
        for place, (window, inputs, price, tools, is_alias) in enumerate(rows)
    ]
)


class TestTheFallbacks:
    @given(model_lists)
    def test_go_to_larger_windows_nearest_first_and_keep_images_and_tools(
        self, models: list[Model]
    ) -> None:
        by_id = {one.id: one for one in models}
        for source, targets in window_fallbacks(models).items():
            window = by_id[source].context_window_tokens
            found = [by_id[one].context_window_tokens for one in targets]
            assert window is not None
            known = [one for one in found if one is not None]
            assert 1 <= len(targets) <= 3
            assert [window, *known] == sorted({window, *found}, key=lambda one: one or 0)
            if not by_id[source].cannot_see_images:
                assert all("image" in (by_id[one].input_modalities or ()) for one in targets)
            if not by_id[source].cannot_use_tools:
                assert not any(by_id[one].cannot_use_tools for one in targets)

    @given(model_lists)
    def test_are_missing_only_where_no_larger_window_fits(self, models: list[Model]) -> None:
        found = window_fallbacks(models)
        for one in models:
            fitting = [
                other
                for other in models
                if (other.context_window_tokens or 0) > (one.context_window_tokens or 10**9)
                and (one.cannot_see_images or "image" in (other.input_modalities or ()))
                and (one.cannot_use_tools or not other.cannot_use_tools)
            ]
            assert bool(fitting) is (one.id in found)
            if fitting:
                nearest = min(other.context_window_tokens or 0 for other in fitting)
                by_id = {each.id: each for each in models}
                assert by_id[found[one.id][0]].context_window_tokens == nearest

    def test_take_the_cheapest_of_equals_and_leave_an_unknown_price_last(self) -> None:
        def priced(model_id: str, price: str | None) -> Model:
            prices = {"input_usd_per_token": price, "output_usd_per_token": price}
            return model(model_id, 2000, prices=prices, input_modalities=["text"])

        small = model("hf:a/small", 1000, input_modalities=["text"])
        dear, cheap = priced("hf:a/dear", "0.000003"), priced("hf:a/cheap", "0.0000001")
        unknown = priced("hf:a/unknown", None)
        assert window_fallbacks([small, unknown, dear, cheap]) == {"hf:a/small": ("hf:a/cheap",)}
        assert window_fallbacks([small, unknown, dear]) == {"hf:a/small": ("hf:a/dear",)}

    def test_stay_among_aliases_or_models_where_both_have_the_window(self) -> None:
        found = window_fallbacks(load_bundled().current())
        assert found["syn:small:text"] == ("syn:small:vision", "syn:large:text")
        assert found["hf:openai/gpt-oss-120b"][-1] == "hf:zai-org/GLM-5.3-Flash"

    def test_keep_the_largest_window_where_there_are_many(self) -> None:
        many = [model(f"hf:a/m{size}", size, input_modalities=["text"]) for size in range(1, 9)]
        assert window_fallbacks(many)["hf:a/m1"] == ("hf:a/m2", "hf:a/m3", "hf:a/m8")

    def test_never_involve_embeddings(self) -> None:
        found = window_fallbacks(load_bundled().current())
        assert not {*EMBEDDINGS} & {*found, *itertools.chain(*found.values())}

    def test_that_cannot_be_are_remarked_on(self) -> None:
        result = run("--models", "syn:large:text", "--fallbacks")
        assert "No fallbacks: none of these models" in result.stderr
        assert "context_window_fallbacks" not in result.stdout
