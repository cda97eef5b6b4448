/* ---- validate a draft ---- */

const message = "Hello Ada, can you start on Monday at 06:00?";
const examples = {
	fill: {
		artifact: { fills: [{ candidate_id: "w-1", name: "Ada Lane" }] },
		context: { target_count: 1, city: "Toledo", state: "OH", role: "Welder", client_id: "C-1" },
	},
	email: {
		artifact: { to: "ada@example.com", subject: "Shift on Monday", body: message },
		context: { candidate_id: "w-1" },
	},
	sms: {
		artifact: { to: "+1-555-555-0100", body: message },
		context: { candidate_id: "w-1" },
	},
	playbook: {
		artifact: {
			operation: "fill: Welder x1 in Toledo, OH", endorsed_names: ["Ada Lane"],
			target_count: 1, fingerprint: "abc123",
		},
		context: { target_count: 1 },
	},
};

function insert_example() {
	const { artifact, context } = examples[$("validate-kind").value];

	$("validate-artifact").value = JSON.stringify(artifact, null, 2);
	$("validate-context").value = JSON.stringify(context, null, 2);
	say("validate", "");
}

/* Check that a field has one JSON value, and return it as it was written, so that no
 * number changes on its way. */
function json_in(id) {
	try {
		JSON.parse($(id).value);
	} catch (e) {
		judge($(id), e.message);
	}
	judge($(id), "");
	return $(id).value;
}

async function validate(signal) {
	const kind = JSON.stringify($("validate-kind").value);

	needed("validate-artifact");
	let body = `{"kind":${kind},"artifact":${json_in("validate-artifact")}`;
	if (value_of("validate-context"))
		body += `,"context":${json_in("validate-context")}`;
	$("validate-verdict").replaceChildren();
	return await request("POST", "v1/validate", { body: `${body}}`, signal });
}

function show_verdict(answer) {
	if (answer.status === 200)
		show_pass(objects(object(answer.body).findings));
	else if (answer.status === 422)
		show_fault(object(answer.body));
	else
		throw refusal_of(answer);
}

function show_pass(findings) {
	const kinds = new Map([["error", "bad"], ["warning", "warn"]]);
	const much = findings.length ? plural(findings.length, "finding") : "no findings";

	$("validate-verdict").replaceChildren(
		el("div", { class: `verdict ${findings.length ? "warn" : "good"}` },
			el("strong", null, "May be sent"), `, with ${much}.`));
	if (findings.length)
		$("validate-verdict").append(table("Findings", ["severity", "field", "message"],
			findings.map((f) => [tag(f.severity, kinds.get(f.severity)),
				data(f.field), data(f.message, 2000)])));
	say("validate", `The draft passes with ${much}.`);
}

/* A fault is {KIND: {field?, reason}}. */
function show_fault(body) {
	const [kind, fault] = Object.entries(body)[0] ?? ["no reason given", ""];
	const { field, reason } = object(fault);

	$("validate-verdict").replaceChildren(el("div", { class: "verdict bad" },
		el("strong", null, "May not be sent: ", data(kind, 60)),
		terms([["field", field], ["reason", reason ?? fault]])));
	say("validate", `The draft fails: ${visible(kind, 60)}.`);
}
