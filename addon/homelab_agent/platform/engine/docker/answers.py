"""The engine's answers as what they should be, or an error that says that they are not."""

from pydantic import BaseModel, TypeAdapter, ValidationError

from homelab_agent.platform.engine.docker.errors import Call, unreadable


def read_document[T: BaseModel](document: type[T], call: Call, body: bytes) -> T:
    """Return an answer as a document; `Failed` where it is none."""
    try:
        return document.model_validate_json(body)
    except ValidationError as error:
        raise unreadable(call, str(error)) from None


def read_as[T](form: TypeAdapter[T], call: Call, body: bytes) -> T:
    """Return an answer of any form, such as a list; `Failed` where it is not of that form."""
    try:
        return form.validate_json(body)
    except ValidationError as error:
        raise unreadable(call, str(error)) from None
