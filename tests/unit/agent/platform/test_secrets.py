from hashlib import sha256
from time import process_time

import pytest

from homelab_agent.platform.secrets import MOST_SECRETS, SecretFilter

TOKEN = "hl_0123abcd_" + "aB3-_" * 8 + "xyz"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"token {TOKEN} was used", "token *** was used"),
        (f"url?token={TOKEN}&x=1", "url?token=***&x=1"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"),
        ("postgresql+asyncpg://me:geheim@db/homelab", "postgresql+asyncpg://***@db/homelab"),
        (
            "key:\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nend",
            "key:\n***\nend",
        ),
        ("http://host:8099/api and a@b", "http://host:8099/api and a@b"),
    ],
)
def test_what_looks_like_a_secret_is_masked_without_being_told(text: str, masked: str) -> None:
    assert SecretFilter().mask(text) == masked


def test_known_secrets_are_masked_wherever_they_stand_the_longer_first() -> None:
    secrets = SecretFilter()
    secrets.add("correct")
    secrets.add("correct horse (battery)")
    secrets.add("correct")

    masked = secrets.mask("say correct horse (battery), incorrect")

    assert masked == "say ***, in***"


def test_a_secret_too_short_to_mask_is_refused_instead_of_spoiling_every_log() -> None:
    secrets = SecretFilter()

    for short in ("", "a", "12345"):
        with pytest.raises(ValueError, match="at least 6"):
            secrets.add(short)
    assert secrets.mask("a banana") == "a banana"


def test_of_secrets_that_begin_alike_each_is_masked_as_a_whole() -> None:
    secrets = SecretFilter()
    known = [
        "abcdef",
        "abcdefgh",
        "abcdef.h",
        "abcxyz",
        "xyzxyz",
        "(a|b)*?",
        "\u00fcber-\U0001f511",
    ]
    for value in known:
        secrets.add(value)
    for value in known:
        assert secrets.mask(f"<{value}>") == "<***>"
    assert secrets.mask("abcdefg abcde abcdef-h") == "***g abcde ***-h"


def test_whoever_chooses_secrets_does_not_choose_how_deep_a_pattern_is() -> None:
    secrets = SecretFilter()
    for length in range(6, 600):
        secrets.add("a" * length)
    assert secrets.mask("a" * 599) == "***"


def test_a_setting_that_changes_every_hour_makes_no_line_slower_for_ever() -> None:
    secrets = SecretFilter()
    secrets.add("in-use-since-the-start")
    for number in range(MOST_SECRETS + 10):
        secrets.add(f"secret-number-{number:06}-x")
        secrets.add("in-use-since-the-start")
    masked = secrets.mask(
        f"in-use-since-the-start secret-number-{MOST_SECRETS:06}-x secret-number-000000-x"
    )
    assert masked == "*** *** secret-number-000000-x"


def test_an_agent_with_thousands_of_secrets_starts_and_writes_without_a_pause() -> None:
    secrets = SecretFilter()
    began_s = process_time()
    for number in range(3000):
        secrets.add(sha256(str(number).encode()).hexdigest())
    assert secrets.mask("nothing in here " * 1000) == "nothing in here " * 1000
    # One pattern for each addition once took a minute and more.
    assert process_time() - began_s < 2
