"""What labels say, right or wrong."""

from datetime import datetime

import pytest

from homelab_agent.areas.updates.models import UpdatePolicy
from homelab_agent.areas.updates.policy import ContainerPolicy, policy_of, read_window
from homelab_agent.platform.errors import Invalid

DEFAULT = ContainerPolicy(policy=UpdatePolicy.NOTIFY, window=read_window("03:00-05:00"))


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("03:00-05:00", ("03:00", "04:59"), ("02:59", "05:00", "15:00")),
        ("23:00-02:00", ("23:00", "00:30", "01:59"), ("02:00", "12:00", "22:59")),
    ],
)
def test_a_window_holds_what_a_person_means(
    window: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    def holds(text: str) -> bool:
        return read_window(window).holds(datetime.fromisoformat(f"2026-11-21T{text}"))

    assert all(map(holds, inside))
    assert not any(map(holds, outside))


def test_labels_win_over_the_settings() -> None:
    labels = {
        "homelab.update": " Automatic ",
        "homelab.update.window": "22:00-23:30",
        "homelab.update.tags": r"\d+",
    }
    policy = policy_of(labels, DEFAULT)
    assert policy.policy is UpdatePolicy.AUTOMATIC
    assert str(policy.window) == "22:00-23:30"
    assert policy.tags == r"\d+"
    assert policy_of({}, DEFAULT) == DEFAULT


@pytest.mark.parametrize(
    "labels",
    [
        {"homelab.update": "allways"},
        {"homelab.update": ""},
        {"homelab.update.window": "3-5"},
        {"homelab.update.window": "03:00-03:00"},
        {"homelab.update.window": "24:00-25:00"},
        {"homelab.update.tags": "x" * 500},
    ],
)
def test_a_wrong_label_is_named_with_its_remedy(labels: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        policy_of(labels, DEFAULT)
    (label,) = labels
    assert caught.value.field == label
    assert label in caught.value.message
    assert caught.value.hint
