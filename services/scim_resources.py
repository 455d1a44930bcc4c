"""The resources we serve: scim2-models' own, with one thing that every provider leaves out."""

from __future__ import annotations

from typing import Annotated

import scim2_models
from pydantic import Field
from scim2_models import CaseExact, Group, Reference, User


class Manager(scim2_models.Manager):
    """The User's manager: providers send the id alone, without the URI that scim2-models asks for."""

    value: Annotated[str | None, CaseExact.true] = None
    """The id of the SCIM resource representing the User's manager."""

    ref: Reference[User] | None = Field(None, serialization_alias="$ref", validation_alias="$ref")  # type: ignore[type-arg]
    """The URI of the SCIM resource representing the User's manager."""


class EnterpriseUser(scim2_models.EnterpriseUser):
    """Enterprise User"""

    manager: Manager | None = None
    """The User's manager."""


PersonResource = User[EnterpriseUser]
GroupResource = Group
