/* ---- the audit: charts of its metrics, drift, and the report ---- */

const metric_titles = new Map([
	["p2_evidence_rows", "Evidence rows"], ["p2_evidence_skips", "Rows skipped"],
	["p3_accepted", "Scored: accepted"], ["p3_human", "Scored: for a human"],
	["p3_partial", "Scored: partially accepted"], ["p3_rejected", "Scored: rejected"],
	["p4_pref_pairs", "Preference pairs"], ["p4_rag_rows", "Retrieval samples"],
	["p4_sft_rows", "Fine-tuning samples"], ["p4_total_quarantined", "Rows in quarantine"],
]);

const load_audit = (signal) => take("GET", "console/audit", { signal });

function show_audit(answer) {
	const rows = objects(answer.baselines), newest = rows.at(-1);
	const names = Object.keys(object(object(newest).metrics)).sort();
	const drift = names.filter((name) => given(metric_of(newest, name)))
		.map((name) => drift_of(name, rows));
	const warned = drift.filter((d) => d.flag === "warn").length;

	$("audit-charts").replaceChildren(...drift.map((d) => metric_card(d, rows)));
	$("audit-drift").replaceChildren(...newest ? drift_table(drift, rows) : []);
	show_report(as_text(answer.report ?? ""));
	say("audit", newest ? `${plural(rows.length, "audit")}, the newest at ` +
		`${clock(newest.recorded_at)}; ${plural(warned, "metric")} drifted.`
		: "No audits are on file yet; lh-audit-full --append-baseline adds one.");
}

/* Return a metric of an audit; null if it has none. */
function metric_of(row, name) {
	const value = object(object(row).metrics)[name];

	return typeof value === "number" ? value : null;
}

/* Compare the last two values of a metric, as lh-audit-full drift does. */
function drift_of(name, rows) {
	const current = metric_of(rows.at(-1), name), baseline = metric_of(rows.at(-2), name);
	const by = current - baseline, pct = by / baseline * 100;
	const near = by === 0 || Math.abs(by) <= Math.abs(baseline) / 5;

	if (baseline === null)
		return { name, current, baseline, flag: "first_run", pct: "-" };
	return {
		name, current, baseline, flag: near ? "ok" : "warn",
		pct: baseline === 0 ? "-" : `${pct < 0 ? "" : "+"}${pct.toFixed(1)}%`,
	};
}

function metric_card({ name, current, baseline, flag, pct }, rows) {
	const values = rows.map((row) => metric_of(row, name)).filter(given);
	const title = metric_titles.get(name) ?? visible(name, 60);
	const band = given(baseline) ? [baseline * .8, baseline * 1.2] : undefined;

	return el("div", { class: "card" }, el("h3", null, data(title)),
		el("div", { class: "value" }, el("b", null, data(current, 30)),
			flag === "warn" ? tag(`${pct} warn`, "warn") : dim(pct)),
		curve(values, { band, label: `${title}, ${plural(values.length, "audit")}` }));
}

function drift_table(drift, rows) {
	const times = rows.slice(-2).map((row) => clock(row.recorded_at));

	return [el("h2", null, "Drift"),
		el("p", { class: "dim" }, times.length > 1 ? times.join(" to ")
			: "This is the first audit."),
		table("Drift", ["metric", "#baseline", "#current", "#Δ%", "flag"],
			drift.map(({ name, baseline, current, pct, flag }) => [
				name_of(name, { class: "id" }), visible(baseline ?? "-", 24),
				visible(current, 24), pct,
				tag(flag, flag === "warn" ? "warn" : ""),
			]))];
}

/* ---- the report: Markdown, as far as lh-audit-full writes it ---- */

/* Its first line is the verdict, and the list after that the reasons. */
function verdict_class(title) {
	return / sound$/.test(title) && !/ NOT sound$/.test(title) ? "good"
		: / sound as far as it looked$/.test(title) ? "warn" : "bad";
}

function show_report(text) {
	const [, title, rest] = /^# (.*)\n([^]*)$/.exec(text) ?? [null, null, text];
	const parts = markdown(rest.split("\n"));
	const reasons = parts[0]?.localName === "ul" ? parts.shift() : null;

	$("audit-verdict").replaceChildren(...title === null ? [] :
		[el("div", { class: `verdict ${verdict_class(title)}` },
			el("strong", null, inline(title)), reasons)]);
	$("audit-report").replaceChildren(...text ? parts
		: [el("p", { class: "dim" }, "There is no report.")]);
}

function markdown(lines) {
	const out = [];

	while (lines.length)
		out.push(...markdown_block(lines));
	return out;
}

/* Take the next heading, table, list, fence or paragraph off the lines. */
function markdown_block(lines) {
	const line = lines.shift();
	const [, marks, title] = /^(#{1,4}) (.*)/.exec(line) ?? [];

	if (marks)
		return [el(marks.length < 3 ? "h2" : "h3", null, inline(title))];
	if (line.startsWith("```")) {
		const inside = take_while(lines, (l) => !l.startsWith("```"));

		lines.shift();
		return [block(inside.join("\n"), 20000)];
	}
	if (line.startsWith("|"))
		return [report_table([line, ...take_while(lines, (l) => l.startsWith("|"))])];
	if (line.startsWith("- ")) {
		const items = [line, ...take_while(lines, (l) => l.startsWith("- "))];

		return [el("ul", null, items.map((l) => el("li", null, inline(l.slice(2)))))];
	}
	return line.trim() ? [el("p", null, inline(line))] : [];
}

function take_while(lines, test) {
	const n = lines.findIndex((l) => !test(l));

	return lines.splice(0, n < 0 ? lines.length : n);
}

const unmarked = (text) =>
	text.trim().replace(/`([^`]*)`/g, "$1").replace(/\\([!-/:-@[-`{-~])/g, "$1");
const inline = (text) => data(unmarked(text), 2000);
const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/);

function report_table([heads, sides, ...rows]) {
	const right = cells(sides ?? "").map((side) => /^\s*-+:\s*$/.test(side));

	return table("Part of the report",
		cells(heads).map((h, i) => `${right[i] ? "#" : ""}${visible(unmarked(h), 60)}`),
		rows.map((line) => cells(line).map(report_cell)));
}

function report_cell(text, i) {
	const kind = { passed: "good", failed: "bad", skipped: "" }[text.trim()];

	if (i === 2 && typeof kind === "string")
		return tag(text.trim(), kind);
	return text.trim() ? inline(text) : null;
}
