/* ---- who looked at a subject's data ---- */

const ACCESSES = 200;	/* shown at first */

function subject_path() {
	const id = $("subject-id").value, ends = new URLSearchParams();

	needed("subject-id");
	judge($("subject-id"), (/^\.\.?$/.test(id) || /\p{Cs}/u.test(id)) && "not an id");
	for (const end of ["from", "to"])
		if (value_of(`subject-${end}`))
			ends.set(end, value_of(`subject-${end}`));
	return `v1/audit/subject/${encodeURIComponent(id)}${ends.size ? `?${ends}` : ""}`;
}

async function load_subject(signal) {
	const path = subject_path(), legal = $("subject-token").value;

	judge($("subject-token"), legal && !is_token(legal) &&
		"a token is visible ASCII, without blanks");
	hold_token(token);
	$("subject-report").replaceChildren();
	say("subject", "Loading …");
	return await take("GET", path, {
		headers: legal ? { "X-Lakehouse-Legal-Token": legal } : {}, own: true, signal,
	});
}

function show_subject(answer) {
	const log = object(answer.audit_log), rows = objects(log.rows);

	$("subject-report").replaceChildren(chain(answer, log), manifest(object(answer.manifest)),
		accesses(rows, ACCESSES));
	say("subject", `${plural(rows.length, "access", "accesses")} in the window.`);
}

function chain(answer, log) {
	const whole = log.chain_verified === true;
	const names = (value) => list(value).map((v) => as_text(v)).join(", ");

	return el("section", null,
		el("div", { class: `verdict ${whole ? "good" : "bad"}` },
			el("strong", null, whole ? "The chain is intact"
				: ["The chain is not intact: ", data(log.chain_error)]),
			el("p", null, data(answer.completeness_attestation, 2000))),
		terms([["subject", answer.candidate_id], ["made at", answer.generated_at],
			["rows in all", log.chain_rows_total], ["last MAC", log.chain_root],
			["datasets", names(answer.datasets_referenced)],
			["safe views", names(answer.safe_views_available)]]));
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

/* The newest accesses, at most so many, and the others on request. */
function accesses(rows, most) {
	const click = () => section.replaceWith(accesses(rows, most * 10));
	const section = el("section", null, el("h2", null, "Accesses, newest first"),
		rows.length ? access_table(rows.slice(-most).reverse())
			: el("p", { class: "dim" }, "None."),
		most < rows.length ? el("button", { type: "button", click },
			`Show more: ${count(most)} of ${count(rows.length)} are shown`) : null);

	return section;
}

function access_table(rows) {
	const results = new Map([["success", "good"], ["denied", "warn"], ["error", "bad"]]);

	return table("Accesses", ["time", "who", "purpose", "fields", "result"], rows.map((row) => {
		const who = object(row.accessor), fields = list(row.fields_accessed);

		return [data(row.ts, 40),
			el("span", null, data(who.daemon, 80), " ", dim(data(who.kind, 80))),
			el("span", null, data(who.purpose, 200), " ",
				given(who.trace_id) ? dim(id_of(who.trace_id)) : null),
			data(fields.map((f) => as_text(f)).join(", "), 400),
			tag(row.result, results.get(row.result))];
	}));
}
