import pytest

from homelab_agent.platform.secrets import SecretFilter

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
