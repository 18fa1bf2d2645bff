"""What other sites' pages try with a reader's browser: to press our buttons, to frame our pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from all_pages import PLACES, go
from browser import ANOTHER, OURS, Readers
from furnished import ADA, Furnished
from playwright.sync_api import Page
from stores import everything

from paperpost.service.links import Purpose
from paperpost.web.visitor import COOKIE

pytest_plugins = ["furnished_on_stage"]

Form = tuple[str, tuple[tuple[str, str], ...]]

FORMS = """Array.from(document.querySelectorAll("form[method=post]")).flatMap(form =>
    [null, ...form.querySelectorAll("button")].map(button => [
        new URL((button && button.getAttribute("formaction")) || form.getAttribute("action"),
            document.URL).href,
        Array.from(new FormData(form, button).entries())
            .map(([name, value]) => [name, typeof value == "string" ? value : ""])
            .concat(Array.from(form.querySelectorAll("[type=checkbox]"))
                .map(box => [box.name, box.value])),
    ]))"""


def forms_of(tab: Page, site: Furnished) -> list[Form]:
    """What the buttons of all pages post, with every box ticked; of buttons that post the same
    fields to the same address, one."""
    found = {}
    for place in PLACES:
        go(tab, site, place)
        for action, told in tab.evaluate(FORMS):
            fields = tuple((name, value) for name, value in told)
            names = frozenset(name.rstrip("0123456789.") for name, _ in fields)
            found[action.partition("?")[0], names, dict(fields).get("action")] = (action, fields)
    # Mail programs may post to these from wherever they are (RFC 8058).
    return [form for form in found.values() if f"/{Purpose.UNSUBSCRIBE}/" not in form[0]]


def trap(form: Form) -> str:
    """A page that posts a form as soon as somebody looks at it."""
    action, fields = form
    inputs = "".join(
        f'<textarea name="{escape(name)}">{escape(value)}</textarea>' for name, value in fields
    )
    return (
        f'<form method="post" action="{escape(action)}">{inputs}</form>'
        "<script>HTMLFormElement.prototype.submit.call(document.forms[0])</script>"
    )


@contextmanager
def another_site(host: str) -> Iterator[tuple[str, list[str]]]:
    """Somebody else's server: its address, and the page that it shows, which may be changed."""
    shown = [""]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(shown[0].encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer((host, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://{host}:{server.server_port}/", shown
        server.shutdown()
        thread.join()


def test_no_form_of_ours_works_from_another_site(furnished: Furnished, readers: Readers) -> None:
    forms = forms_of(readers.tab(), furnished)
    assert len(forms) > 20
    before = everything(furnished.installation.database)
    tab = readers.tab(watched=False)
    token = furnished.doors(ADA).token(Purpose.SESSION)
    tab.context.add_cookies(
        [{"name": COOKIE, "value": token, "url": furnished.base, "sameSite": "Lax"}]
    )
    # A site has no ports: the browser sends a cookie that is SameSite along from the first, and
    # not from the second.
    for host in (OURS, ANOTHER):
        with another_site(host) as (address, shown):
            for form in forms:
                shown[0] = trap(form)
                assert status_of_post(tab, address) == 403, (host, form)
    assert everything(furnished.installation.database) == before


def status_of_post(tab: Page, address: str) -> int:
    """What a page's own post is answered with."""
    with tab.expect_response(lambda response: response.request.method == "POST") as posted:
        tab.goto(address)
    return posted.value.status


def test_no_page_of_ours_stands_in_a_frame_of_another_site(
    furnished: Furnished, readers: Readers
) -> None:
    paths = [place.path(furnished) for place in PLACES]
    with another_site(OURS) as (address, shown):
        shown[0] = "".join(f'<iframe src="{furnished.base}{path}"></iframe>' for path in paths)
        tab = readers.tab(watched=False)
        tab.goto(address)
        addresses = [frame.url for frame in tab.frames[1:]]
    assert len(addresses) == len(paths)
    assert set(addresses) == {"chrome-error://chromewebdata/"}


def test_every_page_says_what_may_be_done_with_it(furnished: Furnished) -> None:
    with httpx.Client(base_url=furnished.base, trust_env=False) as client:
        for place in PLACES:
            headers = client.get(place.path(furnished)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
