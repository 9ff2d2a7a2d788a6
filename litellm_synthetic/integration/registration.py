"""Taking over LiteLLM's route `synthetic/…`, and giving it back."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Final

import litellm

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.advice import usable_models
from litellm_synthetic.catalog.billing import as_billed
from litellm_synthetic.catalog.cost_map import cost_map, default_row
from litellm_synthetic.chat.chunks import builder
from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import KEY_VARIABLE, is_usable_key
from litellm_synthetic.integration import (
    compat,
    known_prices,
    messages_seams,
    operation_seams,
    proxy_replies,
    repeated_work,
    required_names,
    router_seams,
)
from litellm_synthetic.integration.admission import admit
from litellm_synthetic.integration.completion_route import EmbeddingHandler, Route
from litellm_synthetic.integration.mcp_gateway import gateway_import
from litellm_synthetic.integration.messages_errors import (
    hand_on_headers,
    hide_internal_hosts,
    write_error_types,
)
from litellm_synthetic.integration.messages_route import NativeMessages, goes_native
from litellm_synthetic.integration.other_operations import refuse_if_ours
from litellm_synthetic.integration.plan_watch import WATCH
from litellm_synthetic.integration.provider_config import SyntheticConfig, SyntheticListing
from litellm_synthetic.integration.quota_question import QUESTIONS
from litellm_synthetic.integration.quota_router import QuotaRouter
from litellm_synthetic.integration.seams import Seams
from litellm_synthetic.integration.search_provider import COST_ROW, search
from litellm_synthetic.integration.shared_slots import LEASES
from litellm_synthetic.integration.shared_state import SHARED
from litellm_synthetic.quota.rest import RESTS
from litellm_synthetic.quota.slots import SLOTS
from litellm_synthetic.transport import httpx_log
from litellm_synthetic.transport.pool import retire_connections

if TYPE_CHECKING:
    from litellm_synthetic.catalog.active import ModelTable

_lock: Final = threading.Lock()
# Made once: what others have kept of an earlier registration is known again.
_seams: Seams | None = None
_is_proxy_planned = False
_QUOTA_ROUTER: Final = QuotaRouter()


def register(*, steer: bool = False) -> None:
    """Make this package serve `synthetic/…` in the running process; see the package's docs."""
    global _seams  # noqa: PLW0603  # LiteLLM's state is the process's, and so is this
    with _lock:
        required_names.check_installed()
        builder()  # warns where chunks cannot be built the fast way
        if _seams is None:
            _seams = _planned()
        _plan_proxy(_seams)
        if _seams.active:
            _seams.apply()
            if steer:
                _steer(_seams)
            return
        try:
            _seams.apply()
            RESTS.on_change = SHARED.publish_soon
            SLOTS.leases = LEASES
            _publish(_seams, active.current_table())
            _seams.at_restore(active.on_change(functools.partial(_publish, _seams)))
            _seams.at_restore(httpx_log.stop_hiding_keys)
            httpx_log.hide_keys()
            if not compat.checks_tools_without_gateway():
                _seams.at_restore(gateway_import.remove)
                gateway_import.install()
        except BaseException:
            _seams.restore()
            raise
        if steer:
            _steer(_seams)
    required_names.warn_if_untested()


def _plan_proxy(seams: Seams) -> None:
    """Take over a proxy's replies as soon as one is loaded, which may be after the first time."""
    global _is_proxy_planned  # noqa: PLW0603  # as above
    _is_proxy_planned = _is_proxy_planned or proxy_replies.tell_clients(seams)


def callback() -> QuotaRouter:
    """Return the one callback that steers Routers in this process."""
    return _QUOTA_ROUTER


def _steer(seams: Seams) -> None:
    if not any(isinstance(each, QuotaRouter) for each in litellm.callbacks):
        litellm.callbacks.append(_QUOTA_ROUTER)
        seams.at_restore(_stop_steering)


def _stop_steering() -> None:
    if _QUOTA_ROUTER in litellm.callbacks:
        litellm.callbacks.remove(_QUOTA_ROUTER)


def unregister() -> None:
    """Give LiteLLM back exactly as it was; see the package's docs."""
    with _lock:
        if _seams is not None and _seams.active:
            _seams.restore()
            WATCH.stop()
            retire_connections()
            active.forget()
            RESTS.forget()
            SLOTS.leases = None
            SLOTS.forget()
            QUESTIONS.forget()
            SHARED.forget()


def _planned() -> Seams:
    seams = Seams()
    route = Route(active.current_catalog)
    config = SyntheticConfig(active.current_catalog)
    listing = SyntheticListing(active.current_catalog)
    messages = NativeMessages(active.current_catalog)
    seams.read_base_url_from(settings.API_BASE.name)
    seams.keep_httpx_timeouts()
    seams.set_provider_config(config)
    seams.answer_model_questions(listing)
    seams.take_over_chat(route.chat)
    seams.take_over_text_completion(route.text)
    seams.assemble_streams_at_once()
    seams.serve_embeddings(EmbeddingHandler(route))
    messages_seams.serve_messages(seams, messages.answer, goes_native, hide_internal_hosts)
    write_error_types(seams)
    hand_on_headers(seams)
    seams.take_over_search(search)
    operation_seams.check_operations(seams, admit)
    operation_seams.check_undecorated_operations(seams, refuse_if_ours)
    repeated_work.make_config_class_once(seams)
    repeated_work.look_up_models_once(seams)
    repeated_work.read_provider_names_directly(seams)
    repeated_work.serialize_chunks_directly(seams)
    known_prices.price_by_known_rates(seams)
    operation_seams.name_missing_key(seams, KEY_VARIABLE, is_usable_key)
    router_seams.keep_the_first_error(seams)
    router_seams.move_on_after_402(seams)
    router_seams.tell_the_router(seams)
    return seams


def _publish(seams: Seams, table: ModelTable) -> None:
    """Feed LiteLLM from a model table: prices as billed, and the ids that may be used."""
    listed = {**cost_map(table.catalog), **default_row(table.catalog)}
    rows = as_billed(listed, settings.BILLING.value())
    seams.set_models({**rows, **COST_ROW}, usable_models(table.catalog))
