"""LiteLLM's questions about a provider: the parameters of a model, and their mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm

from litellm_synthetic.catalog import refresh as table_refresh
from litellm_synthetic.catalog.advice import usable_models
from litellm_synthetic.chat.params import REASONING, map_parameters, supported_parameters
from litellm_synthetic.config.endpoint import DEFAULT_BASE_URL
from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.config.settings import CATALOG
from litellm_synthetic.integration.compat import BaseLLMModelInfo, BaseTokenCounter
from litellm_synthetic.integration.token_counter import SyntheticTokenCounter

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.catalog.table import Catalog


class SyntheticConfig(litellm.OpenAIGPTConfig):
    """Answer LiteLLM's questions from the model facts; see `params` for the table."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        super().__init__()
        self._catalog = catalog

    @property
    def custom_llm_provider(self) -> str:
        """Return the provider name for messages."""
        return PROVIDER

    def get_supported_openai_params(self, model: str) -> list[str]:
        """Return the parameters that are let through for a model, known or unknown."""
        facts = self._catalog().find(model)
        return supported_parameters(
            tools=facts.tools if facts else None, reasoning=facts.reasoning if facts else None
        )

    def map_openai_params(
        self,
        non_default_params: dict[str, Any],
        optional_params: dict[str, Any],
        model: str,
        drop_params: bool,  # noqa: FBT001  # LiteLLM's signature
    ) -> dict[str, Any]:
        """Add the mapped parameters to `optional_params`.

        What is said about reasoning stays as it was said: what it maps to depends on the API,
        which is only known with the base URL, when the request is made.
        """
        del model, drop_params
        optional_params.update(map_parameters(non_default_params))
        reasoning = {name: non_default_params.get(name) for name in REASONING}
        optional_params.update(
            {name: value for name, value in reasoning.items() if value is not None}
        )
        return optional_params

    @staticmethod
    def get_api_base(api_base: str | None = None) -> str | None:
        """Return the base URL; the parent's would be OpenAI's."""
        return api_base or DEFAULT_BASE_URL

    @staticmethod
    def get_api_key(api_key: str | None = None) -> str | None:
        """Return the key given; the parent's would fall back to OpenAI's."""
        return api_key


class SyntheticListing(BaseLLMModelInfo):
    """List the models live, and count tokens, where LiteLLM asks a provider for that.

    `get_valid_models(check_provider_endpoint=True)` asks for the one, `acount_tokens` and the
    proxy's `/v1/messages/count_tokens` for the other.
    """

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._counter = SyntheticTokenCounter(catalog)

    def get_token_counter(self) -> BaseTokenCounter:
        """Return what counts a prompt's tokens."""
        return self._counter

    def get_models(self, api_key: str | None = None, api_base: str | None = None) -> list[str]:
        """Fetch the list and return the ids that may be used, as `synthetic/<id>`.

        The list needs no key. It also comes into force for this process. With
        `SYNTHETIC_CATALOG=offline` nothing is fetched: the ids are those of the table in force.

        Raises:
            litellm_synthetic.catalog.refresh.RefreshError: there is not a list to be had.
        """
        del api_key
        if CATALOG.value() == "offline":
            return usable_models(table_refresh.known_table(api_base).catalog)
        return usable_models(table_refresh.refresh(base_url=api_base).table.catalog)

    @staticmethod
    def get_api_base(api_base: str | None = None) -> str | None:
        """Return the base URL given; None leaves it to the environment."""
        return api_base

    @staticmethod
    def get_api_key(api_key: str | None = None) -> str | None:
        """Return the key given."""
        return api_key

    @staticmethod
    def get_base_model(model: str) -> str | None:
        """Return the model itself: an alias is what the caller asked for."""
        return model

    def validate_environment(  # noqa: PLR0913, PLR0917  # LiteLLM's signature
        self,
        headers: dict[str, Any],
        model: str,
        messages: list[Any],
        optional_params: dict[str, Any],
        litellm_params: dict[str, Any],
        api_key: str | None = None,
        api_base: str | None = None,
    ) -> dict[str, Any]:
        """Return the headers as they are; the route makes its own."""
        del model, messages, optional_params, litellm_params, api_key, api_base
        return headers
