"""What a person asked for comes back; what the old image and the engine added does not."""

from typing import Any

from homelab_agent.platform.engine.docker.container_spec import Replacement, create_body
from homelab_agent.platform.engine.docker.container_spec_networks import mac_addresses
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.engine.recreate import Original, RestartPolicy

ID = "ab" * 32
SHORT = ID[:12]


def _body(
    config: dict[str, Any] | None = None,
    host: dict[str, Any] | None = None,
    image: dict[str, Any] | None = None,
    *,
    several_networks: bool = True,
    replaced: dict[str, str] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    original = Original(
        id=ID,
        name="web",
        image="nginx",
        image_id="sha256:old",
        state=ContainerState.RUNNING,
        restart_policy=RestartPolicy(name="always"),
    )
    inspected = {"Id": ID, "Config": config or {}, "HostConfig": host or {}, **rest}
    new = Replacement(
        image="nginx",
        image_id="sha256:new",
        replaced=replaced or {},
        several_networks=several_networks,
    )
    return create_body(inspected, image or {}, original, new)


def test_what_came_from_the_old_image_comes_from_the_new_one() -> None:
    image = {
        "Env": ["PATH=/bin", "VERSION=1"],
        "Cmd": ["serve"],
        "Entrypoint": ["/entry"],
        "Labels": {"version": "1", "vendor": "x"},
        "ExposedPorts": {"80/tcp": {}},
        "WorkingDir": "/app",
    }
    own = {"Env": ["MINE=1", "PATH=/bin", "VERSION=1"], "Labels": {"version": "1", "mine": "y"}}
    body = _body(image | own, image=image)
    assert body["Env"] == ["MINE=1"]
    assert body["Labels"] == {"mine": "y"}
    assert body["ExposedPorts"] == {}
    assert {"Cmd", "Entrypoint", "WorkingDir"}.isdisjoint(body)


def test_a_command_of_ones_own_stays_with_the_entrypoint_of_the_image() -> None:
    image = {"Entrypoint": ["/entry"], "Cmd": ["serve"]}
    body = _body({"Entrypoint": ["/entry"], "Cmd": ["mine"]}, image=image)
    assert body["Cmd"] == ["mine"]
    assert "Entrypoint" not in body


def test_an_entrypoint_that_was_taken_away_stays_away() -> None:
    body = _body({"Entrypoint": None, "Cmd": ["sh"]}, image={"Entrypoint": ["/e"], "Cmd": ["sh"]})
    assert (body["Entrypoint"], body["Cmd"]) == ([""], ["sh"])


def test_a_published_port_stays_published_when_the_new_image_exposes_it_no_more() -> None:
    image = {"ExposedPorts": {"80/tcp": {}}}
    host = {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}
    assert _body(image, host, image)["ExposedPorts"] == {"80/tcp": {}}


def test_compose_is_told_of_the_new_image() -> None:
    label = "com.docker.compose.image"
    assert _body({"Labels": {label: "sha256:old"}})["Labels"] == {label: "sha256:new"}


def test_the_restart_policy_is_the_one_from_before_it_was_set_aside() -> None:
    body = _body(host={"RestartPolicy": {"Name": "no"}})
    assert body["HostConfig"]["RestartPolicy"]["Name"] == "always"


def test_a_host_name_that_is_the_id_is_not_handed_on() -> None:
    assert "Hostname" not in _body({"Hostname": SHORT})
    assert _body({"Hostname": "mine"})["Hostname"] == "mine"


def test_who_shares_a_network_gets_the_one_of_the_new_container() -> None:
    host = {"NetworkMode": "container:old", "VolumesFrom": ["old:ro", "other"]}
    body = _body({"Hostname": "theirs", "Domainname": "d"}, host, replaced={"old": "new"})
    assert body["HostConfig"]["NetworkMode"] == "container:new"
    assert body["HostConfig"]["VolumesFrom"] == ["new:ro", "other"]
    assert {"Hostname", "Domainname", "NetworkingConfig"}.isdisjoint(body)


def test_links_are_asked_for_as_they_were() -> None:
    assert _body(host={"Links": ["/db:/web/database"]})["HostConfig"]["Links"] == ["db:database"]


def test_the_data_in_unnamed_volumes_is_carried_over() -> None:
    mounts = [
        {"Type": "volume", "Name": "f" * 64, "Destination": "/data", "RW": True},
        {"Type": "volume", "Name": "e" * 64, "Destination": "/more", "RW": True},
        {"Type": "bind", "Source": "/srv", "Destination": "/srv", "RW": True},
    ]
    host = {"Binds": ["/srv:/srv"], "Mounts": [{"Type": "volume", "Target": "/more"}]}
    made = _body(host=host, Mounts=mounts)["HostConfig"]
    assert made["Binds"] == ["/srv:/srv", f"{'f' * 64}:/data"]
    assert made["Mounts"][0]["Source"] == "e" * 64


def test_addresses_and_names_in_networks_stay() -> None:
    networks = {
        "back": {"Aliases": ["db", SHORT], "IPAMConfig": None, "IPAddress": "10.0.0.3"},
        "front": {"Aliases": None, "IPAMConfig": {"IPv4Address": "10.1.0.9"}},
    }
    settings = {"Networks": networks}
    body = _body(host={"NetworkMode": "front"}, NetworkSettings=settings)
    made = body["NetworkingConfig"]["EndpointsConfig"]
    assert made == {
        "front": {"IPAMConfig": {"IPv4Address": "10.1.0.9"}},
        "back": {"Aliases": ["db"]},
    }
    older = _body(host={"NetworkMode": "front"}, NetworkSettings=settings, several_networks=False)
    assert list(older["NetworkingConfig"]["EndpointsConfig"]) == ["front"]


def test_an_address_that_docker_made_of_the_ip_is_not_asked_for() -> None:
    networks = {
        "front": {"MacAddress": "02:42:0a:01:00:09", "IPAddress": "10.1.0.9"},
        "made": {"MacAddress": "02:42:0a:00:00:03", "IPAddress": "10.0.0.3"},
        "asked": {"MacAddress": "02:aa:00:00:00:01", "IPAddress": "10.2.0.3"},
    }
    inspected: dict[str, Any] = {
        "Id": ID,
        "Config": {},
        "HostConfig": {"NetworkMode": "front"},
        "NetworkSettings": {"Networks": networks},
    }
    assert mac_addresses(inspected) == {"asked": "02:aa:00:00:00:01"}
