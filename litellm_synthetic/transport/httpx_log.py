"""httpx's own log, in which an upstream that echoes the key could show it."""

from __future__ import annotations

import logging
from typing import Final

from litellm_synthetic.config.credentials import scrub_key_shaped

_LOGGER: Final = "httpx"


class _KeyFilter(logging.Filter):
    """Take keys out of what httpx logs: at INFO it writes down the status line of each reply."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        scrubbed = scrub_key_shaped(text)
        if scrubbed != text:
            record.msg, record.args = scrubbed, ()
        return True


_FILTER: Final = _KeyFilter()


def hide_keys() -> None:
    """Keep Synthetic's keys out of httpx's log; again is harmless."""
    logging.getLogger(_LOGGER).addFilter(_FILTER)


def stop_hiding_keys() -> None:
    """Give httpx's log back as it was."""
    logging.getLogger(_LOGGER).removeFilter(_FILTER)
