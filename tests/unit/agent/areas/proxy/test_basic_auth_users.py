"""Who may come in to a website: what is wrong with a name or a password is told in words."""

import pytest
from pydantic import ValidationError

from homelab_agent.areas.proxy.models import RouteBody


def why_refused(**user: str) -> tuple[str, str]:
    """Return which field of the second of two users is refused, and why."""
    users = [{"username": "me", "password": "long enough"}, user]
    with pytest.raises(ValidationError) as refused:
        RouteBody.model_validate({"upstreams": ["192.0.2.1:80"], "basic_auth": users}, strict=False)
    (error,) = refused.value.errors()
    return ".".join(map(str, error["loc"])), error["msg"]


@pytest.mark.parametrize("password", ["sh0rt", "x" * 73])
def test_a_password_of_a_wrong_length_is_told_with_whose_it_is_and_how_long_it_has_to_be(
    password: str,
) -> None:
    field, why = why_refused(username="you", password=password)
    assert field == "basic_auth.1.password"
    assert why == "The password of you has to have 8 to 72 characters"


@pytest.mark.parametrize("name", ["", "a b", "a:b", "x" * 65, "a\n"])
def test_a_name_that_cannot_be_one_is_told_with_what_it_may_hold(name: str) -> None:
    field, why = why_refused(username=name, password="long enough")
    assert field == "basic_auth.1.username"
    assert why.endswith(
        "cannot be the name of a user: 1 to 64 characters, without spaces and colons"
    )


@pytest.mark.parametrize("password", ["x" * 8, "x" * 72, " 12345678"])
def test_what_is_long_enough_is_taken_as_it_is(password: str) -> None:
    body = RouteBody.model_validate(
        {"upstreams": ["192.0.2.1:80"], "basic_auth": [{"username": "é", "password": password}]},
        strict=False,
    )
    assert body.basic_auth is not None
    assert body.basic_auth[0].password.get_secret_value() == password
