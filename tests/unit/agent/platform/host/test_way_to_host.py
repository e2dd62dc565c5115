"""From a container the machine is its gateway; where there is none, no way is made up."""

from dataclasses import replace
from pathlib import Path

import pytest

from homelab_agent.platform.host.paths import find_paths
from homelab_agent.platform.host.way_to_host import way_to_host

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
BRIDGE = "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
DEFAULT = "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("routes", "address"),
    [(HEAD + BRIDGE + DEFAULT, "172.17.0.1"), (HEAD + BRIDGE, None), (HEAD, None), ("", None)],
)
def test_the_gateway_of_the_own_network_is_the_machine(
    tmp_path: Path, routes: str, address: str | None
) -> None:
    file = tmp_path / "route"
    file.write_text(routes)
    contained = replace(find_paths(), has_own_network=True)

    assert way_to_host(contained, file) == address
    assert way_to_host(contained, tmp_path / "missing") is None


def test_in_the_network_of_the_machine_it_is_itself() -> None:
    assert way_to_host(replace(find_paths(), has_own_network=False)) == "127.0.0.1"
