// The obvious script: a distillation root's five stages, with receipts.
// bench/distill.sh measures against it: node distill.mjs ROOT RECORDED_AT RUN_ID
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync, writeSync, fsyncSync, closeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const [root, recordedAt, runId] = process.argv.slice(2);
const now = new Date(recordedAt).toISOString();
const day = now.slice(0, 10).replaceAll("-", "/");
const scorer = "v1.0.0";
const skipsFile = "data/_kb/distillation_skips.jsonl";
const reasons = ["missing_provenance", "missing_source_run_id", "empty_content", "schema_violation", "unsafe_sft_category", "unsafe_rag_category",
	"invalid_preference_pairing", "hallucinated_file_path", "duplicate_id", "self_pairing", "category_disallowed"];

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

function canonical(v) {
	if (Array.isArray(v))
		return "[" + v.map(canonical).join(",") + "]";
	if (v !== null && typeof v === "object")
		return "{" + Object.keys(v).sort().map((k) => JSON.stringify(k) + ":" + canonical(v[k])).join(",") + "}";
	return JSON.stringify(v);
}

// ---- files ----

function* lines(name) {
	const path = join(root, name);
	if (!existsSync(path))
		return;
	const text = readFileSync(path, "utf8");
	for (let at = 0, offset = 0; at < text.length; offset++) {
		let end = text.indexOf("\n", at);
		if (end < 0)
			end = text.length;
		const line = text.slice(at, end);
		if (line.trim() !== "")
			yield [offset, line];
		at = end + 1;
	}
}

function* records(name) {
	for (const [, line] of lines(name))
		yield JSON.parse(line);
}

class Appender {
	constructor(name) {
		this.name = name;
		this.waiting = [];
		this.n = 0;
	}
	add(value) {
		this.n++;
		if (this.waiting.push(JSON.stringify(value)) === 10000)
			this.flush();
	}
	flush() {
		if (!this.waiting.length)
			return;
		if (this.fd === undefined) {
			mkdirSync(dirname(join(root, this.name)), { recursive: true });
			this.fd = openSync(join(root, this.name), "a");
		}
		writeSync(this.fd, this.waiting.join("\n") + "\n");
		this.waiting = [];
	}
	close() {
		this.flush();
		if (this.fd !== undefined) {
			fsyncSync(this.fd);
			closeSync(this.fd);
		}
	}
}

function walk(below) {
	const found = [];
	if (existsSync(join(root, below)))
		for (const e of readdirSync(join(root, below), { withFileTypes: true })) {
			const name = below + "/" + e.name;
			if (e.isDirectory())
				found.push(...walk(name));
			else if (name.endsWith(".jsonl"))
				found.push(name);
		}
	return found.sort();
}

// ---- schemas ----

class Refused extends Error {
	constructor(reason, ...errors) {
		super(reason);
		this.errors = errors;
	}
}

const time = (v) => typeof v === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(v) && !Number.isNaN(Date.parse(v));
const text = (v) => typeof v === "string" && v !== "";
const any = (v) => typeof v === "string";
const number = (v) => typeof v === "number" && v >= 0;
const integer = (v) => Number.isInteger(v) && v >= 0;
const texts = (v) => Array.isArray(v) && v.every(any);
const object = (v) => v !== null && typeof v === "object" && !Array.isArray(v);
const hash = (v) => typeof v === "string" && /^[0-9a-f]{64}$/.test(v);
const among = (...of) => (v) => of.includes(v);
const optional = (check) => (v) => v === undefined || check(v);
const one = (v) => v === 1;
const shape = (fields) => (v) => object(v) && Object.keys(fields).every((k) => fields[k](v[k]));
const provenance = shape({ source_file: text, line_offset: integer, sig_hash: hash, recorded_at: time });
const verdict = among("accept", "reject", "cycle");
const trainable = among("accepted", "partially_accepted");
const retrievable = among("accepted", "partially_accepted", "needs_human_review");

const evidenceRecord = {
	run_id: text, task_id: text, timestamp: time, schema_version: one, provenance, text: optional(any), model_name: optional(any),
	model_role: optional(among("executor", "reviewer", "extractor", "verifier", "categorizer", "tiebreaker", "applier", "embedder", "other")),
	observer_verdict: optional(verdict), observer_notes: optional(texts), observer_confidence: optional((v) => number(v) && v <= 100),
	source_files: optional(texts), success_markers: optional(texts), failure_markers: optional(texts),
	retrieved_context: optional(shape({ matrix_corpora: optional(texts), matrix_hits: optional(integer), pathway_fingerprints: optional(texts) })),
	prompt_tokens: optional(integer), completion_tokens: optional(integer), cost_usd: optional(number), latency_ms: optional(number),
	metadata: optional(object),
};
const sampleRecord = {
	rag: { schema_version: one, id: text, title: text, content: text, embedding_text: text, tags: texts, source_run_id: text,
		success_score: retrievable, source_category: retrievable, created_at: time, provenance },
	sft: { schema_version: one, id: text, instruction: (v) => text(v) && v.trim() !== "", context: any, response: (v) => text(v) && v.trim() !== "",
		source_run_id: text, quality_score: trainable, created_at: time, provenance },
	preference: { schema_version: one, id: text, prompt: text, chosen: text, rejected: text, reason: text, chosen_run_id: text, rejected_run_id: text,
		created_at: time, provenance },
};
const wrong = (fields, v) => Object.keys(fields).filter((k) => !fields[k](v[k])).map((k) => `${k}: invalid`);

// ---- transforms ----

const missing = (v) => v === undefined || v === null || v === "";
const given = (v) => (v === null ? undefined : v);

function need(row, name) {
	if (missing(row[name]))
		throw new Refused("skip", `${name}: missing`);
	return row[name];
}

function fileOf(row) {
	for (const name of ["file", "path", "source_file"])
		if (!missing(row[name]))
			return String(row[name]);
	throw new Refused("skip", "file: missing");
}

const lined = (v) => (Array.isArray(v) ? v.join("\n") : given(v));
const listed = (v) => (typeof v === "string" ? [v] : given(v));
const filled = (v) => (missing(v) ? undefined : v);
const tidy = (o) => (Object.values(o).some((v) => v !== undefined) ? o : undefined);
const some = (v) => (v && v.length ? v : undefined);

const distilled = (kind) => (r, off) => ({
	run_id: `${need(r, "run_id")}:${off}`, task_id: `distilled:${r.run_id}`, timestamp: need(r, "created_at"), text: given(r.text),
	model_name: given(r.extractor), model_role: "extractor", metadata: { kind, verifier: given(r.verifier), categorizer: given(r.categorizer) },
});

const transforms = {
	distilled_facts: distilled("fact"),
	distilled_procedures: distilled("procedure"),
	distilled_config_hints: distilled("config_hint"),
	contract_analyses: (r, off) => ({
		run_id: `contract:${need(r, "permit_id")}:${off}`, task_id: `permit:${r.permit_id}`, timestamp: need(r, "ts"), text: given(r.analysis),
		model_role: "executor", observer_verdict: given(r.observer_verdict), observer_notes: given(r.observer_notes),
		failure_markers: some(r.failure_markers), retrieved_context: given(r.retrieved_context), cost_usd: given(r.cost_usd),
		latency_ms: given(r.duration_ms), metadata: tidy({ contractor: given(r.contractor) }),
	}),
	mode_experiments: (r, off) => ({
		run_id: `mode:${off}:${need(r, "ts")}`, task_id: `${need(r, "task_class")}:${fileOf(r)}`, timestamp: r.ts, text: given(r.response),
		model_name: given(r.model), model_role: "executor", retrieved_context: given(r.retrieved_context),
		prompt_tokens: given(r.prompt_tokens), completion_tokens: given(r.completion_tokens), latency_ms: given(r.latency_ms),
		metadata: { task_class: r.task_class, mode: given(r.mode) },
	}),
	scrum_reviews: (r, off) => ({
		run_id: `scrum:${fileOf(r)}:${off}`, task_id: `scrum_review:${fileOf(r)}`, timestamp: need(r, "reviewed_at"),
		text: filled(r.suggestions_preview) ?? filled(r.text), model_name: given(r.accepted_model), model_role: "executor", source_files: [fileOf(r)],
		success_markers: missing(r.accepted_on_attempt) ? undefined : [`accepted_on_attempt_${r.accepted_on_attempt}`],
		metadata: tidy({ tree_split_fired: given(r.tree_split_fired) }),
	}),
	observer_escalations: (r, off, sig) => ({
		run_id: `escalation:${off}`, task_id: `escalation:${sig.slice(0, 12)}`, timestamp: need(r, "ts"), text: given(r.analysis),
		model_name: given(r.model), model_role: "reviewer", prompt_tokens: given(r.prompt_tokens), completion_tokens: given(r.completion_tokens),
		metadata: tidy({ trigger: given(r.trigger) }),
	}),
	audit_facts: (r, off) => ({
		run_id: `audit_facts:${need(r, "llm_team_run_id")}:${off}`, task_id: `pr:${need(r, "pr_number")}`,
		timestamp: filled(r.extracted_at) ?? need(r, "ts"), text: lined(r.facts), model_role: "extractor",
		metadata: tidy({ source: given(r.source), entity_count: r.entities?.length, relationship_count: r.relationships?.length }),
	}),
	auto_apply: (r, off) => ({
		run_id: `auto_apply:${off}`, task_id: `auto_apply:${fileOf(r)}`, timestamp: filled(r.ts) ?? now, model_role: "applier",
		source_files: [fileOf(r)], success_markers: r.action === "committed" ? ["committed"] : undefined,
		failure_markers: given(r.action) !== undefined && r.action !== "committed" ? [r.action] : undefined,
	}),
	observer_reviews: (r, off) => ({
		run_id: `observer:${off}:${need(r, "ts")}`, task_id: `observer_review:${fileOf(r)}`, timestamp: r.ts,
		text: filled(lined(r.notes)) ?? filled(r.review), model_role: "reviewer", observer_verdict: given(r.verdict),
		observer_notes: listed(r.notes), observer_confidence: given(r.confidence), metadata: tidy({ attempt: given(r.attempt) }),
	}),
	audits: (r) => ({
		run_id: String(need(r, "finding_id")), task_id: `phase:${need(r, "phase")}`, timestamp: need(r, "ts"), text: filled(r.evidence) ?? filled(r.topic),
		model_role: "reviewer", success_markers: ["info", "low"].includes(r.severity) ? [`audit_severity_${r.severity}`] : undefined,
		failure_markers: given(r.severity) !== undefined && !["info", "low"].includes(r.severity) ? [`audit_severity_${r.severity}`] : undefined,
		metadata: tidy({ topic: given(r.topic), resolution: given(r.resolution) }),
	}),
	outcomes: (r, off, sig) => ({
		run_id: `outcome:${filled(r.run_id) ?? off}`, task_id: `outcome:${sig.slice(0, 12)}`, timestamp: need(r, "created_at"), model_role: "executor",
		success_markers: r.total > 0 && r.ok === r.total ? ["all_events_ok"] : undefined,
		metadata: tidy({ gap_signals: Array.isArray(r.gap_signals) ? r.gap_signals.length : given(r.gap_signals), elapsed_secs: given(r.elapsed_secs) }),
	}),
};

function materialize(stem, row, line_offset, sig_hash) {
	const { run_id, task_id, timestamp, ...more } = transforms[stem](row, line_offset, sig_hash);
	const provenance = { source_file: `data/_kb/${stem}.jsonl`, line_offset, sig_hash, recorded_at: now };
	const record = { run_id, task_id, timestamp, schema_version: 1, provenance, ...more };
	const errors = wrong(evidenceRecord, record);
	if (errors.length)
		throw new Refused("skip", ...errors);
	return record;
}

function collect() {
	const known = new Set();
	for (const s of records(skipsFile))
		known.add(`${s.source_file}|${s.line_offset}|${s.sig_hash}`);
	const skips = new Appender(skipsFile);
	const count = { accepted: 0, skipped: 0, deduped: 0 };
	const evidence = walk("data/evidence");
	for (const stem of Object.keys(transforms)) {
		const source_file = `data/_kb/${stem}.jsonl`;
		const seen = new Set();
		for (const name of evidence)
			if (basename(name) === stem + ".jsonl")
				for (const e of records(name))
					seen.add(e.provenance.sig_hash);
		const out = new Appender(`data/evidence/${day}/${stem}.jsonl`);
		for (const [line_offset, line] of lines(source_file)) {
			let sig_hash = "";
			try {
				const row = JSON.parse(line);
				sig_hash = sha256(canonical(row));
				const record = materialize(stem, row, line_offset, sig_hash);
				if (seen.has(sig_hash)) {
					count.deduped++;
				} else {
					seen.add(sig_hash);
					out.add(record);
					count.accepted++;
				}
			} catch (e) {
				count.skipped++;
				if (!known.has(`${source_file}|${line_offset}|${sig_hash}`))
					skips.add({ source_file, line_offset, errors: e.errors ?? [String(e)], sig_hash, recorded_at: now });
			}
		}
		out.close();
	}
	skips.close();
	return count;
}

// ---- rules ----

const byVerdict = { accept: "accepted", reject: "rejected", cycle: "partially_accepted" };
const bySeverity = { info: "accepted", low: "accepted", medium: "partially_accepted", high: "rejected", critical: "rejected" };
const byAudit = { approved: "accepted", request_changes: "partially_accepted", blocked: "rejected" };
const judgeVerdict = (e) => (byVerdict[e.observer_verdict] ? [byVerdict[e.observer_verdict], `observer_verdict=${e.observer_verdict}`]
	: ["needs_human_review", "observer_verdict_missing"]);

const rules = {
	scrum_reviews(e) {
		const n = (e.success_markers ?? []).map((m) => /^accepted_on_attempt_(\d+)$/.exec(m)).find((m) => m)?.[1];
		if (n === undefined)
			return ["needs_human_review", "no_accept_marker"];
		if (n === "1")
			return ["accepted", "accepted_on_attempt=1"];
		return ["partially_accepted", `accepted_on_attempt=${n}`, ...(Number(n) >= 4 ? ["high_cost=true"] : [])];
	},
	observer_reviews: judgeVerdict,
	audits(e) {
		const markers = [...(e.success_markers ?? []), ...(e.failure_markers ?? [])];
		for (const m of markers)
			if (m.startsWith("audit_severity_") && bySeverity[m.slice(15)])
				return [bySeverity[m.slice(15)], `severity=${m.slice(15)}`];
		for (const v in byAudit)
			if (markers.includes(v))
				return [byAudit[v], `audit_verdict=${v}`];
		return ["needs_human_review", "no_severity"];
	},
	contract_analyses: (e) => (e.failure_markers?.length ? ["rejected", `failure_marker=${e.failure_markers[0]}`] : judgeVerdict(e)),
	auto_apply(e) {
		if (e.success_markers?.includes("committed"))
			return ["accepted", "action=committed"];
		const m = e.failure_markers?.find((f) => f.endsWith("_reverted"));
		return m ? ["rejected", `action=${m}`] : ["needs_human_review", "no_terminal_action"];
	},
	outcomes(e) {
		if (e.metadata?.gap_signals > 0)
			return ["partially_accepted", `gap_signals=${e.metadata.gap_signals}`];
		return e.success_markers?.includes("all_events_ok") ? ["accepted", "all_events_ok=true"] : ["needs_human_review", "events_incomplete"];
	},
	mode_experiments(e) {
		if ((e.text ?? "").trim() === "")
			return ["rejected", "empty_text"];
		return e.latency_ms > 120000 ? ["partially_accepted", `latency_ms=${e.latency_ms}`] : ["needs_human_review", "no_verdict_marker"];
	},
};

function scored(e) {
	const stem = basename(e.provenance.source_file, ".jsonl");
	const [category, ...reasons] = rules[stem] ? rules[stem](e) : ["needs_human_review", `extraction_class=${stem}`];
	const signed = { category, evidence_sig: e.provenance.sig_hash, reasons, run_id: e.run_id, scorer_version: scorer, task_id: e.task_id };
	return { schema_version: 1, evidence_run_id: e.run_id, evidence_task_id: e.task_id, category, reasons, scored_at: now, scorer_version: scorer,
		sub_scores: { scored_sig: sha256(canonical(signed)) }, provenance: e.provenance };
}

function score() {
	const count = { accepted: 0, partially_accepted: 0, rejected: 0, needs_human_review: 0 };
	for (const name of walk("data/evidence")) {
		const target = name.replace("data/evidence", "data/scored-runs");
		const seen = new Set();
		for (const s of records(target))
			seen.add(s.provenance.sig_hash + s.scorer_version);
		const out = new Appender(target);
		for (const e of records(name)) {
			if (seen.has(e.provenance.sig_hash + scorer))
				continue;
			const s = scored(e);
			count[s.category]++;
			out.add(s);
		}
		out.close();
	}
	return count;
}

// ---- exports ----

const output = {
	rag: "exports/rag/playbooks.jsonl", sft: "exports/sft/instruction_response.jsonl", preference: "exports/preference/chosen_rejected.jsonl",
};
const quarantineOf = (kind) => `exports/quarantine/${kind}.jsonl`;
const stemOf = (s) => basename(s.provenance.source_file, ".jsonl");
const idOf = (prefix, ...parts) => `${prefix}-${sha256(parts.join("|")).slice(0, 16)}`;

function* joined() {
	for (const name of walk("data/scored-runs")) {
		const evidence = new Map();
		for (const e of records(name.replace("data/scored-runs", "data/evidence")))
			evidence.set(`${e.run_id}|${e.provenance.sig_hash}`, e);
		for (const s of records(name))
			yield [s, evidence.get(`${s.evidence_run_id}|${s.provenance.sig_hash}`)];
	}
}

class Exporter {
	constructor(kind) {
		this.kind = kind;
		this.onFile = new Set();
		for (const s of records(output[kind]))
			this.onFile.add(s.id);
		this.refusedOnFile = new Set();
		for (const q of records(quarantineOf(kind)))
			this.refusedOnFile.add(this.about(q.reason, q.source_record));
		this.ids = new Set();
		this.samples = new Appender(output[kind]);
		this.refusals = new Appender(quarantineOf(kind));
		this.summary = Object.fromEntries(reasons.map((r) => [r, 0]));
		this.read = this.exported = 0;
	}
	about(reason, record) {
		const s = record.chosen ? [record.chosen, record.rejected] : [record];
		return [reason, ...s.flatMap((r) => [r.evidence_run_id, r.provenance?.sig_hash])].join("|");
	}
	attempt(source_record, make) {
		this.read++;
		try {
			const sample = make();
			const errors = wrong(sampleRecord[this.kind], sample);
			if (errors.length)
				throw new Refused("schema_violation", ...errors);
			if (this.ids.has(sample.id))
				throw new Refused("duplicate_id");
			this.ids.add(sample.id);
			this.exported++;
			if (!this.onFile.has(sample.id))
				this.samples.add(sample);
		} catch (e) {
			if (!(e instanceof Refused))
				throw e;
			this.summary[e.message]++;
			const key = this.about(e.message, source_record);
			if (this.refusedOnFile.has(key))
				return;
			this.refusedOnFile.add(key);
			this.refusals.add({ exporter: this.kind, reason: e.message, source_record, errors: e.errors, recorded_at: now,
				source_provenance: (source_record.chosen ?? source_record).provenance });
		}
	}
	finish() {
		this.samples.close();
		this.refusals.close();
		// what was written is read once more before anybody trains on it
		for (const s of records(output[this.kind]))
			if (wrong(sampleRecord[this.kind], s).length)
				throw new Error(`${output[this.kind]}: ${s.id} is not clean`);
		return { accepted: this.exported, rejected: 0, quarantined: this.read - this.exported, skipped: 0 };
	}
}

function instruction(e, stem) {
	const rest = (prefix) => (e.task_id.startsWith(prefix) && e.task_id !== prefix ? e.task_id.slice(prefix.length) : e.task_id);
	const colon = e.task_id.indexOf(":");
	switch (stem) {
	case "scrum_reviews": return `Review the file ${rest("scrum_review:")} against the requirements.`;
	case "mode_experiments": return `Run the task class ${e.task_id.slice(0, colon)} on the file ${e.task_id.slice(colon + 1)}.`;
	case "auto_apply": return `Emit a small patch for the file ${rest("auto_apply:")}.`;
	case "audits": return `Audit phase ${rest("phase:")}.`;
	case "observer_reviews": return `Review the latest attempt at the file ${rest("observer_review:")}.`;
	case "contract_analyses":
		return e.metadata?.contractor ? `Analyse permit ${rest("permit:")} for contractor ${e.metadata.contractor}.` : `Analyse permit ${rest("permit:")}.`;
	case "outcomes": return `Run scenario ${rest("outcome:")} and report how it went.`;
	default: return `Answer task ${e.task_id} of source ${stem}.`;
	}
}

function context(e) {
	const parts = { corpora: e.retrieved_context?.matrix_corpora, fingerprints: e.retrieved_context?.pathway_fingerprints, files: e.source_files };
	return Object.keys(parts).filter((k) => parts[k]?.length).map((k) => `${k}: ${parts[k].join(", ")}`).join("; ");
}

const isOutput = (e, stem) => ["executor", "applier"].includes(e.model_role) ||
	(e.model_role === "reviewer" && (e.observer_verdict !== undefined || stem === "audits"));

function ragSample(s, e, stem) {
	if (s.category === "rejected")
		throw new Refused("unsafe_rag_category");
	if (s.category === "needs_human_review")
		throw new Refused("category_disallowed");
	if (!e)
		throw new Refused("missing_source_run_id");
	const content = (e.text ?? "").trim();
	if (content === "")
		throw new Refused("empty_content");
	const title = `${stem}: ${e.task_id}`;
	return { schema_version: 1, id: idOf("rag", "rag", e.run_id, e.provenance.sig_hash), title, content,
		embedding_text: title + "\n" + (content.length > 1000 ? [...content.slice(0, 2000)].slice(0, 1000).join("") : content),
		tags: [stem, s.category, e.model_role, e.source_files?.[0]].filter((t) => t !== undefined && t.trim() !== ""),
		source_run_id: e.run_id, success_score: s.category, source_category: s.category, created_at: now, provenance: e.provenance };
}

function sftSample(s, e, stem) {
	if (s.category === "rejected" || s.category === "needs_human_review")
		throw new Refused("unsafe_sft_category");
	if (s.category !== "accepted")
		throw new Refused("category_disallowed");
	if (!e || !isOutput(e, stem))
		throw new Refused("missing_source_run_id");
	if ((e.text ?? "").trim() === "")
		throw new Refused("empty_content");
	return { schema_version: 1, id: idOf("sft", "sft", e.run_id, e.provenance.sig_hash), instruction: instruction(e, stem), context: context(e),
		response: e.text, source_run_id: e.run_id, quality_score: s.category, created_at: now, provenance: e.provenance };
}

function exportEach(kind, make) {
	const x = new Exporter(kind);
	for (const [s, e] of joined())
		x.attempt(s, () => make(s, e, stemOf(s)));
	return x.finish();
}

function pair(s, e, s2, e2) {
	if (e.run_id === e2.run_id)
		throw new Refused("self_pairing");
	if (e.text === e2.text)
		throw new Refused("invalid_preference_pairing", "rejected: must differ from chosen");
	return { schema_version: 1, id: idOf("pref", "preference", e.run_id, e2.run_id), prompt: instruction(e, stemOf(e)), chosen: e.text, rejected: e2.text,
		reason: `${s.category} over ${s2.category} on ${e.task_id}: ${s.reasons[0]} vs ${s2.reasons[0]}`,
		chosen_run_id: e.run_id, rejected_run_id: e2.run_id, created_at: now, provenance: e.provenance };
}

function exportPairs() {
	const x = new Exporter("preference");
	const tasks = new Map();
	for (const [s, e] of joined()) {
		if (!e || s.category === "needs_human_review" || (e.text ?? "").trim() === "" || !isOutput(e, stemOf(e)))
			continue;
		if (!tasks.has(e.task_id))
			tasks.set(e.task_id, { accepted: [], rejected: [], partially_accepted: [] });
		tasks.get(e.task_id)[s.category].push([s, e]);
	}
	for (const id of [...tasks.keys()].sort()) {
		const task = tasks.get(id);
		const against = task.rejected.length ? task.rejected : task.partially_accepted;
		for (let i = 0; i < Math.min(task.accepted.length, against.length); i++) {
			const [s, e] = task.accepted[i], [s2, e2] = against[i];
			x.attempt({ chosen: s, rejected: s2 }, () => pair(s, e, s2, e2));
		}
	}
	return x.finish();
}

// ---- receipts ----

function side(names) {
	const files = [];
	for (const path of names.filter((n) => existsSync(join(root, n))).sort()) {
		const data = readFileSync(join(root, path));
		let record_count = 0;
		for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1))
			record_count++;
		files.push({ path, sha256: sha256(data), bytes: data.length, record_count });
	}
	return { files, record_count: files.reduce((n, f) => n + f.record_count, 0), hash: sha256(files.map((f) => `${f.path}\t${f.sha256}\n`).join("")) };
}

const report = (name, value) => writeFileSync(join(root, "reports/distillation", runId, name), JSON.stringify(value) + "\n");
const evidenceAndScores = () => [...walk("data/scored-runs"), ...walk("data/evidence")];
const stages = {
	collect: [collect, () => Object.keys(transforms).map((s) => `data/_kb/${s}.jsonl`), () => [...walk("data/evidence"), skipsFile]],
	score: [score, () => walk("data/evidence"), () => walk("data/scored-runs")],
	"export-rag": [() => exportEach("rag", ragSample), evidenceAndScores, () => [output.rag, quarantineOf("rag")]],
	"export-sft": [() => exportEach("sft", sftSample), evidenceAndScores, () => [output.sft, quarantineOf("sft")]],
	"export-preference": [exportPairs, evidenceAndScores, () => [output.preference, quarantineOf("preference")]],
};

mkdirSync(join(root, "reports/distillation", runId), { recursive: true });
const summary = { schema_version: 1, run_id: runId, stages: [] };
for (const [stage, [run, from, to]] of Object.entries(stages)) {
	const stats = run(), inputs = side(from()), outputs = side(to());
	report(stage + ".json", { schema_version: 1, run_id: runId, stage, timestamp: now, inputs, outputs, stats });
	summary.stages.push({ stage, ...stats, input_hash: inputs.hash, output_hash: outputs.hash });
}
summary.run_hash = sha256(summary.stages.map((s) => s.output_hash).join("|"));
report("summary.json", summary);
console.log(summary.run_hash);
