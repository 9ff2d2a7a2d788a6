"""One table of models: read from its file row by row, and looked up by id."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, cached_property
from importlib import resources
from typing import Any

from pydantic import ValidationError

from litellm_synthetic.catalog.bundled_rows import bundled_model, record
from litellm_synthetic.catalog.models import Fact, Model
from litellm_synthetic.config.ids import canonical_id

FORMAT = 1
"""The version of the file's layout that this module reads."""


class SkippedRow(Fact):
    """A row of a model table that could not be used, and why.

    `reason` names fields and rules but repeats no value of the row, which may be anything.
    """

    index: int
    id: str | None
    reason: str


class Catalog(Fact):
    """The models of one table, its age and its sources.

    Attributes:
        observed_on: date of the newest look at the live list that the table rests on.
        compiled_on: date on which the table was put together.
        sources: what each key in a model's `sources` stands for.
        models: one entry per id, in the table's order.
        skipped: the rows that were left out because they are invalid.
    """

    observed_on: date
    compiled_on: date
    sources: Mapping[str, str]
    models: tuple[Model, ...]
    skipped: tuple[SkippedRow, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Catalog":
        """Read a table from parsed JSON, row by row: a bad row costs that row only.

        Raises:
            ValueError: the document isn't of this format, or its header is unusable (pydantic's
                ValidationError is one).
        """
        if document.get("format") != FORMAT:
            raise ValueError(f"not a model table of format {FORMAT}")
        rows = document.get("models")
        if not isinstance(rows, list):
            # ValueError on purpose: to the caller every unusable document is the same case.
            raise ValueError("the model table has no list of models")  # noqa: TRY004
        models, skipped = parse_rows(rows)
        return cls.model_validate(
            {**document, "models": models, "skipped": skipped},
        )

    def to_document(self) -> dict[str, Any]:
        """Return what `from_document` reads, ready for JSON; what is unknown is left out."""
        content = self.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude={"skipped"}
        )
        return {"format": FORMAT, **content}

    @cached_property
    def by_id(self) -> Mapping[str, Model]:
        """Map each id, spelt as Synthetic spells it, to its model."""
        return {model.id: model for model in self.models}

    def with_models(self, models: Iterable[Model], *, observed_on: date) -> "Catalog":
        """Return a table in which `models` replace those of the same id and new ones come last.

        Use this and not `model_copy`, which would carry the old index along.
        """
        merged = {**self.by_id, **{model.id: model for model in models}}
        return Catalog(
            observed_on=observed_on,
            compiled_on=self.compiled_on,
            sources=self.sources,
            models=tuple(merged.values()),
            skipped=self.skipped,
        )

    def find(self, model_id: str) -> Model | None:
        """Return the model of an id in any spelling `canonical_id` understands, else None."""
        return self.by_id.get(canonical_id(model_id))

    def current(self) -> tuple[Model, ...]:
        """List the models that were served at the newest look, aliases included."""
        return tuple(model for model in self.models if model.is_current)


def parse_rows(rows: Iterable[object]) -> tuple[tuple[Model, ...], tuple[SkippedRow, ...]]:
    """Validate the rows of a model table one by one; of rows with the same id the first counts."""
    models: dict[str, Model] = {}
    skipped: list[SkippedRow] = []
    for index, row in enumerate(rows):
        try:
            model = Model.model_validate(row)
        except ValidationError as error:
            row_id = row.get("id") if isinstance(row, dict) else None
            row_id = row_id if isinstance(row_id, str) else None
            skipped.append(SkippedRow(index=index, id=row_id, reason=_reason(error)))
            continue
        if model.id in models:
            skipped.append(SkippedRow(index=index, id=model.id, reason="the id is there already"))
            continue
        models[model.id] = model
    return tuple(models.values()), tuple(skipped)


def _reason(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'row'}: {each['msg']}" for each in details
    )


@cache
def load_bundled() -> Catalog:
    """Read the model table that came with the package, once per process."""
    path = resources.files("litellm_synthetic").joinpath("data/models.json")
    return bundled_catalog(json.loads(path.read_bytes()))


def bundled_catalog(document: Mapping[str, Any]) -> Catalog:
    """Return what `Catalog.from_document` does, for a document in which every row is right."""
    models = tuple([bundled_model(row) for row in document["models"]])
    readers = dict.fromkeys(("observed_on", "compiled_on"), date.fromisoformat)
    return record(Catalog, {**document, "models": models}, readers)
