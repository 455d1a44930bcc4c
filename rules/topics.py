"""What a notice may be about. Each topic is said once (services/notices.py); each channel only says it its own way."""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """The vocabulary: subject:what happened."""

    WARNED = "person:warned"
    TOLD = "person:told"
    ENDED = "person:ended"
    GIVEN_BACK = "person:given_back"
    ACCESS_ENDS = "person:access_ends"
    LEAVING = "person:leaving"
    ANSWERED = "person:answered"
    RUN_STARTED = "run:started"
    RUN_FINISHED = "run:finished"
    RUN_BRAKED = "run:braked"
    RUN_REFUSED = "run:refused"
    RUN_UNDONE = "run:undone"
    REVIEW_WAITING = "review:waiting"
    LOOP_FOUND = "loop:found"
    KEY_EXPIRES = "key:expires"
    KEY_DEAD = "key:dead"
    SYNC_FAILED = "sync:failed"
    SYNC_OLD = "sync:old"
    MAIL_BROKEN = "mail:broken"
    PEOPLE_IDLE = "people:idle"
    LEAVER_WAITS = "leaver:waits"
    ACCESS_STAYS = "access:stays"
    NOT_RESTORED = "absence:not_restored"
    DIGEST = "operators:digest"
    TEST = "test"


TO_THE_PERSON = (Topic.WARNED, Topic.TOLD, Topic.ENDED, Topic.GIVEN_BACK, Topic.ACCESS_ENDS, Topic.LEAVING)
"""What the person concerned is told by mail."""
TO_HOOKS = tuple(topic for topic in Topic if topic not in (Topic.PEOPLE_IDLE, Topic.DIGEST, Topic.TEST))
"""What a hook may choose."""


class Channel(StrEnum):
    """How a notice leaves. In the product nothing leaves: the page asks."""

    MAIL = "mail"
    HOOK = "hook"


class DeliveryState(StrEnum):
    """WAITING for its time; SENDING: given to the other side, or about to be; then SENT, or NOT_SENT with a reason."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    NOT_SENT = "not_sent"


class DigestEvery(StrEnum):
    """How often operators get a summary by mail."""

    OFF = "off"
    DAY = "day"
    WEEK = "week"


class HookKind(StrEnum):
    """Whom a hook calls, and in which form."""

    SLACK = "slack"
    TEAMS = "teams"
    JIRA_AUTOMATION = "jira_automation"
    SIGNED = "signed"


class AnswerKind(StrEnum):
    """What the person concerned said on their own page."""

    KEEP = "keep"
    GIVE_UP = "give_up"
    AWAY = "away"
    ASK_BACK = "ask_back"
    PROLONG = "prolong"
