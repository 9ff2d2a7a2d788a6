"""What to put where: the lines that `init` prints. None of them holds the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litellm_synthetic.cli.terminal import Line, Span, line
from litellm_synthetic.config.credentials import KEY_PREFIX, KEY_VARIABLE
from litellm_synthetic.config.ids import ROUTE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from litellm_synthetic.catalog.models import Catalog

_PLACEHOLDER = f"{KEY_PREFIX}YOUR_KEY"


def instructions(catalog: Catalog, written: Path | None) -> Iterator[Line]:
    """Lay out what to put where.

    Args:
        catalog: names the model of the examples, an alias where there is one.
        written: the `.env` file that holds the key now, if there is one.
    """
    model = ROUTE_PREFIX + _example_id(catalog)
    yield from _part("In a shell", f"export {KEY_VARIABLE}={_PLACEHOLDER}")
    if written is None:
        yield from _part("In a .env file (mode 0600)", f"{KEY_VARIABLE}={_PLACEHOLDER}")
    else:
        yield from _part("Or from the .env file", f"set -a; . {_quoted(written)}; set +a")
    yield from _part(
        "In Python",
        "import litellm",
        "import litellm_synthetic",
        "",
        "litellm_synthetic.register()",
        "answer = litellm.completion(",
        f'    model="{model}",',
        '    messages=[{"role": "user", "content": "Hello!"}],',
        ")",
        "print(answer.choices[0].message.content)",
    )
    yield from _part(
        "In the proxy's config.yaml",
        "model_list:",
        f"  - model_name: {model.rpartition('/')[2].partition(':')[2].replace(':', '-') or model}",
        "    litellm_params:",
        f"      model: {model}",
        f"      api_key: os.environ/{KEY_VARIABLE}",
        "litellm_settings:",
        '  callbacks: ["litellm_synthetic.proxy.route"]',
    )
    yield from _part("Then", "litellm-synthetic doctor --live")


def _example_id(catalog: Catalog) -> str:
    current = catalog.current()
    aliases = (model.id for model in current if model.kind == "alias")
    return next(aliases, None) or next(model.id for model in current if model.kind == "chat")


def _quoted(path: Path) -> str:
    import shlex  # noqa: PLC0415  # only where a file was written

    return shlex.quote(str(path.absolute()))


def _part(title: str, *rows: str) -> Iterator[Line]:
    yield line(Span(f"# {title}", "bold"))
    for row in rows:
        yield line(Span(row, "cyan"))
    yield line("")
