"""Names of images, read as Docker reads them."""

import re
from dataclasses import dataclass

from homelab_agent.platform.errors import Invalid

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"

_LONGEST_NAME = 255
_SHOWN = 80
_SHORT_DIGEST = slice(7, 19)

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(
    rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]{{2,45}}\])(?P<port>:[0-9]{{1,5}})?"
)
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """Where an image is found: `registry` is a host with its port, `docker.io` for Docker Hub."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """Registry and repository as people write them: nothing of Docker Hub's defaults."""
        if self.registry != DOCKER_HUB:
            return f"{self.registry}/{self.repository}"
        return self.repository.removeprefix("library/")

    def __str__(self) -> str:
        """Return it as people write it, with its tag and its digest."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    def with_tag(self, tag: str) -> ImageReference:
        """Return the same repository's image under another tag."""
        return ImageReference(self.registry, self.repository, tag)

    def at(self, digest: str) -> ImageReference:
        """Return exactly one image of the same repository."""
        return ImageReference(self.registry, self.repository, digest=digest)


def parse_reference(text: str) -> ImageReference:
    """Read a name such as `nginx`, `ghcr.io/owner/app:1.2` or `host:5000/app@sha256:...`.

    The tag is `latest` where neither a tag nor a digest is given.

    Raises:
        Invalid: it is no name of an image; the message says what is wrong with it.
    """
    name, has_digest, digest = text.partition("@")
    if has_digest and not _DIGEST.fullmatch(digest):
        raise _invalid(text, "what follows the @ is no digest (sha256: and 64 hex digits)")
    name, tag = _split_tag(name)
    if tag is not None and not _TAG.fullmatch(tag):
        raise _invalid(text, "a tag has letters, digits, '_', '.' and '-', at most 128")
    registry, repository = _split_registry(name)
    if not _REGISTRY.fullmatch(registry):
        raise _invalid(text, "what stands before the first / is no host")
    if repository.lower() != repository:
        raise _invalid(text, "a repository is written in lower case")
    if not _REPOSITORY.fullmatch(repository):
        raise _invalid(text, "a repository has letters, digits and single separators between them")
    if _IMAGE_ID.fullmatch(name):
        raise _invalid(text, "it is the id of an image")
    if len(registry) + len(repository) > _LONGEST_NAME:
        raise _invalid(text, f"it is longer than {_LONGEST_NAME} characters")
    if tag is None and not digest:
        tag = DEFAULT_TAG
    return ImageReference(registry, repository, tag, digest or None)


def is_image_id(text: str) -> bool:
    """Return whether a container's "image" is an id: it was made from no name."""
    return bool(_IMAGE_ID.fullmatch(text))


def short_digest(digest: str) -> str:
    """Return the first twelve digits of a digest, which is enough to tell two apart."""
    return digest[_SHORT_DIGEST]


def _split_tag(name: str) -> tuple[str, str | None]:
    front, colon, tag = name.rpartition(":")
    # In "host:5000/app" the colon belongs to the port.
    return (front, tag) if colon and "/" not in tag else (name, None)


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_host = any(sign in first for sign in ".:") or first == "localhost" or first.lower() != first
    if not (slash and is_host):
        registry, repository = DOCKER_HUB, name
    else:
        registry, repository = first, rest
    if registry == "index.docker.io":
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository


def _invalid(text: str, why: str) -> Invalid:
    return Invalid(
        f"{text[:_SHOWN]!r} is no name of an image: {why}.",
        field="image",
        hint="As in nginx:1.29 or ghcr.io/owner/app:2.1.",
    )
