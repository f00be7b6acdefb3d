"""Who may talk to the browser view: by example, and for any header whatever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.cli.web_guard import Guard, is_loopback_name

LOCAL = Guard(None)
REMOTE = Guard("the-token")
HOSTS = st.one_of(
    st.sampled_from(["localhost", "LOCALHOST:80", "127.0.0.1:8765", "127.1.2.3", "[::1]:1", "[::1]"]),
    st.sampled_from(["localhost.evil.example", "evil.example:8765", "127.0.0.1.evil.example", "evil@localhost:x", ""]),
    st.sampled_from(["0.0.0.0", "192.168.1.2", "[::]", "[fe80::1]", "10.0.0.1:8765", "[", "::1", "2130706433"]),
    st.text(max_size=30),
)


def refusal(guard: Guard, host: str, origin: str | None = None, *tokens: str, is_websocket: bool = False) -> str | None:
    return guard.refusal(host=host, origin=origin, tokens=tokens, is_websocket=is_websocket)


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:8765", "127.8.8.8", "[::1]:8765"])
def test_names_of_this_machine_are_let_in(host: str) -> None:
    assert refusal(LOCAL, host) is None
    assert refusal(LOCAL, host, f"http://{host}", is_websocket=True) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.9"]
)
def test_another_name_is_a_rebound_one(host: str) -> None:
    assert "no name of it" in str(refusal(LOCAL, host))


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://localhost:1", "https://127.0.0.1:8765"]
)
def test_a_websocket_is_only_for_the_page_of_this_server(origin: str | None) -> None:
    assert "somewhere else" in str(refusal(LOCAL, "localhost:8765", origin, is_websocket=True))


@pytest.mark.parametrize("tokens", [(), ("",), ("the-toke",), ("the-token ",), ("THE-TOKEN", "token"), ("tökén",)])
def test_elsewhere_the_token_is_asked_for(tokens: tuple[str, ...]) -> None:
    assert "token" in str(refusal(REMOTE, "db.example:8765", None, *tokens))


def test_with_the_token_any_name_will_do() -> None:
    assert refusal(REMOTE, "db.example:8765", None, "stale", "the-token") is None
    assert refusal(REMOTE, "db.example", "http://db.example", "the-token", is_websocket=True) is None
    assert refusal(REMOTE, "db.example", "http://evil.example", "the-token", is_websocket=True) is not None


@given(HOSTS, st.one_of(st.none(), HOSTS.map("http://{}".format), st.text(max_size=20)), st.booleans())
def test_who_is_let_in_without_a_token_names_this_machine_and_comes_from_it(
    host: str, origin: str | None, is_websocket: bool
) -> None:
    if refusal(LOCAL, host, origin, is_websocket=is_websocket) is None:
        assert is_loopback_name(host)
        assert origin is not None or not is_websocket
        assert origin in (None, f"http://{host}", f"https://{host}")


@given(HOSTS, st.lists(st.text(max_size=12), max_size=3), st.booleans())
def test_no_other_token_opens(host: str, tokens: list[str], is_websocket: bool) -> None:
    is_right = "the-token" in tokens
    assert (refusal(REMOTE, host, f"http://{host}", *tokens, is_websocket=is_websocket) is None) == is_right


@given(HOSTS)
def test_a_loopback_name_begins_like_one(host: str) -> None:
    if is_loopback_name(host):
        assert host.rpartition("@")[2].lower().startswith(("localhost", "127.", "[::1]", "[0", "[::ffff:"))
