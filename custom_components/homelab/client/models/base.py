"""What the models have in common."""

from collections.abc import Mapping
from enum import StrEnum

EACH_BY_ITSELF: Mapping[str, bool] = {"each_by_itself": True}
"""Metadata of a tuple: an entry that makes no sense is passed over instead of refusing all."""


class OpenEnum(StrEnum):
    """An enum to which a newer agent may have added a value: that one reads as `UNKNOWN`."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        return cls.__members__.get("UNKNOWN") if isinstance(value, str) else None
