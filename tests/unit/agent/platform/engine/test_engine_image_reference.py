"""Names of images mean what they mean to Docker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab_agent.platform.engine.image_reference import (
    ImageReference,
    is_image_id,
    parse_reference,
    short_digest,
)
from homelab_agent.platform.errors import Invalid

DIGEST = "sha256:" + "1a2b3c4d5e6f" + "0" * 52


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", "latest", None),
        ("nginx:1.29", "docker.io", "library/nginx", "1.29", None),
        ("docker.io/nginx", "docker.io", "library/nginx", "latest", None),
        ("index.docker.io/a/b:1", "docker.io", "a/b", "1", None),
        ("a/b", "docker.io", "a/b", "latest", None),
        ("localhost/a", "localhost", "a", "latest", None),
        ("host:5000/a/b/c:1", "host:5000", "a/b/c", "1", None),
        ("[::1]:5000/a", "[::1]:5000", "a", "latest", None),
        (f"ghcr.io/a/b@{DIGEST}", "ghcr.io", "a/b", None, DIGEST),
        (f"host:5000/a:1@{DIGEST}", "host:5000", "a", "1", DIGEST),
        ("a__b/c-d.e:T_1", "docker.io", "a__b/c-d.e", "T_1", None),
    ],
)
def test_a_name_is_read_as_docker_reads_it(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    assert parse_reference(text) == ImageReference(registry, repository, tag, digest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nginx",
        "ghcr.io/Owner/app",
        "nginx:",
        "nginx:a b",
        "nginx@sha256:12",
        "http://host/app",
        "a//b",
        "../etc/passwd",
        "münchen.example/app",
        "a/b\n",
        "a" * 300,
        "0" * 64,
        "host:123456/a",
    ],
)
def test_what_is_no_name_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_reference(text)
    assert caught.value.field == "image"
    assert caught.value.hint


@given(st.text(max_size=60))
def test_no_text_is_read_as_something_else_than_it_says(text: str) -> None:
    try:
        reference = parse_reference(text)
    except Invalid:
        return
    assert parse_reference(str(reference)) == reference
    assert text.isascii()


def test_ids_and_digests_are_known_as_what_they_are() -> None:
    assert is_image_id(DIGEST)
    assert is_image_id("0" * 64)
    assert not is_image_id("nginx")
    assert short_digest(DIGEST) == "1a2b3c4d5e6f"
