"""A look at a compose text before compose reads it. Slow for long texts: call it in a thread.

Compose would follow `include` and `extends` out of the stack's folder and onto the network, and
it does not stop at a text that unfolds to billions of values.
"""

from collections.abc import Iterator

import yaml

from homelab_agent.platform.errors import Invalid

MOST_VALUES = 100_000
DEEPEST = 60


class _Loader(yaml.SafeLoader):
    """Reads what compose reads: its own tags are kept for compose to judge."""


def _as_it_is(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("!", _as_it_is)


def require_plain(compose: str) -> None:
    """Raise `Invalid` for a text that is not to be handed to compose; the error names the place."""
    _require_alone(content_of(compose))


def content_of(compose: str) -> object:
    """Return what a text says; raise `Invalid` for one that is not YAML or unfolds too far."""
    try:
        node = yaml.compose(compose, Loader=_Loader)
        if node is not None:
            _require_bounded(node)
        return yaml.load(compose, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        where = f"line {line}, column {mark.column + 1}: " if mark else ""
        raise Invalid(
            f"The text is not YAML: {where}{error.problem or error.context}.",
            field="compose",
            extra={"line": line} if line else None,
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise Invalid(f"The text is not YAML: {error}.", field="compose") from None
    except RecursionError:
        raise _too_deep() from None


def require_no_files_of_values(compose: str, folder: str) -> None:
    """Raise `Invalid` for a text that reads values from files of a folder that is not ours to see.

    Only labels name that folder, and they could name any.
    """
    for name, service in services_in(content_of(compose)):
        for key in ("env_file", "label_file"):
            if service.get(key):
                raise Invalid(
                    f"{name}: {key} lies in {folder[:200]}, which the agent does not read.",
                    field=f"services.{name}.{key}",
                    hint="Give the values as `environment`.",
                )


def services_in(content: object) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the services of a compose text with their names."""
    services = content.get("services") if isinstance(content, dict) else None
    if isinstance(services, dict):
        for name, service in services.items():
            if isinstance(service, dict):
                yield str(name), service


def _require_bounded(node: yaml.Node) -> None:
    """Count what the text unfolds to, with every alias counted as often as it is used."""
    sizes: dict[int, int] = {}

    def measure(each: yaml.Node, depth: int) -> int:
        if depth > DEEPEST:
            raise _too_deep()
        known = sizes.get(id(each))
        if known is not None:
            return known
        sizes[id(each)] = 1  # a value that holds itself is refused by whoever unfolds it
        size = 1 + sum(measure(child, depth + 1) for child in _children(each))
        if size > MOST_VALUES:
            raise Invalid(
                f"The text unfolds to more than {MOST_VALUES} values.",
                field="compose",
                hint="Use fewer aliases (*name) of aliases.",
                extra={"line": each.start_mark.line + 1},
            )
        sizes[id(each)] = size
        return size

    measure(node, 0)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _too_deep() -> Invalid:
    return Invalid("The text is nested too deeply.", field="compose")


def _require_alone(content: object) -> None:
    """Raise `Invalid` where the text wants other files read as part of it."""
    if not isinstance(content, dict):
        raise Invalid("A compose text is a mapping with `services` in it.", field="compose")
    if content.get("include"):
        raise _other_file("include")
    for name, service in services_in(content):
        extends = service.get("extends")
        if isinstance(extends, dict) and extends.get("file"):
            raise _other_file(f"services.{name}.extends.file")


def _other_file(field: str) -> Invalid:
    return Invalid(
        f"{field} reads another compose file, which the agent does not do: a stack is one text.",
        field=field,
        hint="Paste the other file's content into this text; `docker compose config` joins them.",
    )
