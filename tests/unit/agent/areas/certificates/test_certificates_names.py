"""Names of hosts and of certificates, and the keys by which places are known."""

import re
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab_agent.areas.certificates.models import CertificateSource, StartTls, WatchBody
from homelab_agent.areas.certificates.names import fits, wire_name
from homelab_agent.areas.certificates.places import endpoint_place, file_place
from homelab_agent.areas.certificates.watched import Origin


@pytest.mark.parametrize(
    ("server_name", "names", "good"),
    [
        ("a.example", ("a.example",), True),
        ("a.example", ("A.Example.",), True),
        ("a.b.example", ("*.b.example",), True),
        ("b.example", ("*.b.example",), False),
        ("x.a.b.example", ("*.b.example",), False),
        (".b.example", ("*.b.example",), False),
        ("lab.example", ("*.example",), False),
        ("a.b.example", ("a*.b.example", "*", "*.*.example", "**.b.example"), False),
        ("192.0.2.1", ("192.0.2.1",), True),
        ("192.0.2.1", ("*.0.2.1", "192.0.2.2"), False),
        ("fd00::1", ("FD00:0:0::1",), True),
        ("a.example", (), False),
    ],
)
def test_a_name_is_taken_for_what_clients_take_it(
    server_name: str, names: tuple[str, ...], *, good: bool
) -> None:
    assert fits(server_name, names) is good


@pytest.mark.parametrize(
    ("host", "wire"),
    [
        ("NAS.Lab.Example.", "nas.lab.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("[FD00::1]", "fd00::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("my_host", "my_host"),
    ],
)
def test_a_host_is_asked_for_as_the_wire_has_it(host: str, wire: str) -> None:
    assert wire_name(host) == wire


@pytest.mark.parametrize("host", ["", ".", ".lab.example", "a..example", "x" * 64, "a\0b", "a b"])
def test_what_no_handshake_can_ask_for_is_no_name(host: str) -> None:
    with pytest.raises(socket.gaierror):
        wire_name(host)


_LETTERS = st.characters(codec="ascii", exclude_characters=".[]", exclude_categories=("Cc", "Zs"))


@given(
    st.text(_LETTERS, min_size=1, max_size=63),
    st.integers(1, 65535),
    st.sampled_from([None, *StartTls]),
)
def test_any_host_has_a_key_that_an_address_can_hold(
    host: str, port: int, start_tls: StartTls | None
) -> None:
    place = endpoint_place(WatchBody(host=host, port=port, start_tls=start_tls), Origin.PERSON)

    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,127}", place.key)
    assert 1 <= len(place.name) <= 64


def test_two_places_never_share_a_key() -> None:
    bodies = [
        WatchBody(host="a.example"),
        WatchBody(host="a.example", port=8443),
        WatchBody(host="a.example", server_name="b.example"),
        WatchBody(host="a.example", start_tls=StartTls.IMAP),
        WatchBody(host="a_example"),
        WatchBody(host="a-example"),
        WatchBody(host="fd00::1"),
        WatchBody(host="fd00:1::"),
        WatchBody(host=".".join(["x" * 60] * 3)),
        WatchBody(host=".".join(["x" * 60] * 4)),
    ]
    keys = {endpoint_place(body, Origin.PERSON).key for body in bodies}
    paths = ("/etc/a-b.pem", "/etc/a/b.pem", "/etc/A/b.pem", "/etc/a_b.pem")
    keys |= {file_place(path, CertificateSource.FILE, Origin.FILES, None).key for path in paths}

    assert len(keys) == len(bodies) + len(paths)


def test_a_name_that_means_the_same_host_is_the_same_place() -> None:
    same = (
        WatchBody(host="NAS.example"),
        WatchBody(host="nas.example."),
        WatchBody(host="nas.example", server_name="nas.example"),
    )
    assert len({endpoint_place(body, Origin.PERSON).key for body in same}) == 1
