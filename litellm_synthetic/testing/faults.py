"""Every fault that a client of the service has to survive, by name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing import refusals
from litellm_synthetic.testing.connection_faults import CONNECTION_FAULTS
from litellm_synthetic.testing.model_list_faults import MODEL_LIST_FAULTS
from litellm_synthetic.testing.quota_faults import QUOTA_FAULTS
from litellm_synthetic.testing.status_faults import STATUS_FAULTS
from litellm_synthetic.testing.stream_faults import STREAM_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.testing.fault_names import FaultName
    from litellm_synthetic.testing.replies import Reply


@dataclass(frozen=True, slots=True)
class Fault:
    """Describe one fault.

    Attributes:
        name: What `fault()` and the `x-stand-in-fault` header call it.
        shows: One line on what the client gets.
        make: Makes the reply; its keyword arguments are the fault's options.
        for_models_list: Whether it is a reply to `GET …/models`, for `set_models`.
    """

    name: str
    shows: str
    make: Callable[..., Reply] = field(repr=False)
    for_models_list: bool = False


def fault(name: FaultName, /, **options: Any) -> Reply:
    """Return the reply that produces a fault.

    Args:
        name: A name from `FAULTS`.
        options: The fault's own options; `docs/testing.md` lists them.

    Raises:
        LookupError: no fault has that name.
        TypeError: The fault has no such option.
    """
    return named_fault(name, **options)


def named_fault(name: str, /, **options: Any) -> Reply:
    """Do what `fault` does for a name that is only known when the program runs."""
    if name not in FAULTS:
        raise LookupError(f"{name!r} is not a fault; the faults are {', '.join(FAULTS)}")
    return FAULTS[name].make(**options)


def fault_from_header(value: str) -> Reply:
    """Return the reply for an `x-stand-in-fault` header: `NAME` or `NAME; option=value; …`.

    A value is read as JSON where it is JSON, else as text. An unknown name or option becomes a
    400 that says so, since the one who reads it is in another process.
    """
    name, *parts = [part.strip() for part in value.split(";")]
    options = {}
    for part in filter(None, parts):
        option, _, text = part.partition("=")
        try:
            options[option.strip()] = json.loads(text)
        except ValueError:
            options[option.strip()] = text.strip()
    try:
        return named_fault(name, **options)
    except (LookupError, TypeError, ValueError) as failure:
        return refusals.error(400, f"stand-in: {failure}")


_CALL_FAULTS = (*STATUS_FAULTS, *STREAM_FAULTS, *QUOTA_FAULTS, *CONNECTION_FAULTS)

FAULTS: Mapping[str, Fault] = {
    **{row[0]: Fault(*row) for row in _CALL_FAULTS},
    **{row[0]: Fault(*row, for_models_list=True) for row in MODEL_LIST_FAULTS},
}
