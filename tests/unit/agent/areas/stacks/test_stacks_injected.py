"""What compose writes into a container is found, so that an update does not lose it."""

from homelab_agent.areas.stacks.injected import InjectedFiles, injected_digests, injected_paths
from homelab_agent.platform.engine.demo.containers import DemoEngine
from homelab_agent.platform.errors import NotFound

MODEL = """
services:
  web:
    configs:
    - {source: text}
    - {source: text, target: /etc/app.conf}
    - {source: of_host, target: /etc/other.conf}
    secrets:
    - {source: value, target: /run/secrets/value}
    - {source: value, target: short}
    - {source: of_host}
  db: {image: busybox}
configs:
  text: {name: shop_text, content: '***'}
  of_host: {name: shop_of_host, file: /srv/app.conf}
secrets:
  value: {name: shop_value, environment: VALUE}
  of_host: {name: shop_of_host, file: /srv/key}
"""


def test_texts_and_values_are_found_where_compose_puts_them() -> None:
    assert injected_paths(MODEL, "web") == (
        "/text",
        "/etc/app.conf",
        "/run/secrets/value",
        "/run/secrets/short",
    )
    assert injected_paths(MODEL, "db") == ()
    assert injected_paths(MODEL, "gone") == ()
    assert injected_paths("", "web") == ()


async def test_only_the_text_of_its_own_stack_tells_of_a_container() -> None:
    asked: list[str] = []

    async def running_model(name: str) -> str:
        asked.append(name)
        return MODEL

    row = (await DemoEngine().list_containers())[0]
    files = InjectedFiles(running_model)
    place = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    assert "/text" in await files.of(row.model_copy(update={"labels": place}))
    assert await files.of(row.model_copy(update={"labels": {}})) == ()
    assert asked == ["shop"]


async def test_a_container_whose_text_somebody_removed_can_be_updated_all_the_same() -> None:
    async def running_model(name: str) -> str:
        raise NotFound(f"The files of this version of {name} are gone.")

    row = (await DemoEngine().list_containers())[0]
    place = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    files = InjectedFiles(running_model)
    assert await files.of(row.model_copy(update={"labels": place})) == ()


def test_a_change_of_a_text_a_value_or_its_place_is_seen_and_nothing_else_is() -> None:
    def digest(content: str = "good morning", value: str = "sesame", target: str = "/a") -> str:
        model: dict[str, object] = {
            "services": {
                "web": {
                    "configs": [{"source": "text", "target": target}],
                    "secrets": [{"source": "value"}],
                },
                "db": {"image": "busybox"},
            },
            "configs": {"text": {"content": content}, "other": {"content": value}},
            "secrets": {"value": {"environment": "VALUE"}},
        }
        found = injected_digests(model, {"VALUE": value, "OTHER": "1"})
        assert list(found) == ["web"]
        return found["web"]

    assert len({digest(), digest("good evening"), digest(value="poppy"), digest(target="/b")}) == 4
    assert digest() == digest()
