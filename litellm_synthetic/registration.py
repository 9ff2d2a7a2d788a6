"""Taking over LiteLLM's route `synthetic/…`, and giving it back."""

from __future__ import annotations

import threading
from typing import Final

from litellm_synthetic import litellm_seams
from litellm_synthetic.catalog import ROUTE_PREFIX, load_bundled
from litellm_synthetic.cost_map import cost_map
from litellm_synthetic.endpoint import BASE_URL_VARIABLE
from litellm_synthetic.litellm_seams import Seams
from litellm_synthetic.provider_config import SyntheticConfig
from litellm_synthetic.route import EmbeddingHandler, Route
from litellm_synthetic.transport import close_sync_clients

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


def _take_over(seams: Seams) -> None:
    catalog = load_bundled
    route = Route(catalog)
    config = SyntheticConfig(catalog)
    seams.read_base_url_from(BASE_URL_VARIABLE)
    seams.keep_httpx_timeouts()
    seams.set_provider_config(lambda: config)
    seams.take_over_chat(route.chat)
    seams.take_over_text_completion(route.text)
    seams.serve_embeddings(EmbeddingHandler(route))
    listed = [ROUTE_PREFIX + model.id for model in catalog().current()]
    seams.set_models(cost_map(catalog()), listed)
