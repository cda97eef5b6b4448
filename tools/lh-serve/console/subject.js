/* ---- who looked at a subject's data, what is held, and what an erasure would do ---- */

/* Return the id as a part of a path. */
function subject_id() {
	const id = $("subject-id").value;

	needed("subject-id");
	judge($("subject-id"), (/^\.\.?$/.test(id) || /\p{Cs}/u.test(id)) && "not an id");
	return encodeURIComponent(id);
}

function subject_path() {
	const id = subject_id(), ends = new URLSearchParams();

	for (const end of ["from", "to"])
		if (value_of(`subject-${end}`))
			ends.set(end, value_of(`subject-${end}`));
	return `v1/audit/subject/${id}${ends.size ? `?${ends}` : ""}`;
}

/* Ask for the report, or by the button's route for the person's data. */
async function load_subject(signal, op) {
	const path = op ? `v1/subject/${subject_id()}/${op}` : subject_path();
	const legal = $("subject-token").value;
	const also = value_of("subject-also").split("\n").map((text) => text.trim()).filter(Boolean);

	judge($("subject-token"), legal && !is_token(legal) &&
		"a token is visible ASCII, without blanks");
	hold_token(token);
	$("subject-report").replaceChildren();
	return await take(op ? "POST" : "GET", path, {
		headers: legal ? { "X-Lakehouse-Legal-Token": legal } : {}, own: true, signal,
		body: op ? JSON.stringify({ also }) : undefined,
	});
}

function show_subject(answer, op) {
	if (op)
		return show_person[op](answer);
	const log = object(answer.audit_log), rows = objects(log.rows);

	$("subject-report").replaceChildren(chain(answer, log), manifest(object(answer.manifest)),
		accesses(rows));
	say("subject", `${plural(rows.length, "access", "accesses")} in the window.`);
}

/* Show the buttons of the routes that are on; all need the key of the report. */
async function load_person_routes() {
	let off;

	await show_form("subject", "get", "/v1/audit/subject/{id}");
	for (const op of Object.keys(show_person)) {
		const route = object(paths?.[`/v1/subject/{id}/${op}`]).post;

		off = object(route)["x-off"];
		$(`subject-${op}`).hidden = !route || given(off);
		$("subject-person").hidden &&= $(`subject-${op}`).hidden;
	}
	if (given(off) && $("subject-person").hidden && !$("subject-status").textContent)
		say("subject", `There is the report alone; ${visible(off)}.`);
}

const show_person = { find: show_found, export: show_export, erase: show_plan };

function show_found({ lines }) {
	const hits = objects(lines).filter((line) => !line.summary);
	const { found, complete } = object(list(lines).at(-1));

	$("subject-report").replaceChildren(rows_of(hits, (rows) =>
		table("What is held", ["kind", "path", "row", "by", "members"], rows.map((h) => [
			data(h.kind, 40), name_of(h.path), id_of(h.line ?? h.id ?? h.row ?? ""),
			data(h.by ?? h.action, 40),
			data(list(h.members).join(", "), 400)]))));
	say("subject", `${plural(found, "row")} found${complete ? "" : ", not all was searched"}.`);
}

function show_plan({ lines }) {
	const steps = objects(lines).filter((line) => !line.summary);
	const { state, receipt } = object(list(lines).at(-1));
	const kind = (step) => /^(look|by hand)$/.test(step.action) ? "warn" : "";

	$("subject-report").replaceChildren(rows_of(steps, (rows) =>
		table("Plan of an erasure", ["action", "kind", "path", "#rows", "why"],
			rows.map((s) => [
			tag(s.action, kind(s)), data(s.kind, 40), name_of(s.path), data(s.rows, 24),
			data(s.why, 400)]))));
	say("subject", `State: ${visible(state, 40)}${given(receipt) ? ` by ${visible(receipt, 40)}`
		: ""}. Nothing was changed.`);
}

let addresses = [];	/* of the files of the newest export, in this page's memory */

function show_export({ lines, files }) {
	const bytes = objects(files).map((file) =>
		Uint8Array.from(atob(as_text(file.data)), (c) => c.charCodeAt(0)));

	addresses.forEach((address) => URL.revokeObjectURL(address));
	addresses = bytes.map((part) => URL.createObjectURL(new Blob([part])));
	$("subject-report").replaceChildren(...objects(files).map(({ name }, i) => [
		el("h2", null, el("a", { href: addresses[i],
			download: as_text(name).replaceAll("/", "-") }, data(name)), " ",
			dim(plural(bytes[i].length, "byte"))),
		/^data\//.test(name) ? rows_of(new TextDecoder().decode(bytes[i]).split("\n")
			.filter(Boolean), (part) => part.map(exported)) : [],
	]).flat());
	say("subject", `The files are ready: ${visible(object(list(lines).at(-1)).sentence)}.`);
}

/* The values of a record at any depth by their paths, as lh-show --card has them. */
const leaves = (record, above = "") => Object.entries(record).flatMap(([name, value]) =>
	Object.keys(object(value)).length ? leaves(value, `${above}${name}.`)
		: [[above + name, value]]);

const exported = (line) => el("div", { class: "card" }, terms(leaves(object(parse(line)))),
	behind("row", block(line, 20000)));

function chain(answer, log) {
	const whole = log.chain_verified === true;

	return el("section", null,
		el("div", { class: `verdict ${whole ? "good" : "bad"}` },
			el("strong", null, whole ? "The chain is intact"
				: ["The chain is not intact: ", data(log.chain_error)]),
			el("p", null, data(answer.completeness_attestation, 2000))),
		terms([["subject", answer.candidate_id], ["made at", answer.generated_at],
			["rows in all", log.chain_rows_total], ["last MAC", log.chain_root],
			["datasets", answer.datasets_referenced],
			["safe views", answer.safe_views_available]]));
}

function manifest(m) {
	const consent = object(m.consent), retention = object(m.retention);

	return el("section", null, el("h2", null, "Manifest"),
		Object.keys(m).length ? terms([["status", m.status], ["vertical", m.vertical],
			["consent, general", object(consent.general_pii).status],
			["consent, biometric", object(consent.biometric).status],
			["stored until", retention.general_pii_until], ["policy", retention.policy],
			["created", m.created_at], ["updated", m.updated_at]])
			: el("p", { class: "dim" }, "None."));
}

/* The newest accesses; the others on request. */
function accesses(rows) {
	return el("section", null, el("h2", null, "Accesses, newest first"),
		rows.length ? rows_of([...rows].reverse(), access_table)
			: el("p", { class: "dim" }, "None."));
}

function access_table(rows) {
	const results = new Map([["success", "good"], ["denied", "warn"], ["error", "bad"]]);

	return table("Accesses", ["time", "who", "purpose", "fields", "result"], rows.map((row) => {
		const who = object(row.accessor), fields = list(row.fields_accessed);

		return [data(row.ts, 40),
			el("span", null, given(who.token) ? data(who.token, 80) : null,
				given(who.token) ? ", by " : null, data(who.daemon, 80), " ", dim(data(who.kind, 80))),
			el("span", null, data(who.purpose, 200), " ",
				given(who.trace_id) ? dim(id_of(who.trace_id)) : null),
			data(fields.map((f) => as_text(f)).join(", "), 400),
			tag(row.result, results.get(row.result))];
	}));
}
