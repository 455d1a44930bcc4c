"""What a mail server's answers mean, in plain words with a next step."""

from __future__ import annotations

from connect.smtp import Answer, Trouble

_WORDS: dict[Trouble, tuple[str, str]] = {
    Trouble.UNREACHABLE: (
        "The mail server cannot be reached.",
        "Check host and port, and whether it lets this machine in.",
    ),
    Trouble.TLS: (
        "The encrypted connection to the mail server failed.",
        "Check whether the port wants TLS or STARTTLS, and whether its certificate is valid for this host.",
    ),
    Trouble.LOGIN: (
        "The mail server refused the user name or the password.",
        "Type both again; many providers want a password made for apps.",
    ),
    Trouble.NO_LOGIN: (
        "The mail server offers no log-in by user name and password.",
        "Leave both empty if it wants none; else ask whoever runs it to allow that, or take another server.",
    ),
    Trouble.SENDER: (
        "The mail server does not let this user send from this address.",
        "Check the address that mails come from.",
    ),
    Trouble.RECIPIENT: (
        "The mail server refused the recipient's address.",
        "Check whether it may send to this address.",
    ),
    Trouble.MESSAGE: ("The mail server refused the mail.", "Ask whoever runs it for the reason."),
    Trouble.UNKNOWN: (
        "The connection broke before the mail server confirmed the mail.",
        "It may have arrived; look into the mailbox.",
    ),
}
_PRIVATE = (
    "The mail server is in a private network, where Rollcall calls nobody.",
    "Give a host that the internet can reach, or ask whoever runs Rollcall to list it in PRIVATE_TARGETS.",
)
_BUSY = ("The mail server asked us to try again later.", "Try again in a few minutes.")
# The server is wrong for everybody: somebody has to look at its settings.
OF_THE_SERVER = (Trouble.UNREACHABLE, Trouble.TLS, Trouble.LOGIN, Trouble.NO_LOGIN, Trouble.SENDER)

# RFC 3463 and 7505: no such mailbox, no such host, no such form, moved away, a host that takes no mails.
_OF_THE_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})


def words_of(answer: Answer) -> tuple[str, str]:
    """Sentence and next step of an answer that is no success."""
    assert answer.trouble is not None
    if answer.trouble is Trouble.UNREACHABLE and answer.for_good and answer.status is None:
        return _PRIVATE
    if answer.status is not None and 400 <= answer.status < 500:
        return _BUSY
    return _WORDS[answer.trouble]


def no_such_address(answer: Answer) -> bool:
    """Whether the server says that the address itself is none.

    A refusal by its own policy says nothing about it, nor do a limit or a server that takes mails for others from
    nobody; and without a code nobody knows which it is.
    """
    return answer.trouble is Trouble.RECIPIENT and answer.for_good and answer.code in _OF_THE_ADDRESS
