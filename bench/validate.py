"""The obvious script: emails in, verdicts out. bench/validate.sh measures against it."""
import json
import re
import sys

roster = {}
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        worker = json.loads(line)
        roster[worker["candidate_id"].strip().lower()] = worker

SSN = re.compile(r"(?<![0-9])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9])")
WORD = "(?:salary|compensation|pay rate|bill rate|hourly rate|wage)"
PAY = re.compile(rf"{WORD}.{{0,40}}\$ ?[0-9]|\$(?= ?[0-9]).{{0,40}}{WORD}", re.IGNORECASE | re.ASCII | re.DOTALL)


def refuse(variant, reason, **field):
    return {"status": 422, "error": {variant: {**field, "reason": reason}}}


def blank(text):
    return not isinstance(text, str) or not text.strip()


def validate(kind, artifact, context):
    findings = []
    for name in "to", "body":
        if blank(artifact.get(name)):
            return refuse("Schema", "missing", field=name)
    subject, body = artifact.get("subject"), artifact["body"]
    if subject is not None and not isinstance(subject, str):
        return refuse("Schema", "expected string", field="subject")
    if (kind == "sms" or artifact.get("kind") == "sms") and len(body) > 160:
        return refuse("Completeness", f"SMS body is {len(body)} chars (max 160)")
    if subject and len(subject) > 78:
        return refuse("Completeness", f"subject is {len(subject)} chars (max 78)")
    for text in subject, body:
        if text and SSN.search(text):
            return refuse("Policy", "SSN-shaped sequence in body")
    for text in subject, body:
        if text and PAY.search(text):
            return refuse("Policy", "salary disclosure: keyword near dollar amount")
    candidate = context.get("candidate_id")
    if candidate:
        worker = roster.get(candidate.strip().lower())
        if worker is None:
            return refuse("Consistency", f"_context.candidate_id '{candidate}' does not exist in worker roster")
        name = worker["name"].strip().lower()
        if name.split(" ")[0] not in body.lower():
            findings.append({"field": "body", "severity": "warning", "message": f"body does not mention '{worker['name']}'"})
    return {"status": 200, "report": {"findings": findings, "elapsed_ms": 0}}


def judge(record):
    kind, artifact, context = record["kind"], record["artifact"], record.get("context")
    if kind not in ("email", "sms"):
        return {"status": 400, "error": {"message": f'unknown kind "{kind}" (expected fill, email, sms or playbook)'}}
    if not isinstance(artifact, dict):
        return {"status": 400, "error": {"message": "artifact must be an object"}}
    if context is None:
        context = artifact.get("_context", {})
    if not isinstance(context, dict):
        return {"status": 400, "error": {"message": "context must be an object"}}
    if not isinstance(context.get("candidate_id") or "", str):
        return {"status": 400, "error": {"message": "context.candidate_id must be a string"}}
    return validate(kind, artifact, context)


for line in sys.stdin:
    record = json.loads(line)
    record["verdict"] = judge(record)
    print(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
