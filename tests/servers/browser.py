"""browser.py - drives headless Chromium over the DevTools protocol's pipe.

    from browser import Browser
    b = Browser()
    b.open("http://127.0.0.1:3110/", width=360, dark=True)
    b.type("#search-query", "welder")
    b.key("Enter")
    b.until("document.querySelectorAll('.hit').length == 10")

Chromium reads messages from its descriptor 3 and writes them to 4, each JSON and a
zero byte, so that nothing but the base system's Python is needed.
"""
import atexit
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars").split()
NAMES = "chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38,
        "ArrowRight": 39, "ArrowDown": 40}
TEXTS = {"Enter": "\r", " ": " "}
HANG = int(os.environ.get("LH_PATIENCE", "600"))

# What runs in each page before its own script: a count of what hostile text would
# call, and the violations of the page's policy.
WATCH = """
window.hits = 0; window.hit = () => { window.hits++; };
window.violations = [];
addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));
"""

# shown(): the elements that can be seen.
VISIBLE = """
var shown = () => [...document.body.querySelectorAll("*")].filter((e) => e.checkVisibility({ visibilityProperty: true })
    && e.getBoundingClientRect().width > 1);
"""

# faint(least): [ratio, text] of each text, value and placeholder below a contrast.
CONTRAST = """
var channels = (color) => {
    const n = color.match(/[\\d.]+/g).map(Number);
    return color.startsWith("color(") ? [n[0] * 255, n[1] * 255, n[2] * 255, n[3] ?? 1] : [n[0], n[1], n[2], n[3] ?? 1];
};
var over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
var light = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
};
var ground = (e) => {
    const above = [];
    for (; e; e = e.parentElement)
        above.push(channels(getComputedStyle(e).backgroundColor));
    const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return above.reduceRight((under, top) => over(top, under), canvas);
};
var ratio = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
var faint = (least) => {
    const out = [];
    const judge = (e, style, text) => {
        const under = ground(e), r = ratio(over(channels(style.color), under), under);
        if (r < least)
            out.push([r, text.slice(0, 60)]);
    };
    for (const e of shown()) {
        for (const n of e.childNodes)
            if (n.nodeType === 3 && n.data.trim() && !e.closest("option"))
                judge(e, getComputedStyle(e), n.data);
        if (e.matches("input, textarea, select"))
            judge(e, getComputedStyle(e), "value of " + e.id);
        if (e.placeholder)
            judge(e, getComputedStyle(e, "::placeholder"), e.placeholder);
    }
    return out;
};
"""


def program():
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp()
        commands, self.out = (high(fd) for fd in os.pipe())
        self.answers, events = (high(fd) for fd in os.pipe())

        def in_child():
            os.setsid()
            os.dup2(commands, 3)
            os.dup2(events, 4)

        atexit.register(self.close)
        self.child = subprocess.Popen(
            [program(), *FLAGS, "--remote-debugging-pipe", "--user-data-dir=" + self.profile, "about:blank"],
            env=dict(os.environ, TMPDIR=self.profile),
            preexec_fn=in_child, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(events)
        self.rest, self.number, self.session = b"", 0, None
        self.logged, self.dialogs, self.requests = [], 0, []

    def close(self):
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    # ---- messages ----

    def message(self, until):
        while b"\0" not in self.rest:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the browser does not answer")
            signal.alarm(int(left) + 1)
            part = os.read(self.answers, 1 << 20)
            signal.alarm(0)
            if not part:
                raise EOFError("the browser ended")
            self.rest += part
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def note(self, m):
        """Keep what the tests ask for of an event."""
        if m.get("method") == "Log.entryAdded":
            self.logged.append(m["params"]["entry"])
        elif m.get("method") == "Runtime.exceptionThrown":
            details = m["params"]["exceptionDetails"]
            self.logged.append({"source": "exception", "text": details.get("exception", {}).get("description", details["text"])})
        elif m.get("method") == "Page.javascriptDialogOpening":
            self.dialogs += 1
        elif m.get("method") == "Network.requestWillBeSent":
            self.requests.append(m["params"]["request"])

    def call(self, method, **params):
        self.number += 1
        m = {"id": self.number, "method": method, "params": params}
        if self.session:
            m["sessionId"] = self.session
        data = json.dumps(m).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        until = time.monotonic() + HANG
        while True:
            m = self.message(until)
            if m.get("id") != self.number:
                self.note(m)
            elif "error" in m:
                raise RuntimeError("%s: %s" % (method, m["error"]))
            else:
                return m["result"]

    # ---- pages ----

    def open(self, url, width=1200, height=900, dark=False):
        """Open url in a tab of its own, with nothing stored."""
        self.session = None
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log", "Network":
            self.call(domain + ".enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.size(width, height)
        self.dark(dark)
        self.call("Page.navigate", url=url)
        self.until("document.readyState == 'complete' && location.href != 'about:blank'")

    def size(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def dark(self, on):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}])

    def js(self, text):
        """Return the value of an expression; that of a promise, when it is there."""
        r = self.call("Runtime.evaluate", expression=text, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            details = r["exceptionDetails"]
            raise RuntimeError("%s: %s" % (text, details.get("exception", {}).get("description", details["text"])))
        return r["result"].get("value")

    def until(self, text):
        """Wait until an expression is true; a page that is being replaced has none."""
        end = time.monotonic() + HANG
        while time.monotonic() < end:
            try:
                if self.js("!!(%s)" % text):
                    return
            except RuntimeError as e:
                if "navigated" not in str(e) and "context" not in str(e):
                    raise
            time.sleep(0.02)
        raise TimeoutError("%s: still not, in the page: %s" % (text, self.js("document.body.innerText.slice(0, 3000)")))

    def text(self, selector):
        return self.js("document.querySelector(%s)?.innerText" % json.dumps(selector))

    # ---- the user ----

    def key(self, *names, shift=False):
        for name in names:
            common = {"key": name, "code": {" ": "Space"}.get(name, name), "windowsVirtualKeyCode": KEYS[name],
                      "modifiers": 8 if shift else 0}
            self.call("Input.dispatchKeyEvent", type="keyDown", text=TEXTS.get(name, ""), **common)
            self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def insert(self, text):
        """Type text into what has the focus."""
        self.call("Input.insertText", text=text)

    def type(self, selector, text):
        """Replace the text of a field, by the keyboard."""
        self.js("(e => { e.focus(); e.select(); })(document.querySelector(%s))" % json.dumps(selector))
        if text:
            self.insert(text)
        else:
            self.js("document.querySelector(%s).value = ''" % json.dumps(selector))

    def click(self, selector):
        """Click with the mouse, in the middle of an element."""
        spot = self.js("""(e => { e.scrollIntoView({ block: "center" }); const r = e.getBoundingClientRect();
            return [r.x + r.width / 2, r.y + r.height / 2]; })(document.querySelector(%s))""" % json.dumps(selector))
        for kind in "mousePressed", "mouseReleased":
            self.call("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)

    # ---- what a page must not have ----

    def clean(self):
        """Fail if anything ran that the page did not bring, or its policy was hit."""
        found = self.js("[hits, violations]") + [self.dialogs, [e for e in self.logged if e["source"] != "network"]]
        assert found == [0, [], 0, []], found

    def wide(self):
        """Return what sticks out of the screen at the side, as [text, right edge]."""
        return self.js(VISIBLE + """(() => {
            const out = [], edge = document.documentElement.clientWidth, root = document.scrollingElement;
            if (root.scrollWidth > innerWidth)
                out.push(["the page", root.scrollWidth]);
            for (const e of shown()) {
                const r = e.getBoundingClientRect();
                if (!e.closest(".scroll, .hide, .skip, pre, svg") && (r.left < -1 || r.right > edge + 1))
                    out.push([e.outerHTML.slice(0, 200), r.right]);
            }
            return out;
        })()""")

    def faint(self, least=4.5):
        """Return the texts whose contrast with what is under them is below that."""
        return self.js(VISIBLE + CONTRAST + "faint(%g)" % least)

    def unlabelled(self):
        """Return the fields and buttons that have no name."""
        return self.js("""[...document.querySelectorAll("input, select, textarea, button")]
            .filter((e) => !e.getAttribute("aria-label") && !e.textContent.trim() && ![...e.labels].some((l) => l.textContent.trim())
                || e.matches("input, select, textarea") && ![...e.labels].some((l) => l.textContent.trim()))
            .map((e) => e.outerHTML)""")


def high(fd):
    """Move a descriptor above those that the browser's own have to be."""
    new = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return new


if __name__ == "__main__":
    sys.exit(0 if program() else 1)
