"""Who can get to a port, by its address alone."""

from ipaddress import ip_address

import pytest

from homelab_agent.areas.network.models import Reach
from homelab_agent.areas.network.reach import port_key, reach_of
from homelab_agent.platform.host.network import Transport
from tests.fakes.network_files import ANYWHERE

HOME = ("127.0.0.1", "192.168.1.10", "::1", "fe80::1")
RENTED = (*HOME, "93.184.216.34")
HOME_WITH_IPV6 = (*HOME, "2606:2800:220:1::10")


@pytest.mark.parametrize(
    ("address", "own", "reach"),
    [
        ("127.0.0.1", RENTED, Reach.MACHINE),
        ("127.8.9.1", RENTED, Reach.MACHINE),
        ("::1", RENTED, Reach.MACHINE),
        ("192.168.1.10", RENTED, Reach.NETWORK),
        ("100.64.3.4", RENTED, Reach.NETWORK),
        ("fe80::1", RENTED, Reach.NETWORK),
        ("fd12:3456::1", HOME_WITH_IPV6, Reach.NETWORK),
        ("224.0.0.251", RENTED, Reach.NETWORK),
        ("93.184.216.34", RENTED, Reach.PUBLIC),
        ("2606:2800:220:1::10", HOME_WITH_IPV6, Reach.PUBLIC),
        (ANYWHERE, HOME, Reach.NETWORK),
        (ANYWHERE, RENTED, Reach.PUBLIC),
        (ANYWHERE, HOME_WITH_IPV6, Reach.NETWORK),
        ("::", HOME, Reach.NETWORK),
        ("::", RENTED, Reach.PUBLIC),
        ("::", HOME_WITH_IPV6, Reach.PUBLIC),
        (ANYWHERE, (), Reach.NETWORK),
    ],
)
def test_nobody_is_told_that_only_this_machine_reaches_what_others_can(
    address: str, own: tuple[str, ...], reach: Reach
) -> None:
    assert reach_of(ip_address(address), [ip_address(each) for each in own]) is reach


def test_keys_hold_no_colon_and_tell_ports_apart() -> None:
    addresses = (ANYWHERE, "::", "::1", "1::", "fe80::1:8080", "10.0.0.1")
    keys = {
        port_key(transport, ip_address(address), port)
        for transport in Transport
        for address in addresses
        for port in (1, 8080)
    }
    assert len(keys) == 2 * len(addresses) * 2
    assert "tcp-0.0.0.0-8080" in keys
    assert "tcp-__-8080" in keys
    assert not any(set(key) & set(":/ []") for key in keys)
