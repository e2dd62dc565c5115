"""Replacing containers over Docker's API."""

from collections.abc import Mapping, Sequence
from typing import override

from pydantic import JsonValue, TypeAdapter, ValidationError

from homelab_agent.platform.engine.docker.container_check import health_limit_s, port_addresses
from homelab_agent.platform.engine.docker.container_documents import Inspected
from homelab_agent.platform.engine.docker.container_files import Archive
from homelab_agent.platform.engine.docker.container_spec import (
    Replacement,
    create_body,
    later_networks,
)
from homelab_agent.platform.engine.docker.container_spec_helper import helper_body
from homelab_agent.platform.engine.docker.container_spec_mounts import volumes_of
from homelab_agent.platform.engine.docker.container_spec_networks import (
    mac_addresses,
    primary_mode,
    primary_network,
    was_left,
)
from homelab_agent.platform.engine.docker.container_uses import names_of, used_by
from homelab_agent.platform.engine.docker.errors import Call, unreadable
from homelab_agent.platform.engine.docker.few_at_once import few_at_once
from homelab_agent.platform.engine.docker.json_parts import JsonObject, number, strings, text, whole
from homelab_agent.platform.engine.docker.transport import Change, Parameters, Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.recreate import Original, RecreateEngine, RestartPolicy
from homelab_agent.platform.errors import NotFound

_DOCUMENT: TypeAdapter[JsonObject] = TypeAdapter(dict[str, JsonValue])
_DOCUMENTS: TypeAdapter[list[JsonObject]] = TypeAdapter(list[dict[str, JsonValue]])

_SEVERAL_NETWORKS = (1, 44)
"""The API version from which a container is made with all its networks at once."""

_CREATE_S = 60.0
_REMOVE_S = 120.0
_INSPECTS_AT_ONCE = 8
_INSPECT_S = 10.0

_REMOVES_ITSELF = (
    "It removes itself when it stops (--rm), so it could not be put back: "
    "start it anew with docker run instead."
)
_SWARM_TASK = "It belongs to a Swarm service: update the service instead."


class DockerRecreate(RecreateEngine):
    """Implements `RecreateEngine`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @override
    async def look(self, container_id: str) -> Original:
        document = await self._inspected(container_id)
        try:
            row = Inspected.model_validate(document).container()
        except (ValueError, OverflowError) as error:
            raise unreadable(_describe(container_id), str(error)) from None
        policy = whole(whole(document.get("HostConfig")).get("RestartPolicy"))
        return Original(
            id=row.id,
            name=row.name,
            image=row.image,
            image_id=row.image_id,
            state=row.state,
            restart_policy=RestartPolicy(
                name=row.restart_policy,
                maximum_retries=number(policy.get("MaximumRetryCount")),
            ),
            platform=await self._foreign_platform(row.image_id),
            mac_addresses=mac_addresses(document),
            refusal=_refusal(document),
        )

    @override
    async def uses(self) -> dict[str, frozenset[str]]:
        call = Call("list the containers", EngineRight.CONTAINERS_READ)
        body = await self._transport.read("containers/json", call, {"all": "true"})
        try:
            listed = _DOCUMENTS.validate_json(body)
        except ValidationError as error:
            raise unreadable(call, str(error)) from None
        names = names_of(listed)
        documents = await few_at_once(
            [text(row.get("Id")) for row in listed],
            self._inspected,
            at_once=_INSPECTS_AT_ONCE,
            deadline_s=_INSPECT_S,
        )
        return {key: used_by(document, names) for key, document in documents.items()}

    @override
    async def create(
        self,
        original: Original,
        *,
        name: str,
        image: str,
        image_id: str,
        replaced: Mapping[str, str],
    ) -> str:
        document = await self._inspected(original.id)
        _, agreed = await self._transport.negotiate()
        new = Replacement(
            image=image,
            image_id=image_id,
            replaced=replaced,
            borrowed=await self._borrowed(document),
            host_name=await self._host_name(document),
            several_networks=agreed >= _SEVERAL_NETWORKS,
        )
        defaults = await self._image_defaults(original.image_id)
        parameters = {"name": name}
        if original.platform:
            parameters["platform"] = original.platform
        call = Call(f"create {original.name} anew", EngineRight.CONTAINERS_CHANGE, changes=True)
        body = create_body(document, defaults, original, new)
        answer = await self._transport.change(
            "containers/create", call, parameters, body=body, extra_s=_CREATE_S
        )
        created = text(_read(call, answer).get("Id"))
        if not new.several_networks:
            for network, endpoint in later_networks(document, original).items():
                asked: JsonObject = {"Container": created, "EndpointConfig": endpoint}
                await self._network(network, "connect", asked)
        if was_left(document):
            left: JsonObject = {"Container": created, "Force": True}
            await self._network(primary_network(document), "disconnect", left)
        return created

    @override
    async def copy_files(self, from_id: str, to_id: str, paths: Sequence[str]) -> None:
        for path in paths:
            archive = Archive(path)
            reading = Call(f"give {path} of the container {from_id}", EngineRight.CONTAINERS_CHANGE)
            try:
                await self._transport.read_into(
                    archive.feed, f"containers/{from_id}/archive", reading, {"path": path}
                )
            except NotFound:
                continue
            writing = Call(
                f"write {path} into the container {to_id}",
                EngineRight.CONTAINERS_CHANGE,
                changes=True,
            )
            await self._transport.put_archive(
                f"containers/{to_id}/archive", writing, {"path": "/"}, archive.from_the_root()
            )

    @override
    async def start_helper(
        self,
        like_id: str,
        *,
        name: str,
        image: str,
        command: Sequence[str],
        labels: Mapping[str, str],
    ) -> str:
        document = await self._inspected(like_id)
        defaults = await self._image_defaults(text(document.get("Image")))
        body = helper_body(document, defaults, image, command, labels)
        call = Call(f"create {name}", EngineRight.CONTAINERS_CHANGE, changes=True)
        answer = await self._transport.change(
            "containers/create", call, {"name": name}, body=body, extra_s=_CREATE_S
        )
        helper_id = text(_read(call, answer).get("Id"))
        await self._change(helper_id, "start", "start")
        return helper_id

    @override
    async def set_restart_policy(self, container_id: str, policy: RestartPolicy) -> None:
        body: JsonObject = {
            "RestartPolicy": {
                "Name": policy.name,
                "MaximumRetryCount": policy.maximum_retries,
            }
        }
        await self._change(container_id, "update", "set the restart policy of", body=body)

    @override
    async def rename(self, container_id: str, name: str) -> None:
        await self._change(container_id, "rename", "rename", {"name": name})

    @override
    async def remove(self, container_id: str, *, own_volumes: bool) -> None:
        parameters = {"force": "true", "v": "true" if own_volumes else "false"}
        await self._change(container_id, "", "remove", parameters, method="DELETE")

    @override
    async def health_limit_s(self, container_id: str) -> float | None:
        return health_limit_s(await self._inspected(container_id))

    @override
    async def addresses(self, container_id: str, port: int) -> tuple[str, ...]:
        return port_addresses(await self._inspected(container_id), port)

    async def _inspected(self, container_id: str) -> JsonObject:
        call = _describe(container_id)
        return _read(call, await self._transport.read(f"containers/{container_id}/json", call))

    async def _image_defaults(self, image_id: str) -> JsonObject:
        """Return what a container has from its image; nothing where the image is gone."""
        return whole((await self._image(image_id)).get("Config"))

    async def _image(self, image_id: str) -> JsonObject:
        call = Call(f"describe the image {image_id}", EngineRight.IMAGES_READ)
        try:
            return _read(call, await self._transport.read(f"images/{image_id}/json", call))
        except NotFound:
            return {}

    async def _foreign_platform(self, image_id: str) -> str | None:
        """Return the platform of an image that is not the engine's own."""
        image = await self._image(image_id)
        system, architecture = text(image.get("Os")), text(image.get("Architecture"))
        version, _ = await self._transport.negotiate()
        if not architecture or not version.architecture or architecture == version.architecture:
            return None
        variant = text(image.get("Variant"))
        return "/".join(part for part in (system, architecture, variant) if part)

    async def _borrowed(self, document: JsonObject) -> frozenset[str]:
        """Return the volumes that a container has from others."""
        found: frozenset[str] = frozenset()
        for lender in strings(whole(document.get("HostConfig")).get("VolumesFrom")):
            try:
                found |= volumes_of(await self._inspected(lender.partition(":")[0]))
            except NotFound:
                continue
        return found

    async def _host_name(self, document: JsonObject) -> str | None:
        """Return the host's name where it is the container's too."""
        if primary_mode(document) != "host":
            return None
        call = Call("describe itself", EngineRight.INFO)
        return text(_read(call, await self._transport.read("info", call)).get("Name"))

    async def _network(self, network: str, verb: str, body: JsonObject) -> None:
        call = Call(f"{verb} the network {network}", EngineRight.CONTAINERS_CHANGE, changes=True)
        await self._transport.change(f"networks/{network}/{verb}", call, body=body)

    async def _change(
        self,
        container_id: str,
        verb: str,
        words: str,
        parameters: Parameters | None = None,
        *,
        method: Change = "POST",
        body: JsonValue = None,
    ) -> None:
        what = f"{words} the container {container_id}"
        call = Call(what, EngineRight.CONTAINERS_CHANGE, changes=True)
        path = f"containers/{container_id}/{verb}".rstrip("/")
        await self._transport.change(
            path, call, parameters, method=method, body=body, extra_s=_REMOVE_S
        )


def _describe(container_id: str) -> Call:
    return Call(f"describe the container {container_id}", EngineRight.CONTAINERS_READ)


def _read(call: Call, body: bytes) -> JsonObject:
    try:
        return _DOCUMENT.validate_json(body)
    except ValidationError as error:
        raise unreadable(call, str(error)) from None


def _refusal(document: JsonObject) -> str | None:
    if whole(document.get("HostConfig")).get("AutoRemove"):
        return _REMOVES_ITSELF
    labels = whole(whole(document.get("Config")).get("Labels"))
    return _SWARM_TASK if "com.docker.swarm.task.id" in labels else None
