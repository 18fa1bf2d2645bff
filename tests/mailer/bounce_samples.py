"""Reports as the mail servers of the world write them, to ADDRESS, about a mail to Ada."""

TOKEN = "abcdefghijklmnopqrstuvwxyz234567"
ADDRESS = f"bounces+{TOKEN}@papers.example.org"
LEAVE = "AaBb-_09" * 5

_ORIGINAL = f"""\
Return-Path: <{ADDRESS}>
From: Paperpost <digest@papers.example.org>
To: ada@example.org
Subject: 10 papers for Tuesday, 7 April
Message-ID: <20260407.abc@papers.example.org>
Auto-Submitted: auto-generated
List-Unsubscribe: <https://papers.example.org/unsubscribe/{LEAVE}>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
"""


def message(text: str) -> bytes:
    """A sample as it comes over the wire."""
    return text.format(address=ADDRESS, token=TOKEN, original=_ORIGINAL).encode()


POSTFIX = message("""\
Return-Path: <>
Delivered-To: {address}
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {address}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="3F2A51C0A4.1775552400/mx.example.org"

This is a MIME-encapsulated message.

--3F2A51C0A4.1775552400/mx.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.org.

<ada@example.org>: host mail.example.org[192.0.2.7] said: 550 5.1.1
    <ada@example.org>: Recipient address rejected: User unknown in virtual
    mailbox table (in reply to RCPT TO command)

--3F2A51C0A4.1775552400/mx.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 3F2A51C0A4
X-Postfix-Sender: rfc822; {address}
Arrival-Date: Tue,  7 Apr 2026 09:00:00 +0000 (UTC)

Final-Recipient: rfc822; ada@example.org
Original-Recipient: rfc822;ada@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: Recipient address rejected:
    User unknown in virtual mailbox table

--3F2A51C0A4.1775552400/mx.example.org
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

{original}
--3F2A51C0A4.1775552400/mx.example.org--
""")

POSTFIX_DELAY = POSTFIX.replace(b"Action: failed", b"Action: delayed").replace(b"5.1.1", b"4.4.1")

POSTFIX_GIVEN_UP = POSTFIX.replace(b"Status: 5.1.1", b"Status: 4.4.1").replace(
    b"550 5.1.1 <ada@example.org>: Recipient address rejected",
    b"connect to mail.example.org[192.0.2.7]:25: Connection timed out",
)

# Exim says in words what RFC 3464 has a field for, and its Status is a general one.
EXIM = message("""\
Return-path: <>
Envelope-to: {address}
X-Failed-Recipients: ada@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example.org>
To: {address}
Content-Type: multipart/report; report-type=delivery-status; boundary=1775552400-eximdsn-81
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1775552400-eximdsn-81
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.org
    Unrouteable address

--1775552400-eximdsn-81
Content-type: message/delivery-status

Reporting-MTA: dns; exim.example.org

Action: failed
Final-Recipient: rfc822;ada@example.org
Status: 5.0.0
Diagnostic-Code: X-exim; Unrouteable address

--1775552400-eximdsn-81
Content-type: message/rfc822

{original}
--1775552400-eximdsn-81--
""")

EXIM_OF_OLD = message("""\
X-Failed-Recipients: ada@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example.org>
To: {address}
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.org
    SMTP error from remote mail server after RCPT TO:<ada@example.org>:
    host mail.example.org [192.0.2.5.1.1]: 552 5.2.2 mailbox full

------ This is a copy of the message, including all the headers. ------

{original}
No such user is ever mentioned in this abstract.
""")

EXCHANGE = message("""\
From: <postmaster@example.org>
To: <{address}>
Content-Type: multipart/report; report-type=delivery-status;
 boundary="b1_exchange"; charset="utf-8"
X-MS-Exchange-Message-Is-Ndr:
MIME-Version: 1.0
Subject: =?utf-8?Q?Undeliverable:_10_papers_for_Tuesday?=

--b1_exchange
Content-Type: multipart/alternative; differences=Content-Type; boundary="b2_exchange"

--b2_exchange
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to ada@example.org couldn't be delivered.=0A=
ada wasn't found at example.org.

--b2_exchange
Content-Type: text/html; charset="us-ascii"

<html><body>Your message to <b>ada@example.org</b> couldn't be delivered.</body></html>

--b2_exchange--
--b1_exchange
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;mx.papers.example.org
Arrival-Date: Tue, 7 Apr 2026 09:00:00 +0000

Final-Recipient: rfc822;ada@example.org
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@example.org not
 found by SMTP address lookup

--b1_exchange
Content-Type: message/rfc822

{original}
--b1_exchange--
""")

GMAIL = message("""\
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: {address}
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
MIME-Version: 1.0
Content-Type: multipart/report; boundary="000000000000a1b2c3"; report-type=delivery-status

--000000000000a1b2c3
Content-Type: text/plain; charset="UTF-8"

** Message blocked **

--000000000000a1b2c3
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Arrival-Date: Tue, 07 Apr 2026 02:00:00 -0700 (PDT)

Final-Recipient: rfc822; ada@example.org
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552-5.2.2 The recipient's inbox is out of storage space and inactive.
 552 5.2.2 Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm
Last-Attempt-Date: Tue, 07 Apr 2026 02:00:01 -0700 (PDT)

--000000000000a1b2c3
Content-Type: message/rfc822

{original}
--000000000000a1b2c3--
""")

# The same server, when it does not like the sender.
GMAIL_POLICY = (
    GMAIL.replace(b"Status: 5.2.2", b"Status: 5.7.26")
    .replace(b"5.2.2", b"5.7.26")
    .replace(b"is out of storage space and inactive", b"user unknown, for all we say")
)

QMAIL = message("""\
Return-Path: <>
From: MAILER-DAEMON@qmail.example.org
To: {address}
Subject: failure notice

Hi. This is the qmail-send program at qmail.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{original}
Blocked matrices and spam, a study.
""")

COMPLAINT = message("""\
From: <staff@hotmail.com>
To: abuse@papers.example.org
Subject: complaint about message from 192.0.2.1
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_arf"

--part1_arf
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for an email message received from IP 192.0.2.1.

--part1_arf
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{address}>
Arrival-Date: Tue, 7 Apr 2026 09:00:00 +0000

--part1_arf
Content-Type: message/rfc822

{original}
Papers.
--part1_arf--
""")

# Feedback loops take out what names the reader.
COMPLAINT_REDACTED = COMPLAINT.replace(ADDRESS.encode(), b"redacted@papers.example.org")

NOT_SPAM = COMPLAINT.replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam")

VACATION = message("""\
From: Ada Lovelace <ada@example.org>
To: {address}
Auto-Submitted: auto-replied (vacation)
Subject: Out of office: 10 papers for Tuesday

I am away until Monday. In urgent cases write to charles@example.org.
""")

# What our own bodies look like: quoted-printable breaks lines by an equals sign, and writes one so.
DECISION_BOUNDARIES = (
    b"""\
Content-Type: multipart/alternative; boundary="====0"

--====0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

"""
    + 40
    * b"""\
The classifier is fooled near its decision boundary =3D 0, and a boundary=
 of another kind is learnt.
"""
)

# As a web mailer answers: in the form of a failure, but it says itself what it is.
VACATION_LIKE_A_BOUNCE = QMAIL.replace(b"Subject: failure", b"Precedence: auto_reply\nSubject: no")

REPLY = message("""\
From: Ada Lovelace <ada@example.org>
To: {address}
Subject: Re: 10 papers for Tuesday

My mailbox was full and user unknown was what they told me. Lovely papers!
""")
