"""Reports about a test's own mails."""

_DSN = """\
From: MAILER-DAEMON@mx.example.org
To: {address}
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} they say

--b
Content-Type: text/rfc822-headers

{headers}

--b--
"""

_COMPLAINT = """\
From: feedback@example.org
To: abuse@papers.example.org
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: {status}
Original-Mail-From: {address}

--b
Content-Type: message/rfc822

{headers}

--b--
"""


def about(
    address: str, status: str, headers: str = "", recipient: str = "ada@example.org"
) -> bytes:
    """A report to an envelope sender about a mail to somebody; `status` is a code of RFC 3463, or a
    kind of complaint; `headers` are those of the mail."""
    sample = _DSN if status[0].isdigit() else _COMPLAINT
    return sample.format(
        address=address, status=status, headers=headers, recipient=recipient
    ).encode()
