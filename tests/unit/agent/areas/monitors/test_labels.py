"""Labels of containers as monitors: what they mean, and what a slip of the pen is told."""

import pytest

from homelab_agent.areas.monitors.check_settings import (
    ContainerCheckSettings,
    HttpCheckSettings,
    PingCheckSettings,
    TcpCheckSettings,
)
from homelab_agent.areas.monitors.labels import is_declined, settings_of, wishes
from homelab_agent.areas.monitors.models import MonitorTier
from homelab_agent.areas.monitors.names import label_key
from homelab_agent.platform.errors import Invalid


def test_one_label_is_enough_for_a_monitor() -> None:
    (wish,) = wishes({"homelab.monitor.http": ":8080/health", "other": "x"})

    settings = settings_of(wish, container="media:web:1", name="web", address="192.0.2.1:8080")

    assert wish.port == 8080
    assert isinstance(settings.check, HttpCheckSettings)
    assert settings.check.url == "http://192.0.2.1:8080/health"
    assert (settings.name, settings.container) == ("web", "media:web:1")


def test_several_monitors_of_one_container_have_options_of_their_own() -> None:
    found = wishes(
        {
            "homelab.monitor.http": "https://photos.example.org/",
            "homelab.monitor.status": "200, 401",
            "homelab.monitor.name": "Photos",
            "homelab.monitor.tier": "Critical",
            "homelab.monitor.interval": "5m",
            "homelab.monitor.timeout": "3s",
            "homelab.monitor.2.tcp": "db.lan:5432",
            "homelab.monitor.3.ping": "192.0.2.7",
            "homelab.monitor.4.container": "true",
        }
    )
    page, database, ping, container = (
        settings_of(wish, container="photos:web:1", name="web") for wish in found
    )

    assert [wish.suffix for wish in found] == ["http", "2.tcp", "3.ping", "4.container"]
    assert isinstance(page.check, HttpCheckSettings)
    assert page.check.status == ("200", "401")
    assert (page.name, page.tier) == ("Photos", MonitorTier.CRITICAL)
    assert (page.interval_s, page.timeout_s) == (300, 3)
    assert database.check == TcpCheckSettings(host="db.lan", port=5432)
    assert (database.name, database.interval_s) == ("web", 60)
    assert ping.check == PingCheckSettings(host="192.0.2.7")
    assert container.check == ContainerCheckSettings(container="photos:web:1")


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        ({"homelab.monitor.http": "8080/health"}, "write http://host:port/path"),
        ({"homelab.monitor.http": ":99999/"}, "write http://host:port/path"),
        ({"homelab.monitor.tcp": "db"}, "write host:port"),
        ({"homelab.monitor.tcp": ":5432/path"}, "write host:port"),
        ({"homelab.monitor.htpp": "http://x"}, "There is no label homelab.monitor.htpp"),
        ({"homelab.monitor.interval": "5m"}, "says nothing without one of http"),
        ({"homelab.monitor.container": "yes please"}, "write true"),
    ],
)
def test_a_label_that_means_nothing_is_told_in_words(labels: dict[str, str], word: str) -> None:
    (wish,) = wishes(labels)

    assert wish.problem is not None
    assert word in wish.problem


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("interval", "often", "write a time as 30s"),
        ("interval", "1s", "greater than or equal to 5"),
        ("timeout", "1h", "less than or equal to 120"),
        ("tier", "vital", "none of critical, optional"),
        ("status", "2xx", "pattern"),
    ],
)
def test_an_option_that_means_nothing_names_its_label(option: str, value: str, word: str) -> None:
    (wish,) = wishes(
        {"homelab.monitor.http": "http://192.0.2.1/", f"homelab.monitor.{option}": value}
    )

    with pytest.raises(Invalid) as caught:
        settings_of(wish, container="web", name="web")

    assert word in caught.value.message
    assert "homelab.monitor" in str(caught.value.field)


def test_a_container_that_does_not_want_to_be_watched_is_left_alone() -> None:
    labels = {"homelab.monitor": "false", "homelab.monitor.http": "http://192.0.2.1/"}

    assert is_declined(labels)
    assert wishes(labels) == ()
    assert not is_declined({"homelab.monitor": "true"})


def test_keys_of_two_containers_are_never_the_same() -> None:
    keys = [
        label_key(container, "http")
        for container in ("media:web:1", "media.web.1x", "Media:web:1", "media:web:2", "m" * 300)
    ]

    assert len(set(keys)) == len(keys)
    assert keys[0] == "label.media.web.1.http"
    assert all(len(key) <= 128 for key in keys)
