"""Taking over LiteLLM's route `synthetic/…`, and giving it back."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Final

import litellm

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.advice import usable_models
from litellm_synthetic.catalog.billing import as_billed
from litellm_synthetic.catalog.cost_map import cost_map, default_row, search_row
from litellm_synthetic.chat.chunks import builder
from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import KEY_VARIABLE, is_usable_key
from litellm_synthetic.integration import (
    answers,
    compat,
    known_prices,
    messages_seams,
    operation_seams,
    repeated_work,
    required_names,
    router_core_seams,
    router_seams,
    unlimited_deployments,
)
from litellm_synthetic.integration.messages_errors import (
    hand_on_headers,
    hide_internal_hosts,
    write_error_types,
)
from litellm_synthetic.integration.seams import Seams
from litellm_synthetic.quota.sharing import SHARING
from litellm_synthetic.transport import httpx_log

if TYPE_CHECKING:
    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.integration.quota_router import QuotaRouter

_lock: Final = threading.Lock()
# Made once: what others have kept of an earlier registration is known again.
_seams: Seams | None = None
_is_proxy_planned = False


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
            SHARING.begin(answers.tell_rest, answers.leases)
            _publish(_seams, active.current_table())
            _seams.at_restore(active.on_change(functools.partial(_publish, _seams)))
            _seams.at_restore(httpx_log.stop_hiding_keys)
            httpx_log.hide_keys()
            if not compat.checks_tools_without_gateway():
                from litellm_synthetic.integration.mcp_gateway import (  # noqa: PLC0415  # for old ones
                    gateway_import,
                )

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
    if not _is_proxy_planned and compat.is_proxy_loaded():
        from litellm_synthetic.integration import proxy_replies  # noqa: PLC0415  # for a proxy

        _is_proxy_planned = proxy_replies.tell_clients(seams)


def callback() -> QuotaRouter:
    """Return the one callback that steers Routers in this process."""
    from litellm_synthetic.integration.quota_router import ROUTER  # noqa: PLC0415  # for a Router

    return ROUTER


def _steer(seams: Seams) -> None:
    router = callback()
    if not any(isinstance(each, type(router)) for each in litellm.callbacks):
        litellm.callbacks.append(router)
        seams.at_restore(_stop_steering)


def _stop_steering() -> None:
    if callback() in litellm.callbacks:
        litellm.callbacks.remove(callback())


def unregister() -> None:
    """Give LiteLLM back exactly as it was; see the package's docs."""
    # What calls and proxies have loaded; here, so that `register` need not load it.
    from litellm_synthetic.integration.plan_watch import WATCH  # noqa: PLC0415
    from litellm_synthetic.integration.quota_question import QUESTIONS  # noqa: PLC0415
    from litellm_synthetic.integration.shared_state import SHARED  # noqa: PLC0415
    from litellm_synthetic.quota.rest import RESTS  # noqa: PLC0415
    from litellm_synthetic.quota.slots import SLOTS  # noqa: PLC0415
    from litellm_synthetic.transport.pool import retire_connections  # noqa: PLC0415

    with _lock:
        if _seams is not None and _seams.active:
            _seams.restore()
            WATCH.stop()
            retire_connections()
            active.forget()
            RESTS.forget()
            SHARING.end()
            SLOTS.forget()
            QUESTIONS.forget()
            SHARED.forget()


def _planned() -> Seams:
    seams = Seams()
    seams.read_base_url_from(settings.API_BASE.name)
    seams.keep_httpx_timeouts()
    seams.set_provider_config(answers.config)
    seams.answer_model_questions(answers.listing)
    seams.take_over_chat(answers.chat)
    seams.take_over_text_completion(answers.text)
    seams.assemble_streams_at_once()
    seams.serve_embeddings(answers.EmbeddingHandler())
    messages_seams.serve_messages(seams, answers.message, answers.goes_native, hide_internal_hosts)
    write_error_types(seams)
    hand_on_headers(seams)
    seams.take_over_search(answers.search)
    operation_seams.check_operations(seams, answers.admit)
    operation_seams.check_undecorated_operations(seams, answers.refuse_if_ours)
    repeated_work.make_config_class_once(seams)
    repeated_work.look_up_models_once(seams)
    repeated_work.read_provider_names_directly(seams)
    repeated_work.serialize_chunks_directly(seams)
    known_prices.price_by_known_rates(seams)
    operation_seams.name_missing_key(seams, KEY_VARIABLE, is_usable_key)
    router_seams.keep_the_first_error(seams)
    router_seams.move_on_after_402(seams)
    router_seams.filter_sync_picks(seams)
    router_core_seams.filter_sync_picks(seams)
    router_core_seams.describe_failures(seams)
    unlimited_deployments.count_limited_deployments_only(seams)
    return seams


def _publish(seams: Seams, table: ModelTable) -> None:
    """Feed LiteLLM from a model table: prices as billed, and the ids that may be used."""
    listed = {**cost_map(table.catalog), **default_row(table.catalog)}
    rows = as_billed(listed, settings.BILLING.value())
    seams.set_models({**rows, **search_row()}, usable_models(table.catalog))
