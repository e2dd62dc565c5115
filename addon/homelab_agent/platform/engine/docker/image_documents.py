"""Docker's JSON about images, as much of it as is read, and how it becomes our models."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_pascal

from homelab_agent.platform.engine.images import EngineImage

_NAMELESS = "<none>"
"""How older engines write that there is no name."""

type _Bytes = Annotated[int, Field(ge=0, lt=2**63)]
type _Moment = Annotated[int, Field(ge=-62_135_596_800, lt=253_402_300_800)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_pascal)


class _Config(_Document):
    labels: dict[str, str] | None = None


class InspectedImage(_Document):
    """The answer of GET /images/{name}/json."""

    id: str
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    created: datetime | None = None
    size: _Bytes = 0
    architecture: str = ""
    os: str = ""
    variant: str = ""
    config: _Config | None = None

    def image(self) -> EngineImage:
        """Return it as the rest of the agent knows it."""
        return EngineImage(
            id=self.id,
            tags=_named(self.repo_tags),
            digests=_named(self.repo_digests),
            labels=(self.config and self.config.labels) or {},
            created_at=_utc(self.created),
            size_bytes=self.size,
            architecture=self.architecture or None,
            os=self.os or None,
            variant=self.variant or None,
        )


class ListedImage(_Document):
    """One row of GET /images/json."""

    id: str
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    created: _Moment = 0
    size: _Bytes = 0
    labels: dict[str, str] | None = None

    def image(self) -> EngineImage:
        """Return what the list tells of it."""
        return EngineImage(
            id=self.id,
            tags=_named(self.repo_tags),
            digests=_named(self.repo_digests),
            labels=self.labels or {},
            created_at=datetime.fromtimestamp(self.created, UTC) if self.created > 0 else None,
            size_bytes=self.size,
        )


class RemovedPart(_Document):
    """One row of the answer to DELETE /images/{name}."""

    untagged: str | None = None
    deleted: str | None = None


class _Detail(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    current: _Bytes = 0
    total: _Bytes = 0


class PullLine(BaseModel):
    """One line of the answer to POST /images/create. `id` is a layer's."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: str = ""
    id: str = ""
    progress: _Detail | None = Field(default=None, alias="progressDetail")
    error: str = ""


IMAGE_LIST: TypeAdapter[list[ListedImage]] = TypeAdapter(list[ListedImage])
REMOVED_LIST: TypeAdapter[list[RemovedPart]] = TypeAdapter(list[RemovedPart])


def _named(names: list[str] | None) -> tuple[str, ...]:
    return tuple(sorted(name for name in names or () if not name.startswith(_NAMELESS)))


def _utc(moment: datetime | None) -> datetime | None:
    # Images that are built to be the same every time say the year 1, or 1970.
    if moment is None or moment.year <= 1:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
