#!/usr/bin/env python3
"""SQL, search, hybrid retrieval, storage and chat a second time, from their descriptions.

    surfaces.py sql|search|retrieve|storage|chat <REQUESTS

    sql       {"csv","name_of_table","sql"}: of SQL what the cases ask
    search    {"records":[{"id","vector",...}],"distance"?,"query":{"query_vector","k",...}}: hnswlib is asked
    retrieve  the same with "text" in records and "query_text" in the query: lhv(5) and lh-search(1)
    storage   {"operations":[{"op":"put|get|list|head|delete","key","text"?,"new"?}]} on an empty store
    chat      {"request","answer","status"?}: what the provider receives, and the reply made of its answer

One answer a line.  The standard library, and for search `lh-index compare`, which asks hnswlib.
"""
import collections
import csv
import hashlib
import io
import json
import math
import re
import struct
import subprocess
import sys
import tempfile


# -- SQL: aggregates or columns of one table, conditions joined by AND, one order, a limit --

def typed(column):
    for kind, name, pattern in ((int, "BIGINT", r"-?(0|[1-9]\d*)"), (float, "DOUBLE", r"-?\d+(\.\d+)?")):
        if all(re.fullmatch(pattern, v) for v in column if v != ""):
            return name, [None if v == "" else kind(v) for v in column]
    return "VARCHAR", [None if v == "" else v for v in column]


def holds(row, condition):
    name, op, word = re.fullmatch(r"(\w+) *(=|>|<| like ) *(.*)", condition).groups()
    value = row[name]
    want = word[1:-1] if word[0] == "'" else float(word)
    if value is None:
        return False
    if op == " like ":
        pattern = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in want)
        return re.fullmatch(pattern, str(value), re.I | re.S) is not None
    return {"=": value == want, ">": value > want, "<": value < want}[op]


def aggregate(function, name, rows):
    values = [r[name] for r in rows if r[name] is not None] if name != "*" else rows
    if function == "count":
        return len(values), "BIGINT"
    if not values:
        return None, None
    if function == "avg":
        return sum(values) / len(values), "DOUBLE"
    return {"max": max, "min": min, "sum": sum}[function](values), None


def sql(request):
    rows = list(csv.reader(io.StringIO(request["csv"])))
    columns = {name: typed([r[i] for r in rows[1:]]) for i, name in enumerate(rows[0])}
    table = [{name: values[i] for name, (_, values) in columns.items()} for i in range(len(rows) - 1)]
    found = re.fullmatch(r"select (.*?) from (\w+)(?: where (.*?))?(?: order by (\w+)( desc)?)?(?: limit (\d+))?",
                         request["sql"])
    if not found or found[2] != request["name_of_table"]:
        return {"code": 400}
    for condition in found[3].split(" and ") if found[3] else []:
        table = [r for r in table if holds(r, condition)]
    if found[4]:
        table.sort(key=lambda r: r[found[4]], reverse=bool(found[5]))
    names, kinds, one, plain = [], [], [], []
    for item in found[1].split(", "):
        expression, _, alias = item.partition(" as ")
        call = re.fullmatch(r"(count|avg|max|min|sum)\((\w+|\*)\)", expression)
        names.append(alias or expression)
        if call:
            value, kind = aggregate(call[1], call[2], table)
            one.append(value)
            kinds.append(kind or columns[call[2]][0])
        elif expression in columns:
            plain.append(expression)
            kinds.append(columns[expression][0])
        else:
            return {"code": 400}
    lines = [one] if one else [[r[name] for name in plain] for r in table]
    lines = lines[:int(found[6])] if found[6] else lines
    return {"columns": [{"name": n, "type": k} for n, k in zip(names, kinds)], "rows": lines, "row_count": len(lines)}


# -- search --

def f32(v):
    return [struct.unpack("<f", struct.pack("<f", x))[0] for x in v]


def distance(kind, a, b):
    a, b = f32(a), f32(b)
    dot = math.fsum(x * y for x, y in zip(a, b))
    if kind == "l2":
        return math.sqrt(math.fsum((x - y) ** 2 for x, y in zip(a, b)))
    if kind == "ip":
        return 1 - dot
    return 1 - dot / math.sqrt(math.fsum(x * x for x in a) * math.fsum(x * x for x in b))


def fits(metadata, wanted):
    return all(key in metadata and metadata[key] in (want if isinstance(want, list) else [want])
               for key, want in wanted.items())


def candidates(request):
    query = request["query"]
    for record in request["records"]:
        if record["id"] not in query.get("exclude_ids", []) and fits(record, query.get("metadata_filter", {})):
            yield record, distance(request.get("distance", "cosine"), query["query_vector"], record["vector"])


def hnswlib(request):
    """What the library hnswlib answers, of all records or of 100."""
    with tempfile.TemporaryDirectory() as folder:
        index, answers = folder + "/corpus.lhv", folder + "/answers.jsonl"
        for argv, line in ((["build", "--distance", request.get("distance", "cosine"), index], request["records"]),
                           (["compare", "-j1", "--answers", answers, index, "-"],
                            [{"id": "query", "vector": request["query"]["query_vector"]}])):
            subprocess.run(["lh-index", *argv], check=True, stdout=subprocess.DEVNULL,
                           input="".join(json.dumps(r) + "\n" for r in line).encode())
        with open(answers) as f:
            return json.loads(f.read())["results"]


def search(request):
    wanted = {r["id"] for r, _ in candidates(request)}
    found = [r for r in hnswlib(request) if r["id"] in wanted]
    return {"results": [[r["id"], round(r["distance"], 3) + 0.0] for r in found[:request["query"]["k"]]]}


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def bm25(request):
    """The score of each record for the words of the query, by lhv(5)."""
    rows = {r["id"]: collections.Counter(words(r["text"])) for r in request["records"]}
    with_words = [c for c in rows.values() if c]
    mean = sum(sum(c.values()) for c in with_words) / len(with_words)
    scores = collections.Counter()
    for term, q in collections.Counter(words(request["query"]["query_text"])).items():
        n = sum(term in c for c in with_words)
        weight = math.log(1 + (len(with_words) - n + 0.5) / (n + 0.5))
        for name, c in rows.items():
            if c[term]:
                scores[name] += weight * q * c[term] * 1.8 / (c[term] + 0.8 * (0.25 + 0.75 * sum(c.values()) / mean))
    return scores


def retrieve(request):
    near = {r["id"]: d for r, d in candidates(request)}
    by_vector = sorted(near, key=lambda i: (near[i], i.encode()))[:100]
    scores = bm25(request)
    by_words = sorted((i for i in scores if i in near), key=lambda i: (-scores[i], i.encode()))[:100]
    total = collections.Counter()
    for weight, ranking, value, fewer in ((0.4, by_vector, {i: -d for i, d in near.items()}, None),
                                          (0.6, by_words, scores, 0)):
        worst = value[ranking[-1]] if ranking and (len(ranking) == 100 or fewer is None) else fewer
        for i in ranking:
            best = value[ranking[0]]
            total[i] += weight * ((value[i] - worst) / (best - worst) if best != worst else 1)
    place = {i: n for n, i in enumerate(by_words)}
    order = sorted(total, key=lambda i: (-round(total[i], 12), place.get(i, len(near)), near[i], i.encode()))
    return {"results": [[i, round(abs(near[i]), 3)] for i in order[:request["query"]["k"]]]}


# -- storage --

def is_key(key):
    return (0 < len(key.encode("utf-8")) <= 1024 and not re.search("[\0\r\n\t]", key) and
            all(part not in ("", ".", "..") for part in key.split("/")))


def operate(objects, op):
    key = op.get("key")
    if op["op"] == "list":
        return {"objects": sorted(([k, len(v)] for k, v in objects.items()), key=lambda o: o[0].encode("utf-8"))}
    if not is_key(key):
        return {"code": 400}
    if op["op"] == "put":
        if op.get("new") and key in objects:
            return {"code": 412}
        if any(k.startswith(key + "/") or key.startswith(k + "/") for k in objects):
            return {"code": 409}
        objects[key] = op.get("text", "").encode("utf-8")
    elif key not in objects:
        return {"code": 404}
    data = objects[key]
    if op["op"] == "delete":
        del objects[key]
        return {"key": key, "deleted": True}
    if op["op"] == "get":
        return {"text": data.decode("utf-8"), "sha256": hashlib.sha256(data).hexdigest()}
    is_now = {"key": key, "size": len(data)}
    return is_now if op["op"] == "head" else {**is_now, "sha256": hashlib.sha256(data).hexdigest()}


def storage(request):
    objects = {}
    return {"results": [operate(objects, op) for op in request["operations"]]}


# -- chat: which call a model's name selects, what it sends, and what the reply is made of --

def provider_of(model):
    prefix, slash, rest = model.partition("/")
    if slash and prefix in ("ollama", "ollama_cloud", "openrouter", "opencode", "kimi"):
        return prefix, rest.removesuffix(":cloud") if prefix == "ollama_cloud" else rest
    if model.endswith(":cloud"):
        return "ollama_cloud", model.removesuffix(":cloud")
    return "ollama", model


def turns_of(request):
    if request.get("messages"):
        return [{"role": m["role"], "content": m["content"]} for m in request["messages"]]
    system = [{"role": "system", "content": request["system"]}] if request.get("system") else []
    return system + [{"role": "user", "content": request["prompt"]}]


def as_prompt(turns):
    said = [m for m in turns if m["role"] != "system"]
    system = "\n".join(m["content"] for m in turns if m["role"] == "system")
    prompt = said[0]["content"] if len(said) == 1 and said[0]["role"] == "user" else \
        "\n".join(f"{m['role'].capitalize()}: {m['content']}" for m in said)
    return {"prompt": prompt, **({"system": system} if system else {})}


def body_of(request, provider, model):
    turns, limit = turns_of(request), request.get("max_tokens", 0)
    json_wanted = request.get("format") == "json"
    body = {"model": model, "stream": False,
            **(as_prompt(turns) if provider == "ollama_cloud" else {"messages": turns})}
    if not provider.startswith("ollama"):
        if "temperature" in request:
            body["temperature"] = request["temperature"]
        if limit > 0:
            body["max_tokens"] = limit
        if json_wanted:
            body["response_format"] = {"type": "json_object"}
        return "/chat/completions", body
    options = {"temperature": request.get("temperature"), "num_predict": limit if limit > 0 else None}
    options = {name: value for name, value in options.items() if value is not None}
    body["think"] = request.get("think", False)
    if options:
        body["options"] = options
    if json_wanted:
        body["format"] = "json"
    return "/api/generate" if provider == "ollama_cloud" else "/api/chat", body


def said_by(provider, answer):
    """Content, finish reason, and both counts."""
    if not provider.startswith("ollama"):
        choice, usage = answer["choices"][0], answer.get("usage", {})
        return (choice["message"]["content"] or "", choice.get("finish_reason") or "stop",
                usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))
    content = answer["response"] if provider == "ollama_cloud" else answer["message"]["content"]
    return (content, answer.get("done_reason") or ("stop" if answer["done"] else "length"),
            answer.get("prompt_eval_count", 0), answer.get("eval_count", 0))


def chat(case):
    request, answer = case["request"], case["answer"]
    if not any(m["role"] != "system" for m in turns_of(request) if m["content"]):
        return {"sent": [], "reply": {"code": 400}}
    provider, model = provider_of(request["model"])
    path, body = body_of(request, provider, model)
    if case.get("status", 200) != 200:
        reply = {"code": 502}
    else:
        content, finish, seen, made = said_by(provider, answer)
        reply = {"model": request["model"], "content": content, "provider": provider, "input_tokens": seen,
                 "output_tokens": made, "finish_reason": finish}
    return {"sent": [{"path": path, "body": body}], "reply": reply}


def main():
    answer = {f.__name__: f for f in (sql, search, retrieve, storage, chat)}[sys.argv[1]]
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line)), ensure_ascii=False), flush=True)


main()
