"""The errors of this package.

MailerError
├── UnsafeAddress    a link of a mail is not an http address
├── TransportError   the mail server's address cannot be used
├── DkimError        the key for signing mails cannot be used
└── LinkError        a token does not open anything
    ├── BadLink      it is not one of ours, or not for this purpose
    └── ExpiredLink  it was ours, and is too old
"""


class MailerError(Exception):
    """The base of every error that this package raises on purpose."""
