import dataclasses
import json
import re
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.config.credentials import (
    REDACTED,
    InvalidKeyError,
    Secret,
    parse_key,
    scrub_key_shaped,
)
from litellm_synthetic.errors.failure import Origin

KEY = "syn_0123456789abcdef"


def test_a_secret_shows_itself_in_no_form_of_text() -> None:
    secret = Secret(KEY)
    output = [repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{secret:>40}", f"{[secret]}"]
    assert all(KEY not in text and REDACTED in text for text in output)


def test_whatever_holds_a_secret_can_be_dumped_without_showing_it() -> None:
    origin = Origin("hf:a/b", "https://api.synthetic.new/openai/v1", Secret(KEY))
    assert KEY not in repr(origin)
    assert KEY not in str(dataclasses.asdict(origin))
    assert KEY not in str(dataclasses.astuple(origin))
    assert not hasattr(Secret(KEY), "__dict__")
    with pytest.raises(TypeError):
        json.dumps(Secret(KEY))


def test_secrets_are_equal_where_their_keys_are() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert hash(Secret(KEY)) == hash(Secret(KEY))
    assert Secret(KEY) != Secret(KEY + "x")
    assert Secret(KEY) != KEY


def test_the_bearer_header_is_the_one_way_out() -> None:
    assert Secret(KEY).bearer == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "text",
    [
        f"Invalid key {KEY}.",
        f'{{"authorization":"Bearer {KEY}"}}',
        f"{KEY}{KEY}",
        f"x{KEY}x",
    ],
)
def test_the_key_is_scrubbed_from_any_text(text: str) -> None:
    text_out = Secret(KEY).scrub(text)
    assert KEY not in text_out
    assert REDACTED in text_out


def test_keys_of_others_and_bearer_tokens_are_scrubbed_too() -> None:
    text = 'got "syn_another1234567" and authorization: bearer sk-proj-12345678, sorry'
    assert scrub_key_shaped(text) == f'got "{REDACTED}" and authorization: bearer {REDACTED}, sorry'


@pytest.mark.parametrize("text", ["syn:large:text", "synthetic", "a bearer of news", "syn_x", ""])
def test_harmless_text_is_left_alone(text: str) -> None:
    assert scrub_key_shaped(text) == text


def test_a_key_too_short_to_be_one_does_not_shred_the_text() -> None:
    assert Secret("a").scrub("a banana") == "a banana"


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=4), st.text(), st.text()
)
def test_no_text_keeps_the_key(key: str, before: str, after: str) -> None:
    text_out = Secret(key).scrub(before + key + after)
    assert key not in text_out.replace(REDACTED, "")


@pytest.mark.parametrize("text", [None, "", "   ", "\n"])
def test_a_blank_key_is_none(text: str | None) -> None:
    assert parse_key(text) is None


def test_white_space_around_a_key_is_dropped() -> None:
    assert parse_key(f"  {KEY}\n") == Secret(KEY)


@pytest.mark.parametrize(
    "key", ["syn_12\n34567", "syn_12 34567", "syn_12\x0034567", "syn_12é34567"]
)
def test_a_key_that_no_header_carries_is_refused_unseen(key: str) -> None:
    with pytest.raises(InvalidKeyError, match="SYNTHETIC_API_KEY") as excinfo:
        parse_key(key)
    assert key not in "".join(traceback.format_exception(excinfo.value))
    assert "34567" not in str(excinfo.value)


@given(st.text())
def test_any_text_is_a_key_nothing_or_refused(text: str) -> None:
    try:
        key = parse_key(text)
    except InvalidKeyError:
        return
    assert key is None or key.bearer == f"Bearer {text.strip()}"


_CASES = st.sampled_from(
    ["syn_abcdefgh", "SYN_ABCDEFGH", "\u017fyn_abcdefgh", "Bearer abcdefghij", "bearer abcdefghij",
     "BeArEr x", "kiKI4567", "\u212ai\u212aI4567", "k\u0130ki4567", "k\u0131ki4567", "plain", " ",
     "é", "\n"]
)  # fmt: skip  # one list, read as one


@given(st.lists(_CASES).map("".join))
def test_nothing_is_missed_by_looking_before_scrubbing(text: str) -> None:
    everything = re.sub(re.escape("kiki4567"), REDACTED, text, flags=re.IGNORECASE)
    assert Secret("kiki4567").scrub(text) == scrub_key_shaped(everything)
