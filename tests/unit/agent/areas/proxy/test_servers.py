import pytest
from pydantic import JsonValue

from homelab_agent.areas.proxy.overview import Overview
from homelab_agent.areas.proxy.servers import ports_of, server_at

HOSTS = frozenset({"photos.example.org"})


def config(**servers: list[str]) -> JsonValue:
    made: dict[str, JsonValue] = {
        name: {"listen": list(listen)} for name, listen in servers.items()
    }
    return {"apps": {"http": {"servers": made}}}


@pytest.mark.parametrize(
    ("listen", "port", "found"),
    [
        (":443", 443, True),
        ("0.0.0.0:443", 443, True),
        ("[::]:443", 443, True),
        ("tcp/:443", 443, True),
        ("tcp4/192.0.2.1:443", 443, True),
        (":440-450", 443, True),
        ("192.0.2.1:443", 443, True),
        (":8443", 443, False),
        ("udp/:443", 443, False),
        ("unix//run/x.sock", 443, False),
        (":444-450", 443, False),
        ("nonsense", 443, False),
        ("", 443, False),
    ],
)
def test_the_server_at_a_port_is_found_however_its_address_is_written(
    listen: str, port: int, *, found: bool
) -> None:
    assert server_at(config(one=[listen]), port) == ("one" if found else None)


def test_the_server_for_all_addresses_goes_before_that_for_one() -> None:
    assert server_at(config(a=["192.0.2.1:443"], b=[":443"]), 443) == "b"
    assert server_at(config(a=["192.0.2.1:443"], b=["192.0.2.2:443"]), 443) == "a"


@pytest.mark.parametrize(
    ("identity", "ours"),
    [
        ("homelab-photos.example.org", True),
        ("homelab_http-photos.example.org", True),
        ("homelab-nas", True),
        ("homelab-dashboard", False),
        ("homelab", False),
        (None, False),
    ],
)
def test_what_people_call_nearly_as_the_agent_does_stays_theirs(
    identity: str | None, *, ours: bool
) -> None:
    route: dict[str, JsonValue] = {"match": [{"host": ["nas", "photos.example.org"]}]}
    if identity:
        route["@id"] = identity
    document: JsonValue = {"apps": {"http": {"servers": {"a": {"routes": [route]}}}}}
    assert (Overview(document).who_serves(HOSTS) is None) is ours


@pytest.mark.parametrize("document", [None, {}, {"apps": None}, {"apps": {"http": []}}, [], "x"])
def test_a_configuration_of_any_shape_is_read(document: JsonValue) -> None:
    assert (ports_of(document).http, ports_of(document).https) == (80, 443)
    assert server_at(document, 443) is None
    assert Overview(document).others == ()
    assert Overview(document).who_serves(HOSTS) is None


@pytest.mark.parametrize(
    ("matchers", "takes"),
    [
        (None, True),
        ([], True),
        ([{"path": ["/a"]}], True),
        ([{"host": ["*.example.org"]}], True),
        ([{"host": ["*.EXAMPLE.org"]}], True),
        ([{"host": ["photos.example.org"]}], True),
        ([{"host": ["other.example.org"]}, {"path": ["/x"]}], True),
        ([{"host": ["other.example.org"]}], False),
        ([{"host": ["*.org"]}], False),
    ],
)
def test_what_could_take_the_requests_of_a_host_is_known(
    matchers: JsonValue, *, takes: bool
) -> None:
    document: JsonValue = {"apps": {"http": {"servers": {"a": {"routes": [{"match": matchers}]}}}}}
    assert Overview(document).takers("a", HOSTS) == ([0] if takes else [])


def test_a_host_inside_of_another_persons_subroute_is_theirs() -> None:
    inner: JsonValue = {"match": [{"host": ["Photos.Example.org"]}], "handle": []}
    route: JsonValue = {"handle": [{"handler": "subroute", "routes": [inner]}]}
    document: JsonValue = {"apps": {"http": {"servers": {"srv0": {"routes": [route]}}}}}
    assert Overview(document).who_serves(HOSTS) == ("srv0", "photos.example.org")
