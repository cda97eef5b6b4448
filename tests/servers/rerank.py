#!/usr/bin/env python3
"""A reranking service on loopback that answers well, or badly in one way.

    rerank.py [OPTION of upstream.py]...

The score of a text is the part of the query's words that it has, less 0.001 for each byte, so
that it depends on both alone.  What it takes and answers is by the last part but one of the path,
/mode/MODE/SHAPE/rerank: llama (documents or texts), tei (texts; 422 for others), jina and cohere
(documents; 422 for others, with the key of --key).  --log gets one JSON line per request.
"""
import json

import upstream


def score(query, text):
    words = query.split()
    return sum(w in text.split() for w in words) / max(1, len(words)) - 0.001 * len(text.encode())


SCORES = {  # other scores, by modes; u is the server
    "shuffled": lambda u: u.good()[::-1],
    "few": lambda u: u.good()[1:],
    "many": lambda u: u.good() + [[len(u.texts), 1]],
    "twice": lambda u: [[0, s] for _, s in u.good()],
    "negative": lambda u: [[i - 1, s] for i, s in u.good()],
    "fraction": lambda u: [[i + 0.5, s] for i, s in u.good()],
    "words": lambda u: [[i, "0.5"] for i, _ in u.good()],
    "null": lambda u: [[i, None] for i, _ in u.good()],
    "nan": lambda u: [[i, float("nan")] for i, _ in u.good()],
}


class Rerank(upstream.Upstream):
    def do_POST(self):
        self.asked, self.model = json.loads(self.body()), ""
        self.texts = self.asked.get("documents", self.asked.get("texts", []))
        self.shape = self.path.split("/")[-2]
        self.answer({"path": self.path, "asked": self.asked, "trace":
                     self.headers.get("X-Lakehouse-Trace-Id"),
                     "auth": self.headers.get("Authorization")})

    def scores(self, results, **more):
        """Answer with [index, score] pairs in the shape of the service."""
        tei = self.shape == "tei" or "texts" in self.asked
        name = "score" if tei else "relevance_score"
        results = [{"index": i, name: s} for i, s in results]
        if self.shape == "jina":
            for r in results:
                r["document"] = {"text": "a"}
        if tei:
            return self.send(200, json.dumps(results))
        self.send(200, json.dumps({"id": "a", "model": "m", "results": results, **more}))

    def good(self):
        return [[i, score(self.asked["query"], t)] for i, t in enumerate(self.texts)]

    def do_ok(self):
        wants = {"tei": "texts", "jina": "documents", "cohere": "documents"}.get(self.shape)
        if wants and wants not in self.asked:
            return self.send(422, json.dumps({"error": "missing field `%s`" % wants}))
        self.scores(sorted(self.good(), key=lambda r: -r[1]))

    def do_unnumbered(self):
        self.send(200, json.dumps({"results": [{"relevance_score": s} for _, s in self.good()]}))

    def do_beyond(self):
        body = json.dumps({"results": [{"index": i, "relevance_score": 7} for i, _ in self.good()]})
        self.send(200, body.replace(" 7", " 1e999"))

    def act(self, mode):
        if mode in SCORES:
            self.scores(SCORES[mode](self))
        else:
            super().act(mode)

    def do_bare(self):
        self.send(200, json.dumps([s for _, s in self.good()]))

    def do_object(self):
        self.send(200, json.dumps({"results": {"0": 1}}))

    def do_bad(self):
        self.send(400, json.dumps({"error": "no " + next(iter(k for k in self.asked if k != "query"))}))

    def do_texts(self):
        """Each query says how its call ends: badly in the mode it names, else well."""
        named = [m for m in ("few", "twice", "words", "unavailable", "garbage", "silent", "resetnow")
                 if m in self.asked["query"]]
        self.act(named[0] if named else "ok")


if __name__ == "__main__":
    upstream.serve(Rerank)
