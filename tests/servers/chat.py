#!/usr/bin/env python3
"""Language models on loopback: Ollama's API, and OpenAI's chat completions.

    chat.py [--mode MODE] [--log FILE] [--delay S] [--key KEY] [--body FILE] ...

GET /api/tags, POST /api/chat, POST /api/generate, upstream.py's embeddings, and
POST to any path that ends in /chat/completions, which wants --key as its bearer's token.  The answer says
the last turn's words backwards; a member that the API does not have is 400.
--mode body sends the bytes of --body under --status, --mode replay says its
lines, which are lh-iterate's --answers, in turn; about says the line of it that
fits the model and the question; the other ways to answer badly are upstream.py's.  --log gets one JSON line per request: method, path,
headers, and the body as text.
"""
import gzip
import json
import time

import upstream

MEMBERS = {
    "/api/chat": {"model", "messages", "stream", "think", "options", "format", "tools", "keep_alive"},
    "/api/generate": {"model", "prompt", "system", "stream", "think", "options", "format", "suffix", "images",
                      "template", "raw", "keep_alive", "context"},
    "/chat/completions": {"model", "messages", "stream", "temperature", "max_tokens", "response_format", "top_p", "n",
                          "stop", "seed", "tools", "tool_choice", "user"},
}
ROLES = {"system", "user", "assistant", "tool"}


def backwards(text):
    return " ".join(reversed(text.split(" ")))


def turns_are_good(messages):
    return isinstance(messages, list) and all(
        isinstance(m, dict) and m.get("role") in ROLES and isinstance(m.get("content"), str) for m in messages)


class Chat(upstream.Upstream):
    def refuse(self, status, message):
        self.send(status, json.dumps({"error": {"message": message, "code": status}} if self.api.startswith("/chat") else
                                     {"error": message}))

    def reply(self, text=None):
        """The answer, as the API documents it."""
        r = self.request_json
        said = r["prompt"] if "prompt" in r else r["messages"][-1]["content"]
        seen = len(json.dumps(r.get("messages", [r.get("system", ""), said])).split())
        text = backwards(said) if text is None else text
        if self.api == "/chat/completions":
            return {"id": "gen-1", "object": "chat.completion", "created": 1777809600, "model": r["model"],
                    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
                                 "message": {"role": "assistant", "content": text, "refusal": None}}],
                    "usage": {"prompt_tokens": seen, "completion_tokens": len(text.split()), "total_tokens": 0}}
        answer = {"model": r["model"], "created_at": "2026-05-03T12:00:00.000Z"}
        if self.api == "/api/chat":
            answer["message"] = {"role": "assistant", "content": text}
        else:
            answer["response"] = text
        return {**answer, "done": True, "done_reason": "stop", "total_duration": 5, "load_duration": 1,
                "prompt_eval_count": seen, "prompt_eval_duration": 1, "eval_count": len(text.split()), "eval_duration": 3}

    # -- ways to answer --

    def do_ok(self):
        if "/embed" in self.path:
            return super().do_ok()
        if self.command == "GET":
            return self.send(200, json.dumps({"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "size": 5}]}))
        r = self.request_json
        unknown = set(r) - MEMBERS[self.api]
        if unknown:
            return self.refuse(400, "unknown member " + min(unknown))
        if not r.get("model"):
            return self.refuse(400, "model is required")
        if r.get("stream", self.api == "/chat/completions") is not False:
            return self.refuse(400, "streaming is not tried here")
        if "prompt" not in r and not turns_are_good(r.get("messages")):
            return self.refuse(400, "invalid message content")
        self.send(200, json.dumps(self.reply()))

    def do_body(self):
        with open(upstream.args.body, "rb") as f:
            self.send(upstream.args.status, f.read())

    def do_replay(self):
        """The n-th call gets the n-th {"content":...} of --body, one too many a 500."""
        with open(upstream.args.body, encoding="utf-8") as f:
            lines = f.read().splitlines()
        if self.call > len(lines):
            return self.send(500, "nothing left to say")
        self.send(200, json.dumps(self.reply(json.loads(lines[self.call - 1])["content"])))

    def do_about(self):
        """The first {"model":...,"about":...,"content":...} of --body for the model that
        is about a text of the question; a status in it refuses."""
        said = json.dumps(self.request_json, ensure_ascii=False)
        with open(upstream.args.body, encoding="utf-8") as f:
            for line in map(json.loads, f):
                if line.get("model", self.request_json["model"]) == self.request_json["model"] and line.get("about", "") in said:
                    time.sleep(line.get("delay", 0))
                    if "status" in line:
                        return self.refuse(line["status"], line["content"])
                    return self.send(200, json.dumps(self.reply(line["content"])))
        self.send(500, "nothing to say about that")

    def do_echo(self):
        """An upstream so careless that it quotes the key, plain and escaped."""
        auth = self.headers.get("Authorization", "")
        self.send(upstream.args.status, "you sent %s, %s" % (auth, json.dumps(auth).replace("/", "\\/")), "text/plain")

    def do_echocut(self):
        """The same, at the 200th byte and with an answer that breaks off."""
        auth = self.headers.get("Authorization", "")
        self.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 180 + auth.encode())
        self.reset()

    def do_gzip(self):
        self.send(200, gzip.compress(json.dumps(self.reply()).encode()), Content_Encoding="gzip")

    def do_truncated(self):
        self.send(200, json.dumps(self.reply())[:-20])

    def do_slowly(self):
        """Right, but the words take their time."""
        text = json.dumps(self.reply()).encode()
        self.head("Content-Length: %d" % len(text), "")
        for i in range(0, len(text), 50):
            self.write(text[i:i + 50])
            time.sleep(0.02)

    def do_backwards(self):
        """The first call takes longest."""
        time.sleep(max(0, 0.5 - 0.1 * self.call))
        self.do_ok()

    def do_sleepy(self):
        """Two answers, then silence."""
        if self.call > 2:
            time.sleep(3600)
        else:
            self.do_ok()

    def do_sometimes(self):
        """Every third call fails."""
        if self.call % 3 == 0:
            self.send(500, "no luck")
        else:
            self.do_ok()

    # -- reading --

    def entry(self, body):
        return {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}

    def do_POST(self):
        if "/embed" in self.path:
            return super().do_POST()
        text = self.body().decode()
        plain = "/" + self.path.split("/", 3)[3] if self.path.startswith("/mode/") else self.path
        self.api = "/chat/completions" if plain.endswith("/chat/completions") else plain
        if self.api not in MEMBERS:
            return self.send(404, "404 page not found", "text/plain")
        if not self.has_key():
            return self.refuse(401, "Missing Authentication header")
        try:
            self.request_json = json.loads(text)
        except ValueError:
            return self.refuse(400, "invalid JSON")
        self.answer(self.entry(text))

    def do_GET(self):
        self.api = self.path
        if self.path != "/api/tags":
            return self.send(404, "404 page not found", "text/plain")
        self.answer(self.entry(""))


upstream.parser.add_argument("--body")
upstream.serve(Chat)
