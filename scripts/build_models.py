# ruff: noqa: INP001  a script that is run by its path, not a package
"""Rebuild `litellm_synthetic/data/models.json` and print what changed.

    python scripts/build_models.py FACTS.json SEEDS_DIR [--out PATH] [--check]

FACTS.json is a collection of dated facts about the models, one object per id, with prices in USD
per million tokens. SEEDS_DIR holds saved pages (`*.txt`) of two published model tables whose
figures are compared with the kept ones: Mastra's (context windows) and OpenClaw's (context window,
max tokens, reasoning, input), the latter in several translations.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from litellm_synthetic.catalog.models import EFFORT_SCALE
from litellm_synthetic.catalog.table import FORMAT, Catalog

DEFAULT_OUT = Path(__file__).parent.parent / "litellm_synthetic" / "data" / "models.json"

Row = dict[str, Any]

# How the facts call a project that they don't name, and how a reader of the table is told.
UNNAMED_PROJECT = ("a public repository's file", "a public project")

# Decisions. Where reports conflict, or say something that the facts hold as prose only, the choice
# is made here, once, with its reason. `add` is put into the list of that name.
EFFORT_DECISIONS: Mapping[str, Mapping[str, Any]] = {
    "hf:openai/gpt-oss-120b": {
        "add": {"rejected": ["minimal", "xhigh"]},
        "reason": (
            "Decided: minimal and xhigh count as rejected. A probe of 2026-07-28 had them "
            "accepted, a later one (September 2026) had them rejected upstream, and the API does "
            "not advertise them."
        ),
    },
    "hf:zai-org/GLM-5.3": {
        "add": {"unreliable": ["low"]},
        "reason": "Decided: low stays accepted, being advertised, but is marked unreliable.",
    },
    "hf:zai-org/GLM-5.3-Flash": {
        "add": {"unreliable": ["low"]},
        "reason": "Decided: low stays accepted, being advertised, but is marked unreliable.",
    },
}

# pi-synthetic@30f1bc30: `thinking: {"type": "disabled"}` works on the Messages API, also where
# the OpenAI API cannot stop a model (gpt-oss-120b), with this one exception.
CANNOT_STOP_ON_MESSAGES = frozenset({"hf:zai-org/GLM-5.3-Flash"})

# The template of this model drops thinking that is sent back unless told otherwise
# (pi-synthetic@30f1bc30). GLM-5.3 without Flash needs nothing, and no alias serves Flash now.
REPLAY_DECISIONS: Mapping[str, Mapping[str, Any]] = {
    "hf:zai-org/GLM-5.3-Flash": {"chat_template_kwargs": {"clear_thinking": False}},
}

PRICE_FIELDS = {
    "prompt": "input_usd_per_token",
    "completion": "output_usd_per_token",
    "cache_read": "cache_read_usd_per_token",
    "cache_write": "cache_write_usd_per_token",
}
MASTRA, OPENCLAW = "mastra-21", "openclaw-21"
YES_NO = {"no": False, "non": False, "sì": True, "sí": True, "oui": True, "yes": True}
MODALITY_WORDS = {"text": "text", "texte": "text", "testo": "text", "image": "image"}
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
GROUPED_NUMBER = re.compile(r"\d{1,3}(?:[,\s]\d{3})*")


def usd_per_token(usd_per_million: Decimal | int | None) -> str | None:
    """Turn a price per million tokens into an exact decimal string per token."""
    if usd_per_million is None:
        return None
    exact = Decimal(usd_per_million) / 1_000_000
    return format(exact.normalize(), "f") if exact else "0"


def prices(reported: Mapping[str, Any]) -> Row:
    """Rename and convert the price fields of a fact."""
    return {ours: usd_per_token(reported.get(theirs)) for theirs, ours in PRICE_FIELDS.items()}


def split_remark(text: str) -> tuple[str, str | None]:
    """Part `word (remark)` into the word and the remark."""
    word, _, remark = text.partition(" (")
    return word, remark.removesuffix(")") or None


def kind(reported: str) -> str:
    """Name the kind of a model in our words."""
    word, _ = split_remark(reported)
    return "helper" if word == "helper-chat" else word


def known_efforts(reported: list[str] | None) -> list[str] | None:
    """Keep the values of the scale, least first; what isn't on it is told in the note only."""
    return None if reported is None else [each for each in EFFORT_SCALE if each in reported]


def efforts(model_id: str, reported: Mapping[str, Any] | None) -> Row | None:
    """Collect what is known about a model's efforts, decisions applied."""
    if reported is None:
        return None
    lists = {
        "advertised": known_efforts(reported.get("advertised_by_api")),
        "verified": known_efforts(reported.get("verified_accepted")),
        "rejected": known_efforts(reported.get("verified_rejected")),
        "unreliable": None,
    }
    decision = EFFORT_DECISIONS.get(model_id, {})
    for name, extra in decision.get("add", {}).items():
        lists[name] = known_efforts([*(lists[name] or []), *extra])
    note = " ".join(filter(None, [reported.get("verified_note"), decision.get("reason")]))
    return {
        **lists,
        "can_stop": reported.get("can_disable"),
        "can_stop_on_messages": False if model_id in CANNOT_STOP_ON_MESSAGES else None,
        "note": note or None,
    }


def removal(reported: str | None) -> tuple[str | None, str | None]:
    """Part the date of a removal from what is said about it."""
    result = ISO_DATE.search(reported or "")
    date = result.group() if result else None
    return date, None if reported == date else reported


def seed_rows(text: str, ids: list[str]) -> Iterator[tuple[str, str, Row]]:
    """Yield (seed, id, figures) for each row of a model table in a saved page.

    Raises:
        ValueError: a row's id can't be told from its figures.
    """
    for line in text.splitlines():
        if line.startswith("synthetic/hf:"):
            yield mastra_row(line.removeprefix("synthetic/"), ids)
        elif (row := openclaw_row(line)) is not None:
            yield row


def mastra_row(line: str, ids: list[str]) -> tuple[str, str, Row]:
    """Read `hf:owner/name128,000`: the page was saved with its columns run together."""
    readings = [each for each in ids if line.startswith(each)]
    readings = [each for each in readings if GROUPED_NUMBER.fullmatch(line.removeprefix(each))]
    if len(readings) != 1:
        raise ValueError(f"cannot part the id from the figure in {line!r}")
    window = whole_number(line.removeprefix(readings[0]))
    return MASTRA, readings[0], {"context_window_tokens": window}


def openclaw_row(line: str) -> tuple[str, str, Row] | None:
    """Read `hf:owner/name 128,000 8,192 no text + image`, with or without pipes."""
    cells = [cell.strip(" `") for cell in line.strip().strip("|").split("|")]
    if len(cells) == 1:
        plain = line.split(maxsplit=3)
        words = plain.pop().split(maxsplit=1) if len(plain) > 3 else []  # noqa: PLR2004  id, two figures, the rest
        # One translation was saved without its word for yes; then the others tell.
        cells = plain + (words if words and words[0] in YES_NO else ["", " ".join(words)])
    if len(cells) != 5 or not cells[0].startswith("hf:"):  # noqa: PLR2004  the table has five columns
        return None
    model_id, window, output, reasoning, modalities = cells
    row: Row = {
        "context_window_tokens": whole_number(window),
        "max_output_tokens": whole_number(output),
        "input_modalities": [MODALITY_WORDS[word.strip()] for word in modalities.split("+")],
    }
    if reasoning:
        row["reasoning"] = YES_NO[reasoning]
    return OPENCLAW, model_id, row


def whole_number(text: str) -> int:
    """Read a number whose thousands are grouped by commas or spaces of any kind."""
    return int(re.sub(r"[,\s]", "", text))


def read_seeds(folder: Path, ids: list[str]) -> dict[str, dict[str, Row]]:
    """Read the tables of all saved pages as {seed: {id: figures}}.

    Raises:
        ValueError: translations of one table disagree, or a row is of an unknown id.
    """
    seeds: dict[str, dict[str, Row]] = {MASTRA: {}, OPENCLAW: {}}
    for page in sorted(folder.glob("*.txt")):
        for seed, model_id, figures in seed_rows(page.read_text("utf-8"), ids):
            if model_id not in ids:
                raise ValueError(f"{page.name}: {model_id} is not among the facts")
            row = seeds[seed].setdefault(model_id, {})
            for field, value in figures.items():
                if row.setdefault(field, value) != value:
                    raise ValueError(f"{page.name}: {model_id} {field} is {value} or {row}")
    return seeds


def seed_differences(model: Row, seeds: Mapping[str, Mapping[str, Row]]) -> list[Row]:
    """List where a published table states another figure than the kept one."""
    return [
        {"field": field, "seed": seed, "seed_value": document, "value": model[field]}
        for seed, rows in seeds.items()
        for field, document in rows.get(model["id"], {}).items()
        if document != model[field]
    ]


def build_model(fact: Mapping[str, Any], seeds: Mapping[str, Mapping[str, Row]]) -> Row:
    """Turn one fact into a row of our file."""
    status, status_note = split_remark(fact["status"])
    removed_on, removal_note = removal(fact["removed_by"])
    dimensions = fact.get("dimensions")
    model: Row = {
        "id": fact["id"],
        "kind": kind(fact["kind"]),
        "status": status,
        "status_note": status_note,
        "context_window_tokens": fact["context_length"],
        "max_output_tokens": fact["max_output_length"],
        "input_modalities": fact["input_modalities"],
        "output_modalities": fact["output_modalities"],
        "tools": fact["tools"],
        "reasoning": fact["reasoning"],
        "json_mode": fact["json_mode"],
        "structured_outputs": fact["structured_outputs"],
        "prices": prices(fact["pricing_usd_per_1m"]),
        "price_history": [
            {"date": each["date"], **prices(each), "source": each["source"]}
            for each in fact["price_history"] or []
        ],
        "efforts": efforts(fact["id"], fact["reasoning_effort"]),
        "replay": REPLAY_DECISIONS.get(fact["id"]),
        "embedding": {"dimensions": dimensions} if dimensions else None,
        "first_seen": fact["first_seen"],
        "last_seen": fact["last_seen"],
        "removed_on": removed_on,
        "removal_note": removal_note,
        "alias_targets": fact.get("alias_history", []),
        "sources": fact["sources"],
        "note": fact["notes"],
    }
    return {**model, "seed_differences": seed_differences(model, seeds)}


def build(facts: Mapping[str, Any], seeds_folder: Path) -> Row:
    """Build the whole document.

    Raises:
        ValueError: a row is invalid, names a source without a description, or a decision is about
            an id that isn't there.
    """
    ids = [fact["id"] for fact in facts["models"]]
    if orphans := {*EFFORT_DECISIONS, *REPLAY_DECISIONS}.difference(ids):
        raise ValueError(f"decisions about unknown ids: {sorted(orphans)}")
    seeds = read_seeds(seeds_folder, ids)
    document = {
        "format": FORMAT,
        "observed_on": facts["newest_lineup_date"],
        "compiled_on": facts["compiled"],
        "sources": facts["source_keys"],
        "models": [build_model(fact, seeds) for fact in facts["models"]],
    }
    catalog = Catalog.from_document(document)
    if catalog.skipped:
        raise ValueError(f"invalid rows: {catalog.skipped}")
    by_name = {source for model in catalog.models for source in model.sources}
    if undescribed := by_name.difference(catalog.sources):
        raise ValueError(f"sources without a description: {sorted(undescribed)}")
    return document


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Say what was added, changed and removed between two documents, a line for each."""
    for field in sorted({*old, *new} - {"models"}):
        if old.get(field) != new.get(field):
            yield f"changed {field}"
    before = {model["id"]: model for model in old.get("models", [])}
    after = {model["id"]: model for model in new["models"]}
    yield from (f"added   {model_id}" for model_id in after if model_id not in before)
    yield from (f"removed {model_id}" for model_id in before if model_id not in after)
    for model_id in after.keys() & before.keys():
        was, now = before[model_id], after[model_id]
        for field in sorted({*was, *now}):
            if was.get(field) != now.get(field):
                yield (
                    f"changed {model_id} {field}: "
                    f"{json.dumps(was.get(field))} -> {json.dumps(now.get(field))}"
                )


def main(arguments: list[str] | None = None) -> int:
    """Run the script; return 1 if `--check` finds a difference, else 0."""
    parser = argparse.ArgumentParser(description="Rebuild the bundled model table.")
    parser.add_argument("facts", type=Path, metavar="FACTS.json")
    parser.add_argument("seeds", type=Path, metavar="SEEDS_DIR")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on a change")
    options = parser.parse_args(arguments)

    # Through Decimal, so that 0.03 is 0.03 and not the nearest binary fraction.
    text = options.facts.read_text("utf-8").replace(*UNNAMED_PROJECT)
    facts = json.loads(text, parse_float=Decimal)
    document = build(facts, options.seeds)
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    existing = options.out.read_text("utf-8") if options.out.exists() else ""
    changes = sorted(differences(json.loads(existing or "{}"), document))
    if text != existing and not changes:
        changes = ["changed the layout only"]
    sys.stdout.writelines(f"{change}\n" for change in changes or ["nothing changed"])
    if options.check:
        return int(bool(changes))
    if changes:
        options.out.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
