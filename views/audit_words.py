"""The audit in people's words: what happened, to what, and what came of it. No logic, only vocabulary."""

from __future__ import annotations

from models.audit import Event
from rules.deeds import CAPABILITIES, Deed
from rules.topics import AnswerKind
from views.words import CASES, DID

EVENTS: dict[str, str] = {
    Event.TENANT_INSTALLED: "Installed Rollcall",
    Event.TENANT_REINSTALLED: "Installed Rollcall again",
    Event.TENANT_UNINSTALLED: "Uninstalled Rollcall",
    Event.ORGANIZATION_LINKED: "Linked this site to its organization",
    Event.ORGANIZATION_UNLINKED: "Unlinked this site: it has left the organization",
    Event.ORGANIZATION_PURGED: "Deleted the data of the organization",
    Event.SETTINGS_CHANGED: "Changed a setting of the organization",
    Event.CREDENTIAL_STORED: "Stored a credential",
    Event.CREDENTIAL_REPLACED: "Replaced a credential",
    Event.CREDENTIAL_REFUSED: "Tried a credential that was refused",
    Event.CREDENTIAL_CHECKED: "Checked a credential",
    Event.CREDENTIAL_FORGOTTEN: "Forgot a credential",
    Event.CREDENTIAL_DIED: "Found a credential dead",
    Event.OPERATOR_NAMED: "Named an operator",
    Event.OPERATOR_REMOVED: "Removed an operator",
    Event.SYNC_STARTED: "Started reading the directory",
    Event.SYNC_COMPLETED: "Read the whole directory",
    Event.SYNC_STOPPED: "Stopped reading the directory",
    Event.SYNC_FAILED: "Could not read the directory",
    Event.RULE_CREATED: "Made a rule",
    Event.RULE_CHANGED: "Changed a rule",
    Event.RULE_CONFIRMED: "Confirmed a rule that deletes accounts",
    Event.RULE_SWITCHED_ON: "Switched a rule on",
    Event.RULE_SWITCHED_OFF: "Switched a rule off",
    Event.RULE_DELETED: "Deleted a rule",
    Event.PROTECTED_ADDED: "Protected somebody",
    Event.PROTECTED_REMOVED: "Took a protection away",
    Event.RUN_PREVIEWED: "Made a preview",
    Event.RUN_CONFIRMED: "Confirmed a run",
    Event.RUN_STARTED: "Started a run",
    Event.RUN_REFUSED: "Did not begin a run",
    Event.RUN_STOPPED_BY_BRAKE: "Stopped a run by its brake",
    Event.RUN_BRAKE_RELEASED: "Released the brake of a run",
    Event.RUN_STOPPED: "Stopped a run",
    Event.RUN_RETRIED: "Tried the failed ones again",
    Event.RUN_FINISHED: "Finished a run",
    Event.CASE_WARNED: "Warned a person",
    Event.CASE_COULD_NOT_WARN: "Could not warn a person",
    Event.CASE_PUT_OFF: "Moved the date of a warning that left late",
    Event.CASE_KEPT: "Answered that they still need their access",
    Event.CASE_APPROVED: "Approved a case",
    Event.CASE_HELD: "Put a case on hold",
    Event.CASE_NOTED: "Wrote a note beside a case",
    Event.CASE_ACTED: "Changed a person",
    Event.CASE_SPARED: "Left a person alone",
    Event.CASE_FAILED: "Could not change a person",
    Event.CASE_REFUSED: "Was refused a change",
    Event.CASE_STOPPED: "Changed a person in part, until somebody stopped it",
    Event.CASE_UNDONE: "Took a change back",
    Event.CASE_UNDO_SKIPPED: "Did not take a change back",
    Event.CASE_CAME_BACK: "Found a person back whom a run had changed",
    Event.LAST_DAY_SET: "Wrote down a last day",
    Event.LAST_DAY_CLEARED: "Forgot a last day",
    Event.ABSENCE_ENDED: "Ended an absence",
    Event.ABSENCE_KEPT: "Said that a person is not restored when their absence is over",
    Event.EXPORT_TAKEN: "Took an export",
    Event.ANSWER_GIVEN: "Answered a warning",
    Event.ANSWER_DECIDED: "Decided about an answer",
    Event.MAIL_SENDER_CHANGED: "Changed the mail server",
    Event.MAIL_SENDER_FORGOTTEN: "Forgot the mail server",
    Event.MAIL_TEXT_CHANGED: "Changed a mail's text",
    Event.MAIL_TESTED: "Sent a test mail",
    Event.MAIL_ADDRESS_LET_GO: "Let mails go to an address again",
    Event.HOOK_ADDED: "Added a hook",
    Event.HOOK_CHANGED: "Changed a hook",
    Event.HOOK_REMOVED: "Removed a hook",
    Event.HOOK_TESTED: "Tested a hook",
    Event.ACCESS_RULE_CREATED: "Made an access rule",
    Event.ACCESS_RULE_CHANGED: "Changed an access rule",
    Event.ACCESS_RULE_SWITCHED: "Switched an access rule's mode",
    Event.ACCESS_RULE_DELETED: "Deleted an access rule",
    Event.ACCESS_RULE_LOOP: "Found a person without what an access rule had given",
    Event.ACCESS_RULE_LOOP_OVER: "Let an access rule give to a person again",
    Event.TIMED_WARNED: "Told a person that their access ends",
    Event.TIMED_PROLONGED: "Prolonged a person's access",
    Event.TIMED_DROPPED: "Took the end of a person's access away",
    Event.TIMED_ENDING: "Began to end a person's access",
    Event.TIMED_ENDED: "Ended a person's access",
    Event.TIMED_NOT_ENDED: "Could not end a person's access",
    Event.SCIM_CONNECTED: "Connected an identity provider",
    Event.SCIM_TOKEN_REPLACED: "Replaced an identity provider's token",
    Event.SCIM_CHANGED: "Changed an identity provider's settings",
    Event.SCIM_MAPPED: "Mapped an identity provider's group",
    Event.SCIM_DISCONNECTED: "Removed an identity provider",
    Event.TICKET_RULE_ADDED: "Made a ticket rule",
    Event.TICKET_RULE_CHANGED: "Changed a ticket rule",
    Event.TICKET_RULE_REMOVED: "Deleted a ticket rule",
    Event.TICKET_RETRIED: "Had a ticket looked at again",
    Event.DELIVERY_REPEATED: "Sent a notice again",
    Event.LEAVER_BEGUN: "Said that a person is leaving",
    Event.LEAVER_PLANNED: "Planned a leaver's handover",
    Event.LEAVER_CONFIRMED: "Confirmed a leaver's handover",
    Event.LEAVER_STOPPED: "Stopped a leaver's handover",
    Event.LEAVER_HANDED_OVER: "Finished a leaver's handover",
    Event.LEAVER_HELD_UP: "Could not go on with a leaver",
    Event.LEAVER_DONE: "Ended a leaver's access",
    Event.LEAVER_HANDING_BACK: "Began to hand back to a leaver",
    Event.LEAVER_HANDED_BACK: "Handed back to a leaver",
    Event.BELONGING_MOVED: "Handed something over",
    Event.BELONGING_MOVED_BACK: "Handed something back",
    Event.BELONGING_NOT_MOVED: "Did not hand something over",
    Event.TOKEN_REVOKED: "Revoked an API token",
    Event.CASE_CALLED_OFF: "Called off what was to begin",
    Event.PROFILE_CREATED: "Made a profile",
    Event.PROFILE_CHANGED: "Changed a profile",
    Event.PROFILE_REMOVED: "Removed a profile",
}
_SUBJECTS = {
    "tenant": ("Installation", ""),
    "organization": ("Organization", ""),
    "credential": ("Credential", "warning"),
    "operator": ("Operators", "discovery"),
    "sync": ("Sync", "info"),
    "rule": ("Rule", "discovery"),
    "profile": ("Onboarding", "discovery"),
    "protected": ("Protected", "discovery"),
    "run": ("Run", "info"),
    "case": ("Person", "success"),
    "person": ("Person", "success"),
    "export": ("Export", ""),
    "answer": ("Person", "success"),
    "mail": ("Notices", "info"),
    "hook": ("Notices", "info"),
    "delivery": ("Notices", "info"),
    "ticket_rule": ("Tickets", "info"),
    "ticket": ("Tickets", "info"),
    "scim": ("Identity provider", "info"),
    "access_rule": ("Access rule", "discovery"),
    "timed": ("Access with an end", "info"),
    "leaver": ("Leaver", "discovery"),
    "belonging": ("Handover", "info"),
    "token": ("API token", "warning"),
}
_BAD_ENDS = (
    "refused",
    "died",
    "failed",
    "could_not_warn",
    "came_back",
    "stopped_by_brake",
    "loop_found",
    "not_ended",
    "held_up",
    "not_moved",
)
_CREDENTIALS = {"admin_key": "Admin API key", "api_token": "API token"}
_ANSWERED = {
    AnswerKind.KEEP: "Answered that they still need their access",
    AnswerKind.GIVE_UP: "Answered that they no longer need their access",
    AnswerKind.AWAY: "Answered that they are away",
    AnswerKind.ASK_BACK: "Asked for their access back",
    AnswerKind.PROLONG: "Asked to have their access for longer",
}
_REASONS = {
    "approved": "Agreed",
    "refused": "Refused",
    "automatic": "By itself: seats are free under the cap",
    "key_rejected": "Atlassian rejects it",
    "key_scope_too_small": "Its scopes are too small",
    "key_opens_nothing": "It opens no organization",
    "atlassian_forbidden_organization": "It may not administer the organization",
    "atlassian_forbidden_rights": "Its owner may not administer the organization",
    "other_organization": "It belongs to another organization",
    "token_rejected": "Atlassian rejects it with this e-mail address",
    "token_scope_too_small": "Its scopes are too small",
    "email_mismatch": "It belongs to another e-mail address",
    "not_an_administrator": "Its account is no administrator",
    "gave_key": "Gave a working Admin API key",
    "named": "Named by an operator",
}
_STATE_WORDS = {state.value: words.lower() for state, (words, _tone) in CASES.items()}


def event_subject(event: str) -> str:
    subject = event.partition(":")[0]
    return _SUBJECTS.get(subject, (subject.capitalize(), ""))[0]


def event_tone(event: str) -> str:
    subject, _, what = event.partition(":")
    return "danger" if what in _BAD_ENDS else _SUBJECTS.get(subject, ("", ""))[1]


def event_words(event: str, details: dict[str, str] | None) -> str:
    """What happened, in the past tense; with the deed where one is known."""
    deed = (details or {}).get("deed", "")
    answer = (details or {}).get("answer", "")
    if event == Event.ANSWER_GIVEN and answer in set(AnswerKind):
        return _ANSWERED[AnswerKind(answer)]
    if event == Event.CASE_ACTED and deed in set(Deed):
        return DID.get(Deed(deed), f"{CAPABILITIES[Deed(deed)].done} a person")
    return EVENTS.get(event, event)


def event_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every event of the vocabulary by what it is about, for a choice."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for event, words in EVENTS.items():
        groups.setdefault(event_subject(event), []).append((str(event), words))
    return list(groups.items())


def result_words(result: str, details: dict[str, str] | None) -> str:
    """What came of it: codes of our own become words, sentences stay."""
    kind = (details or {}).get("kind", "")
    words = _REASONS.get(result, result)
    if result and all(part.rpartition(" ")[0] in _STATE_WORDS for part in result.split(", ")):
        counts = (part.rpartition(" ") for part in result.split(", "))
        words = ", ".join(f"{count} {_STATE_WORDS[state]}" for state, _, count in counts)
    return ": ".join(part for part in (_CREDENTIALS.get(kind, kind), words) if part)
