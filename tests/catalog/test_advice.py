import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.catalog.table import Catalog, load_bundled


def small_catalog() -> Catalog:
    def model(id_: str, kind: str = "chat", status: str = "current", **facts: object) -> object:
        return {"id": id_, "kind": kind, "status": status, "sources": ["x"], **facts}

    target = {"from": "2026-09-01", "to": None, "target": "hf:new/Large", "source": "x"}
    before = {"from": "2026-01-01", "to": "2026-08-31", "target": "hf:old/Large", "source": "x"}
    sees = {"from": "2026-09-01", "to": None, "target": "hf:new/Eyes", "source": "x"}
    rows = [
        model(
            "syn:small:vision", "alias", input_modalities=["text", "image"], alias_targets=[sees]
        ),
        model("syn:large:text", "alias", input_modalities=["text"], alias_targets=[before, target]),
        model("hf:new/Large"),
        model("hf:new/Eyes"),
        model("hf:old/Large", status="retired", last_seen="2026-08-31"),
        model("hf:old/Eyes", status="retired", input_modalities=["text", "image"]),
    ]
    head = {"format": 1, "observed_on": "2026-10-08", "compiled_on": "2026-10-09", "sources": {}}
    return Catalog.from_document({**head, "models": rows})


@pytest.mark.parametrize(
    ("model_id", "message"),
    [
        (
            "old/Large",
            (
                "hf:old/Large is retired, last seen on 2026-08-31. "
                "The alias syn:large:text now serves hf:new/Large."
            ),
        ),
        (
            "hf:old/Eyes",
            "hf:old/Eyes is retired. The alias syn:small:vision now serves hf:new/Eyes.",
        ),
        ("new/Large", "hf:new/Large was served on 2026-10-08; models change without notice."),
        ("hf:new/Lrge", "Did you mean hf:new/Large?"),
        ("HF:NEW/LARGE", "Did you mean hf:new/Large"),
        ("syn:large:txt", "Did you mean syn:large:text"),
        ("gpt-3.5-turbo", 'An id is "hf:owner/name" or an alias such as "syn:large:text".'),
        ("", 'An id is "hf:owner/name"'),
        ("hf:someone/Unheard-Of-9000", "syn:small:vision, syn:large:text"),
    ],
)
def test_an_id_that_is_refused_is_explained(model_id: str, message: str) -> None:
    assert message in explain(model_id, small_catalog())


def test_every_retired_model_of_the_bundled_table_is_said_to_be_retired() -> None:
    catalog = load_bundled()
    retired = [model for model in catalog.models if model.is_retired]
    assert retired
    assert all(f"{model.id} is retired" in explain(model.id, catalog) for model in retired)


@given(st.text())
def test_any_id_is_explained(model_id: str) -> None:
    assert explain(model_id, load_bundled())
