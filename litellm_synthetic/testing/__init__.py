"""Stand in for api.synthetic.new on this machine, so that an agent can be tested without a key.

`SyntheticServer` listens on 127.0.0.1, answers in the shapes that were recorded from the service,
and produces every fault a client of it has to survive. Nothing is imported until it is used, so
that the pytest plugin costs nothing in runs that do not ask for a server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litellm_synthetic.testing.accounts import Account
    from litellm_synthetic.testing.delivery import Delivery
    from litellm_synthetic.testing.fault_names import FaultName
    from litellm_synthetic.testing.faults import FAULTS, Fault, fault, named_fault
    from litellm_synthetic.testing.recorded import RecordedRequest
    from litellm_synthetic.testing.replies import (
        Answer,
        Either,
        KeyEcho,
        RawBytes,
        RawJSON,
        Redirect,
        Reply,
        Stream,
        Text,
        ToolCall,
        ToolCalls,
        Usage,
        Verbatim,
    )
    from litellm_synthetic.testing.server import SyntheticServer
    from litellm_synthetic.testing.streams import Event, Framing

_HOME = {
    "FAULTS": "faults",
    "Account": "accounts",
    "Answer": "replies",
    "Delivery": "delivery",
    "Either": "replies",
    "Event": "streams",
    "Fault": "faults",
    "FaultName": "fault_names",
    "Framing": "streams",
    "KeyEcho": "replies",
    "RawBytes": "replies",
    "RawJSON": "replies",
    "RecordedRequest": "recorded",
    "Redirect": "replies",
    "Reply": "replies",
    "Stream": "replies",
    "SyntheticServer": "server",
    "Text": "replies",
    "ToolCall": "replies",
    "ToolCalls": "replies",
    "Usage": "replies",
    "Verbatim": "replies",
    "fault": "faults",
    "named_fault": "faults",
}

__all__ = [
    "FAULTS",
    "Account",
    "Answer",
    "Delivery",
    "Either",
    "Event",
    "Fault",
    "FaultName",
    "Framing",
    "KeyEcho",
    "RawBytes",
    "RawJSON",
    "RecordedRequest",
    "Redirect",
    "Reply",
    "Stream",
    "SyntheticServer",
    "Text",
    "ToolCall",
    "ToolCalls",
    "Usage",
    "Verbatim",
    "fault",
    "named_fault",
]


def __getattr__(name: str) -> object:
    """Import the module that owns `name` on first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
