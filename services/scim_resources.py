"""The resources we serve: scim2-models' own, but for what no provider says, or asks, as the library wants it."""

from __future__ import annotations

from typing import Annotated

import scim2_models
from pydantic import AfterValidator, Field, validate_email
from scim2_models import AnyExtension, CaseExact, Group, Reference


def _address(text: str) -> str:
    """An e-mail address in its plain form. What is none stays as it is: nobody stays active because of it."""
    try:
        return validate_email(text)[1]
    except ValueError:
        return text.strip()


class Email(scim2_models.Email):
    """Compared with any text: Entra tries a connection by an id that nobody has, also where addresses tell people."""

    value: Annotated[str, AfterValidator(_address)] | None = None
    """Email addresses for the user."""


class Photo(scim2_models.Photo):
    """Any text: directories hold half an address, or none."""

    value: str | None = None  # type: ignore[assignment]
    """URL of a photo of the User."""


class X509Certificate(scim2_models.X509Certificate):
    """Any text: nobody reads it here."""

    value: str | None = None  # type: ignore[assignment]
    """The value of an X.509 certificate."""


class User(scim2_models.User[AnyExtension]):
    """User Account"""

    emails: list[Email] | None = None  # type: ignore[assignment]
    """Email addresses for the user."""

    profile_url: str | None = None  # type: ignore[assignment]
    """A fully qualified URL pointing to a page representing the User's online profile."""

    photos: list[Photo] | None = None  # type: ignore[assignment]
    """URLs of photos of the User."""

    x509_certificates: list[X509Certificate] | None = None  # type: ignore[assignment]
    """A list of certificates issued to the User."""


class Manager(scim2_models.Manager):
    """The User's manager: providers send the id alone, without the URI that scim2-models asks for."""

    value: Annotated[str | None, CaseExact.true] = None
    """The id of the SCIM resource representing the User's manager."""

    ref: Reference[scim2_models.User] | None = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The URI of the SCIM resource representing the User's manager."""


class EnterpriseUser(scim2_models.EnterpriseUser):
    """Enterprise User"""

    manager: Manager | None = None
    """The User's manager."""


PersonResource = User[EnterpriseUser]
GroupResource = Group
