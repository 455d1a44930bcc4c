"""The closed list of what can go wrong.

AppError
├── Refused
│   ├── NotAuthenticated     the request is not proven to come from the site
│   ├── Forbidden            proven, but this person may not do this
│   └── NotFound             no such thing for this tenant
├── Invalid(field)           what was typed or sent cannot be used
├── Conflict                 somebody else was faster, or it is already so
├── NotReady                 something has to be done first; next_step says what
└── AtlassianError           Atlassian said no, or said nothing
    ├── Unauthorized         the credential is wrong, expired or revoked
    ├── AccessForbidden(why) the credential is good but may not do this
    ├── Gone                 the thing is not there (any more)
    ├── RateLimited(until)   asked too often
    ├── Unavailable          no answer, or a failure on their side
    ├── SiteMoved            the address answers with a redirect
    └── Unexpected           an answer we do not understand

The table class → HTTP status is in views/errors.py.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class AppError(Exception):
    """Anything the app says no to.

    `sentence` and `next_step` are for people; `reason` is a short code for the log, never shown to people.
    """

    sentence = "Something went wrong."
    next_step = "Try again. If it happens again, tell your administrator the trace id."
    reason = "error"

    def __init__(self, sentence: str = "", next_step: str = "", *, reason: str = "") -> None:
        self.sentence = sentence or type(self).sentence
        self.next_step = next_step or type(self).next_step
        self.reason = reason or type(self).reason
        super().__init__(f"{type(self).__name__}({self.reason})")


class Refused(AppError):
    """The request is turned away."""

    sentence = "This is not allowed."
    next_step = "Ask an administrator of your site."
    reason = "refused"


class NotAuthenticated(Refused):
    """The request is not proven. Outside all reasons look the same (S43)."""

    sentence = "This request was not signed by your site."
    next_step = "Open Rollcall from the menu of Jira or Confluence."
    reason = "not_authenticated"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class Forbidden(Refused):
    """The caller is known and may not do this."""

    sentence = "You may not do this."
    reason = "forbidden"


class NotFound(Refused):
    """There is no such thing, or it belongs to somebody else."""

    sentence = "This does not exist, or not any more."
    next_step = "Go back to the list and reload it."
    reason = "not_found"


class Invalid(AppError):
    """What was sent cannot be used. `field` names the input, empty when it is about the whole."""

    sentence = "This cannot be used."
    next_step = "Correct it and send it again."
    reason = "invalid"

    def __init__(self, field: str, sentence: str = "", next_step: str = "", *, reason: str = "") -> None:
        self.field = field
        super().__init__(sentence, next_step, reason=reason)


class Conflict(AppError):
    """The thing is in another state than the request assumes."""

    sentence = "This was changed in the meantime."
    next_step = "Reload the page and look again."
    reason = "conflict"


class NotReady(AppError):
    """Something has to be done first; `next_step` says what."""

    sentence = "This is not ready yet."
    reason = "not_ready"


class AtlassianError(AppError):
    """Atlassian said no, or said nothing."""

    sentence = "Atlassian did not accept the request."
    next_step = "Try again in a few minutes."
    reason = "atlassian"


class Unauthorized(AtlassianError):
    """401: the credential is wrong, expired or revoked. `met_by` is what asked with it, where that is known."""

    met_by: object | None = None
    sentence = "Atlassian rejected the credential: it is wrong, has expired or was revoked."
    next_step = "Create a new one at Atlassian and save it under Configure Token."
    reason = "atlassian_unauthorized"


class Why(StrEnum):
    """What a refused credential lacks."""

    SCOPE = "scope"
    ORGANIZATION = "organization"
    RIGHTS = "rights"
    GROUP = "group"
    UNCONFIRMED = "unconfirmed"


_FORBIDDEN_WORDS = {
    Why.SCOPE: (
        "Atlassian accepts the credential, but its scopes are too small for this.",
        "Create a key without scopes at Atlassian and save it under Configure Token.",
    ),
    Why.ORGANIZATION: (
        "Atlassian accepts the key, but it does not open this organization.",
        "Use a key that was created in the organization that owns this site.",
    ),
    Why.RIGHTS: (
        "Atlassian accepts the credential, but its owner may not do this.",
        "Use a credential of an account that has the administrator role.",
    ),
    Why.GROUP: (
        "Atlassian lets no key change who is in this group: an identity provider owns it, or it makes administrators.",
        "Change it at your identity provider, or at admin.atlassian.com.",
    ),
    Why.UNCONFIRMED: (
        "The account has never confirmed its e-mail address: until then Atlassian lets nobody manage it.",
        "Suspend the person, or remove them from the directory.",
    ),
}


_OF_THE_CREDENTIAL = frozenset({Why.SCOPE, Why.ORGANIZATION, Why.RIGHTS})


class AccessForbidden(AtlassianError):
    """403: the credential is good, but it may not do this. `why` says what it lacks.

    `of_the_credential`: another one may be let do it.
    """

    reason = "atlassian_forbidden"

    def __init__(self, why: Why = Why.RIGHTS) -> None:
        self.why = why
        self.of_the_credential = why in _OF_THE_CREDENTIAL
        sentence, next_step = _FORBIDDEN_WORDS[why]
        super().__init__(sentence, next_step, reason=f"atlassian_forbidden_{why}")


class Gone(AtlassianError):
    """404: the thing is not there (any more)."""

    sentence = "Atlassian does not know this person or thing (any more)."
    next_step = "Sync now, then look again."
    reason = "atlassian_gone"


class RateLimited(AtlassianError):
    """429: asked too often. `until` is when asking again is allowed (aware, UTC)."""

    sentence = "Atlassian asks us to slow down."
    reason = "atlassian_rate_limited"

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(next_step=f"Try again after {until:%H:%M} UTC.")


class Unavailable(AtlassianError):
    """No answer, a broken one, or a failure on Atlassian's side. Of a write it is not known whether it happened."""

    sentence = "Atlassian could not be reached, or failed."
    reason = "atlassian_unavailable"


class SiteMoved(AtlassianError):
    """The address answers with a redirect; redirects are never followed with credentials (S30)."""

    sentence = "The address of your Atlassian site has changed."
    next_step = "Reinstall Rollcall on the site, so that it learns the new address."
    reason = "atlassian_site_moved"


class Unexpected(AtlassianError):
    """An answer we do not understand. `status` is the HTTP status, `code` Atlassian's error code ("" if none)."""

    sentence = "Atlassian gave an answer that Rollcall does not understand."
    reason = "atlassian_unexpected"

    def __init__(
        self, status: int = 0, code: str = "", *, reason: str = "", sentence: str = "", next_step: str = ""
    ) -> None:
        self.status = status
        self.code = code
        super().__init__(sentence, next_step, reason=reason or f"atlassian_unexpected_{status}")
