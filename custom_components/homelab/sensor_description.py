"""What a sensor of this integration is described by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfDataRate,
    UnitOfInformation,
    UnitOfTemperature,
    UnitOfTime,
)

from .client import Kind

type Value = str | int | float | datetime | None

UNKNOWN = "unknown"


def anything(_thing: object) -> bool:
    """Return that it makes sense for everything."""
    return True


@dataclass(frozen=True, kw_only=True)
class ResourceSensorDescription[T](SensorEntityDescription):
    """A sensor that shows something of a resource.

    `kind`: what the value is read from. Of a new thing, `default_fn` says whether it is on, and
    `applies_fn` whether it makes sense at all.
    """

    kind: Kind[T]
    value_fn: Callable[[T], Value]
    default_fn: Callable[[Any], bool] | None = None
    applies_fn: Callable[[Any], bool] = anything


def options_of(values: type[StrEnum]) -> list[str]:
    """Return what a sensor of these values can show; unknown is no value."""
    return [value.value for value in values if value.value != UNKNOWN]


def known(value: StrEnum) -> str | None:
    """Return a value, None for one that only a newer agent knows."""
    return None if value.value == UNKNOWN else value.value


def size[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], int | None],
    *,
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT,
    unit: UnitOfInformation = UnitOfInformation.MEBIBYTES,
    enabled: bool = False,
) -> ResourceSensorDescription[T]:
    """Return a sensor of a number of bytes, shown in `unit`."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=state_class,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=unit,
        suggested_display_precision=1,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )


def rate[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], float | None],
    *,
    unit: UnitOfDataRate = UnitOfDataRate.KILOBYTES_PER_SECOND,
    default_fn: Callable[[Any], bool] | None = None,
) -> ResourceSensorDescription[T]:
    """Return a sensor of bytes per second, shown in `unit`."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=SensorDeviceClass.DATA_RATE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfDataRate.BYTES_PER_SECOND,
        suggested_unit_of_measurement=unit,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=value_fn,
        default_fn=default_fn,
    )


def percent[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], float | None],
    *,
    precision: int = 1,
    enabled: bool = False,
    category: EntityCategory | None = None,
    default_fn: Callable[[Any], bool] | None = None,
) -> ResourceSensorDescription[T]:
    """Return a sensor of a share."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=precision,
        entity_category=category,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        default_fn=default_fn,
    )


def temperature[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], float | None],
    *,
    default_fn: Callable[[Any], bool] | None = None,
    applies_fn: Callable[[Any], bool] = anything,
) -> ResourceSensorDescription[T]:
    """Return a sensor of degrees Celsius."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=value_fn,
        default_fn=default_fn,
        applies_fn=applies_fn,
    )


def fact[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], Value],
    *,
    device_class: SensorDeviceClass | None = None,
    category: EntityCategory | None = EntityCategory.DIAGNOSTIC,
    enabled: bool = False,
    default_fn: Callable[[Any], bool] | None = None,
) -> ResourceSensorDescription[T]:
    """Return a sensor of something that is no measurement; a diagnostic one as a rule."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=device_class,
        entity_category=category,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        default_fn=default_fn,
    )


def choice[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], StrEnum],
    values: type[StrEnum],
    *,
    enabled: bool = False,
    default_fn: Callable[[Any], bool] | None = None,
    applies_fn: Callable[[Any], bool] = anything,
) -> ResourceSensorDescription[T]:
    """Return a diagnostic sensor of which one of some values something has."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=SensorDeviceClass.ENUM,
        options=options_of(values),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        value_fn=lambda found: known(value_fn(found)),
        default_fn=default_fn,
        applies_fn=applies_fn,
    )


def expiry[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], datetime | None],
    *,
    applies_fn: Callable[[Any], bool] = anything,
) -> ResourceSensorDescription[T]:
    """Return a sensor of when a certificate ends."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=value_fn,
        applies_fn=applies_fn,
    )


def days_left[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], int | None],
    *,
    applies_fn: Callable[[Any], bool] = anything,
) -> ResourceSensorDescription[T]:
    """Return a sensor of how many days a certificate is still good for."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.DAYS,
        entity_registry_enabled_default=False,
        value_fn=value_fn,
        applies_fn=applies_fn,
    )


def count[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], int | None],
    *,
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT,
    enabled: bool = False,
    category: EntityCategory | None = None,
) -> ResourceSensorDescription[T]:
    """Return a sensor that counts; its unit is in the translations."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        state_class=state_class,
        entity_category=category,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )
