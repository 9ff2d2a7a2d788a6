import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litellm_synthetic.config.endpoint import (
    DEFAULT_BASE_URL,
    Endpoint,
    InvalidBaseURLError,
    is_loopback,
    parse_base_url,
)


@pytest.mark.parametrize(
    ("text", "base_url"),
    [
        ("https://api.synthetic.new", DEFAULT_BASE_URL),
        ("https://api.synthetic.new/", DEFAULT_BASE_URL),
        ("  https://api.synthetic.new\n", DEFAULT_BASE_URL),
        ("HTTPS://API.Synthetic.NEW", DEFAULT_BASE_URL),
        ("https://api.synthetic.new/v1", "https://api.synthetic.new/v1"),
        ("https://api.synthetic.new/v1/", "https://api.synthetic.new/v1"),
        ("https://api.synthetic.new/openai/v1", DEFAULT_BASE_URL),
        ("https://api.synthetic.new/openai/v1/", DEFAULT_BASE_URL),
        ("https://api.synthetic.new//openai//v1//", DEFAULT_BASE_URL),
        ("https://api.synthetic.new/openai/v1/chat/completions", DEFAULT_BASE_URL),
        ("https://api.synthetic.new/openai/v1/chat/completions/", DEFAULT_BASE_URL),
        ("https://api.synthetic.new/v1/completions", "https://api.synthetic.new/v1"),
        ("https://api.synthetic.new/v1/embeddings", "https://api.synthetic.new/v1"),
        ("https://api.synthetic.new/v1/models", "https://api.synthetic.new/v1"),
        ("https://api.synthetic.new/chat/completions", DEFAULT_BASE_URL),
        ("https://api.synthetic.new/v1/v1", "https://api.synthetic.new/v1"),
        ("https://api.synthetic.new/openai/v1/v1/v1", DEFAULT_BASE_URL),
        ("https://api.synthetic.new/v1/v1/chat/completions", "https://api.synthetic.new/v1"),
        ("https://gateway.example/team/a", "https://gateway.example/team/a"),
        ("https://gateway.example/Team/V1", "https://gateway.example/Team/V1"),
        ("https://gateway.example:8443/v1", "https://gateway.example:8443/v1"),
        ("https://[2001:DB8::1]:8443/v1", "https://[2001:db8::1]:8443/v1"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/openai/v1"),
        ("https://gateway.example:65535/v1", "https://gateway.example:65535/v1"),
    ],
)
def test_every_form_that_people_write_is_understood(text: str, base_url: str) -> None:
    assert parse_base_url(text) == Endpoint(base_url, "openai")


@pytest.mark.parametrize("path", ["/anthropic", "/anthropic/", "/anthropic/v1", "/anthropic/v1/v1"])
def test_the_path_chooses_the_api_and_v1_is_added_once(path: str) -> None:
    assert parse_base_url(f"https://api.synthetic.new{path}") == Endpoint(
        "https://api.synthetic.new/anthropic/v1", "anthropic"
    )


@pytest.mark.parametrize(
    ("base_url", "above"),
    [
        ("https://api.synthetic.new", "https://api.synthetic.new"),
        ("https://api.synthetic.new/v1", "https://api.synthetic.new"),
        ("https://api.synthetic.new/anthropic", "https://api.synthetic.new"),
        ("https://gateway.example/team/openai/v1", "https://gateway.example/team"),
        ("https://gateway.example/team/v1/messages", "https://gateway.example/team"),
    ],
)
def test_the_apis_lie_beside_each_other(base_url: str, above: str) -> None:
    endpoint = parse_base_url(base_url)
    assert endpoint.beside("anthropic") == Endpoint(f"{above}/anthropic/v1", "anthropic")
    assert endpoint.beside("v2") == Endpoint(f"{above}/v2", "v2")
    assert endpoint.beside(endpoint.api) == endpoint


def test_what_lies_beside_an_unknown_path_is_unknown() -> None:
    assert parse_base_url("https://gateway.example/llm").beside("anthropic") is None


@pytest.mark.parametrize("path", ["/not-anthropic-v1", "/anthropic/v2", "/xanthropic"])
def test_a_path_that_only_resembles_anthropic_is_openai(path: str) -> None:
    assert parse_base_url(f"https://api.synthetic.new{path}").api == "openai"


def test_an_operation_is_appended_once() -> None:
    endpoint = parse_base_url("https://api.synthetic.new/")
    assert endpoint.url("chat/completions") == f"{DEFAULT_BASE_URL}/chat/completions"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://api.synthetic.new/v1", "unencrypted"),
        ("http://localhost.evil.example/v1", "unencrypted"),
        ("http://128.0.0.1/v1", "unencrypted"),
        ("http://192.168.1.4/v1", "unencrypted"),
        ("http://0.0.0.0/v1", "unencrypted"),
        ("http://[2001:db8::1]/v1", "unencrypted"),
        ("https://api.synthetic.new/v1?x=1", "query string"),
        ("https://api.synthetic.new/v1?", "query string"),
        ("https://api.synthetic.new/v1#part", "fragment"),
        ("https://api.synthetic.new/v1#", "fragment"),
        ("file:///etc/passwd", "absolute https URL"),
        ("ftp://api.synthetic.new/v1", "absolute https URL"),
        ("api.synthetic.new/v1", "absolute https URL"),
        ("//api.synthetic.new/v1", "absolute https URL"),
        ("https:///v1", "absolute https URL"),
        ("https://:443/v1", "absolute https URL"),
        ("https://api.synthetic.new:0/v1", "absolute https URL"),
        ("", "absolute https URL"),
        ("https://api.synthetic.new:99999/v1", "malformed"),
        ("https://api.synthetic.new:port/v1", "malformed"),
        ("https://[::1/v1", "malformed"),
        ("https://api.synthetic.new/v 1", "space"),
        ("https://api.synthetic .new/v1", "space"),
        ("https://api.synthetic.new/v1\x00", "control character"),
        ("https://api.synthetic.new/v1\r\nX-Y: z", "control character"),
        ("https://api.synthetic.new\\@evil.example/v1", "backslash"),
    ],
)
def test_what_cannot_be_right_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(InvalidBaseURLError, match=message):
        parse_base_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter22@api.synthetic.new/v1",
        "https://hunter22@api.synthetic.new/v1",
        "https://:hunter22@api.synthetic.new/v1",
        "http://user:hunter22@127.0.0.1/v1",
        "http://user:hunter22@api.synthetic.new/v1",
        "https://user:hunter22@api.synthetic.new:99999/v1",
        "https://user:hunter22 @api.synthetic.new/v1",
    ],
)
def test_userinfo_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(InvalidBaseURLError) as excinfo:
        parse_base_url(text)
    assert "hunter22" not in str(excinfo.value)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "[::1]", "synthetic.localhost"],
)
def test_plain_http_to_this_machine_is_allowed(host: str) -> None:
    base_url = f"http://{host.lower()}:8080/v1"
    assert parse_base_url(f"http://{host}:8080/v1").base_url == base_url


def test_plain_http_to_a_trusted_network_needs_saying_so() -> None:
    text = "http://gateway.internal:4000/v1"
    assert parse_base_url(text, allow_http=True).base_url == text
    with pytest.raises(InvalidBaseURLError, match="SYNTHETIC_ALLOW_HTTP=1"):
        parse_base_url(text)


@pytest.mark.parametrize("host", ["localhost.", "localhostx", "127.1", "2130706433", "", "::2"])
def test_a_host_that_only_resembles_loopback_is_not_trusted(host: str) -> None:
    assert not is_loopback(host)


URL_LIKE = st.one_of(
    st.text(),
    st.builds(
        lambda scheme, host, path: f"{scheme}://{host}{path}",
        st.sampled_from(["http", "https", "HTTPS", "file", ""]),
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(["a.example", "[::1]", "127.0.0.1:1", "[v1.x]", "u:p@h", "h:", "İ.x"]),
        ),
        st.lists(
            st.sampled_from(
                ["/v1", "/", "/models", "/chat/completions", "/completions", "/anthropic", "?", "é"]
            )
        ).map("".join),
    ),
)


@given(text=URL_LIKE, allow_http=st.booleans())
@example(text="https://h/models/models", allow_http=False)
@example(text="https://h/v1/chat/completions/chat/completions", allow_http=False)
@example(text="https://[v1.x]", allow_http=False)
def test_any_text_is_an_endpoint_or_refused_and_reading_it_again_changes_nothing(
    *, text: str, allow_http: bool
) -> None:
    try:
        endpoint = parse_base_url(text, allow_http=allow_http)
    except InvalidBaseURLError:
        return
    assert parse_base_url(endpoint.base_url, allow_http=allow_http) == endpoint
    assert not endpoint.base_url.endswith("/")


@given(URL_LIKE)
def test_an_endpoint_is_an_address_that_the_transport_can_use(text: str) -> None:
    try:
        endpoint = parse_base_url(text)
    except InvalidBaseURLError:
        return
    assert httpx.URL(endpoint.url("chat/completions")).scheme in ("http", "https")
