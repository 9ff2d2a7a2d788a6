"""Taking over LiteLLM's route `synthetic/…`, and giving it back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.advice import usable_models
from litellm_synthetic.catalog.billing import as_billed
from litellm_synthetic.catalog.cost_map import cost_map
from litellm_synthetic.config import settings
from litellm_synthetic.integration import seams as litellm_seams
from litellm_synthetic.integration.completion_route import EmbeddingHandler, Route
from litellm_synthetic.integration.messages_route import NativeMessages, goes_native
from litellm_synthetic.integration.provider_config import SyntheticConfig, SyntheticListing
from litellm_synthetic.integration.seams import Seams
from litellm_synthetic.integration.search_provider import COST_ROW, search
from litellm_synthetic.transport.pool import retire_connections

if TYPE_CHECKING:
    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.models import Catalog

_lock: Final = threading.Lock()
_seams: Seams | None = None


def register() -> None:
    """Make this package serve `synthetic/…` in the running process; see the package's docs."""
    global _seams  # noqa: PLW0603  # LiteLLM's state is the process's, and so is this
    with _lock:
        if _seams is not None:
            return
        litellm_seams.check_installed()
        seams = Seams()
        try:
            _take_over(seams)
        except BaseException:
            seams.restore()
            raise
        _seams = seams


def unregister() -> None:
    """Give LiteLLM back exactly as it was; see the package's docs."""
    global _seams  # noqa: PLW0603  # as above
    with _lock:
        if _seams is not None:
            _seams.restore()
            _seams = None
            retire_connections()
            active.forget()


def _take_over(seams: Seams) -> None:
    route = Route(_catalog)
    config = SyntheticConfig(_catalog)
    listing = SyntheticListing(_catalog)
    messages = NativeMessages(_catalog)
    seams.read_base_url_from(settings.API_BASE.name)
    seams.keep_httpx_timeouts()
    seams.set_provider_config(lambda: config)
    seams.answer_model_questions(lambda: listing)
    seams.take_over_chat(route.chat)
    seams.take_over_text_completion(route.text)
    seams.serve_embeddings(EmbeddingHandler(route))
    seams.serve_messages(messages.answer, goes_native)
    seams.take_over_search(search)
    _publish(seams, active.in_force())
    seams.at_restore(active.on_change(lambda table: _publish(seams, table)))


def _catalog() -> Catalog:
    return active.in_force().catalog


def _publish(seams: Seams, table: ModelTable) -> None:
    """Feed LiteLLM from a model table: prices as billed, and the ids that may be used."""
    rows = as_billed(cost_map(table.catalog), settings.BILLING.value())
    seams.set_models({**rows, **COST_ROW}, usable_models(table.catalog))
