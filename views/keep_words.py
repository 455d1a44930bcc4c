"""What the personal page says at each stage of somebody's case. English here; other languages in translations/."""

from __future__ import annotations

from typing import Any

from rules.deeds import Deed
from services.languages import msgid
from services.own_case import OwnCase, Stage

UNKNOWN = msgid("This answer cannot be read.")
PRESS = msgid("Open the link again and press one of the buttons.")
NO_LINK = msgid("This link does not work")
COPY_IT = msgid(
    "It may have been cut off. Copy the whole address from the message that you got, "
    "or ask an administrator of your organization."
)
TOO_OFTEN = msgid("That was too often")
LATER = msgid("Wait a minute, then open the link again.")
OVER = msgid("There is nothing to answer here any more")
ASK_THEM = msgid(
    "What this link was about is over. If you need access, ask an administrator of your organization."
)

_WILL_END: dict[Deed, str] = {
    Deed.REMOVE_ACCESS: msgid("Your access to %(products)s ends on %(day)s"),
    Deed.CHANGE_GROUPS: msgid("Your groups change on %(day)s"),
    Deed.SUSPEND: msgid("Your access ends on %(day)s"),
    Deed.DEACTIVATE: msgid("Your account is deactivated on %(day)s"),
    Deed.REMOVE: msgid("You are removed from your organization on %(day)s"),
    Deed.DELETE: msgid("Your account is deleted on %(day)s"),
}
_ENDED: dict[Deed, str] = {
    Deed.REMOVE_ACCESS: msgid("Your access to %(products)s ended on %(day)s"),
    Deed.CHANGE_GROUPS: msgid("Your groups were changed on %(day)s"),
    Deed.SUSPEND: msgid("Your access ended on %(day)s"),
    Deed.DEACTIVATE: msgid("Your account was deactivated on %(day)s"),
    Deed.REMOVE: msgid("You were removed from your organization on %(day)s"),
    Deed.DELETE: msgid("The deletion of your account began on %(day)s"),
}
_SAID: dict[Stage, tuple[str, str]] = {
    Stage.SOON: (
        msgid("Noted: you no longer need it"),
        msgid("Your access ends within a few minutes. You need not do anything else."),
    ),
    Stage.WAITS: (
        msgid("Your answer is on its way"),
        msgid(
            "An operator of your organization reads it and decides. Until then nothing happens to your access."
        ),
    ),
    Stage.HAPPENING: (
        msgid("Your access is ending at this moment"),
        msgid("Open this page again in a few minutes: then you can ask for your access back."),
    ),
    Stage.KEPT: (
        msgid("You keep your access"),
        msgid("Your organization's operators see that you answered. You need not do anything else."),
    ),
    Stage.AWAY: (
        msgid("Noted: you are away until %(until)s"),
        msgid("Until then nobody ends your access for not using it. You need not do anything else."),
    ),
    Stage.TOLD: (
        msgid("Nothing happens to your access now"),
        msgid(
            "You have not been seen for a while. "
            "Working with Jira or Confluence again is all it takes to keep your access."
        ),
    ),
    Stage.ASKED: (
        msgid("You asked for your access back"),
        msgid(
            "An operator of your organization reads that and decides. You get a message when you have it back."
        ),
    ),
    Stage.GRANTED: (
        msgid("Your access is on its way back"),
        msgid(
            "It takes a few minutes. "
            "If you still cannot log in after an hour, ask an administrator of your organization."
        ),
    ),
    Stage.NOT_GRANTED: (
        msgid("Your access was not given back"),
        msgid("An operator of your organization decided so. If you still need it, talk to them."),
    ),
    Stage.GIVEN_BACK: (
        msgid("You have your access back"),
        msgid("Log in as you always did. You need not do anything else."),
    ),
    Stage.ENDS: (
        msgid("You have access to %(products)s until %(day)s"),
        msgid(
            "It was given to you with an end. If you need it longer, ask for it: "
            "an operator of your organization decides."
        ),
    ),
    Stage.ENDS_ASKED: (
        msgid("You asked for more time"),
        msgid(
            "An operator of your organization reads it and decides. "
            "If nobody does, your access ends on %(day)s."
        ),
    ),
    Stage.ENDS_REFUSED: (
        msgid("Your access ends on %(day)s, as it was agreed"),
        msgid(
            "An operator of your organization read that you need it longer, and did not agree. "
            "If you still need it, talk to them."
        ),
    ),
    Stage.PROLONGED: (
        msgid("You have your access until %(day)s"),
        msgid("An operator of your organization gave you more time. You need not do anything else."),
    ),
    Stage.WAS_TIMED: (
        msgid("You had access to %(products)s until %(day)s"),
        msgid("It was given with an end, and has ended. If you still need it, ask for it back."),
    ),
}
_OPEN = msgid(
    "A rule of your organization says so, mostly because an account is not used. "
    "If you do nothing, it happens on that day."
)
_OPEN_ASKS = msgid(
    "A rule of your organization says so, mostly because an account is not used. "
    "Answer if you still need your access: an operator of your organization reads it and decides, "
    "and until then nothing happens. If you do nothing, it happens on that day."
)
_ENDED_BODY = msgid(
    "A rule of your organization said so, mostly because an account is not used. If you still need it, ask for it back."
)
_FOR_GOOD_BODY = msgid(
    "A rule of your organization said so, mostly because an account is not used. "
    "If you still need access, ask an administrator of your organization."
)


def shown(case: OwnCase) -> dict[str, Any]:
    """The title and the sentence of a stage, with what fills their places."""
    if case.stage is Stage.OPEN:
        title = _WILL_END.get(case.deed, _WILL_END[Deed.SUSPEND])
        body = _OPEN_ASKS if case.asks and not case.refused else _OPEN
    elif case.stage in (Stage.ENDED, Stage.FOR_GOOD):
        title = _ENDED.get(case.deed, _ENDED[Deed.SUSPEND])
        body = _ENDED_BODY if case.stage is Stage.ENDED else _FOR_GOOD_BODY
    else:
        title, body = _SAID[case.stage]
    return {"headline": title, "body": body}
