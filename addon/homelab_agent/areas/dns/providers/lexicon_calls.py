"""What is asked of dns-lexicon. It blocks, and may hang: all of it runs in a thread.

Its `Client` is not used: that finds the zone of a name with a list that it fetches from the
Internet. The zone is known here, so its providers are used as that client does.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from homelab_agent.areas.dns.models import Change, RecordSet, RecordType
from homelab_agent.areas.dns.providers.errors import NotOffered
from homelab_agent.areas.dns.values import from_presented
from homelab_agent.platform.errors import Invalid

if TYPE_CHECKING:
    from lexicon.interfaces import Provider

_MANAGED = {each.value: each for each in RecordType}
_NO_LIBRARY = NotOffered(
    "The library dns-lexicon is not installed where the agent runs",
    field="settings.type",
    hint="Install the agent with its extra: pip install 'homelab-agent[dns-more]'.",
)


@dataclass(slots=True)
class Progress:
    """How many calls that change something were begun, and how many came back well."""

    begun: int = 0
    done: int = 0


@dataclass(frozen=True, slots=True)
class LexiconCalls:
    """One provider of the library with its options. Each method is a conversation of its own."""

    provider: str
    options: Mapping[str, str]

    def sign_in(self, zone: str) -> None:
        """Have the credentials checked, and that there is such a zone."""
        with self._signed_in(zone):
            pass

    def read(self, zone: str) -> tuple[RecordSet, ...]:
        """Return what a zone holds."""
        with self._signed_in(zone) as provider:
            found = provider.list_records(None, None, None)
        return _record_sets(found)

    def write(self, zone: str, change: Change, progress: Progress) -> None:
        """Make a change."""
        some = change.after or change.before
        with self._signed_in(zone, ttl_s=some.ttl_s if some else None) as provider:
            for call in _calls(provider, change):
                progress.begun += 1
                call()
                progress.done += 1

    @contextmanager
    def _signed_in(self, zone: str, *, ttl_s: int | None = None) -> Iterator[Provider]:
        try:
            config = importlib.import_module("lexicon.config")
        except ImportError:
            raise _NO_LIBRARY from None
        self._require_no_path()
        about: dict[str, object] = {
            "provider_name": self.provider,
            "domain": zone,
            self.provider: dict(self.options),
        }
        if ttl_s is not None:
            about["ttl"] = ttl_s
        resolver = config.ConfigResolver().with_dict(about)
        provider = self._module().Provider(resolver)
        provider.authenticate()
        try:
            yield provider
        finally:
            provider.cleanup()

    def _module(self) -> ModuleType:
        try:
            return importlib.import_module(f"lexicon._private.providers.{self.provider}")
        except ModuleNotFoundError as error:
            raise Invalid(
                f"dns-lexicon has no provider {self.provider}, or lacks what that one needs "
                f"({error.name})",
                field="settings.provider",
                hint="Look its name up in the list of providers of dns-lexicon's documentation.",
            ) from None

    def _require_no_path(self) -> None:
        """Refuse options that lead to files or sockets of the machine that the agent runs on."""
        for name, value in self.options.items():
            if value.startswith("file::") or _is_path(value):
                raise Invalid(
                    f"The option {name} is a path of the agent's machine, which is not taken",
                    field=f"settings.options.{name}",
                    hint="Give the value itself.",
                )


def _is_path(text: str) -> bool:
    try:
        return Path(text).exists()
    except OSError, ValueError:  # too long for one, or with a NUL in it
        return False


def _calls(provider: Provider, change: Change) -> Iterator[Callable[[], object]]:
    """Give what is to be called: first what comes, so that the name is never without records.

    An alias is alone: there what goes has to go first.
    """
    before = set(change.before.values) if change.before else set()
    after = set(change.after.values) if change.after else set()
    kind, name = change.type.value, change.name
    come = [partial(provider.create_record, kind, name, each) for each in sorted(after - before)]
    go = [
        partial(provider.delete_record, None, kind, name, each) for each in sorted(before - after)
    ]
    yield from (*go, *come) if change.type is RecordType.CNAME else (*come, *go)


def _record_sets(found: Iterable[Mapping[str, object]]) -> tuple[RecordSet, ...]:
    """Return the record sets of single records, as the library has them."""
    values: dict[tuple[str, RecordType], set[str]] = {}
    ttls_s: dict[tuple[str, RecordType], int] = {}
    for record in found:
        kind = _MANAGED.get(str(record["type"]))
        if kind is None:
            continue
        key = (str(record["name"]).lower().removesuffix("."), kind)
        values.setdefault(key, set()).add(_value(kind, str(record["content"])))
        ttl = str(record.get("ttl"))
        if ttl.isdecimal():
            ttls_s[key] = int(ttl)
    return tuple(
        RecordSet(name=name, type=kind, values=tuple(sorted(each)), ttl_s=ttls_s.get((name, kind)))
        for (name, kind), each in sorted(values.items())
    )


def _value(kind: RecordType, content: str) -> str:
    if kind is not RecordType.TXT:
        return from_presented(kind, content)
    # Some providers have the quotes taken off, some have not; between pieces they are left.
    bare = content.strip().removeprefix('"').removesuffix('"')
    return from_presented(kind, f'"{bare}"') if '" "' in bare else bare
