"""Taking over LiteLLM's route `synthetic/…`, and giving it back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from litellm_synthetic import litellm_seams, model_table
from litellm_synthetic.billing import as_billed, billing_from_environment
from litellm_synthetic.connections import close_sync_clients
from litellm_synthetic.cost_map import cost_map
from litellm_synthetic.endpoint import BASE_URL_VARIABLE
from litellm_synthetic.lineup import usable_models
from litellm_synthetic.litellm_seams import Seams
from litellm_synthetic.native_messages import NativeMessages, goes_native
from litellm_synthetic.other_operations import check_operation, refuse_if_ours
from litellm_synthetic.provider_config import SyntheticConfig, SyntheticListing
from litellm_synthetic.route import EmbeddingHandler, Route
from litellm_synthetic.search_provider import COST_ROW, search
from litellm_synthetic.secret import KEY_VARIABLE, is_usable_key

if TYPE_CHECKING:
    from litellm_synthetic.catalog import Catalog
    from litellm_synthetic.model_table import ModelTable

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
            close_sync_clients()
            model_table.forget()


def _take_over(seams: Seams) -> None:
    route = Route(_catalog)
    config = SyntheticConfig(_catalog)
    listing = SyntheticListing(_catalog)
    messages = NativeMessages(_catalog)
    seams.read_base_url_from(BASE_URL_VARIABLE)
    seams.keep_httpx_timeouts()
    seams.set_provider_config(lambda: config)
    seams.answer_model_questions(lambda: listing)
    seams.take_over_chat(route.chat)
    seams.take_over_text_completion(route.text)
    seams.serve_embeddings(EmbeddingHandler(route))
    seams.serve_messages(messages.answer, goes_native)
    seams.take_over_search(search)
    seams.check_operations(check_operation)
    seams.check_undecorated_operations(refuse_if_ours)
    seams.name_missing_key(KEY_VARIABLE, is_usable_key)
    _publish(seams, model_table.in_force())
    seams.at_restore(model_table.on_change(lambda table: _publish(seams, table)))


def _catalog() -> Catalog:
    return model_table.in_force().catalog


def _publish(seams: Seams, table: ModelTable) -> None:
    """Feed LiteLLM from a model table: prices as billed, and the ids that may be used."""
    rows = as_billed(cost_map(table.catalog), billing_from_environment())
    seams.set_models({**rows, **COST_ROW}, usable_models(table.catalog))
