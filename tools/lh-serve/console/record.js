/* ---- record an answer into a playbook ---- */

function read_entry() {
	const tags = value_of("record-tags").split(",").map((t) => t.trim()).filter(Boolean);
	const score = number_in("record-score", 0, 1, false);

	judge($("record-score"), !score && "has to be above 0");
	return {
		query_text: needed("record-query"), answer_id: needed("record-id"),
		answer_corpus: needed("record-corpus"), score, corpus: needed("record-playbook"),
		tags: tags.length ? tags : undefined, role: value_of("record-role") || undefined,
	};
}

async function record(signal) {
	const entry = read_entry();

	return { entry, ...await post("v1/matrix/playbooks/record", entry, signal) };
}

function show_recorded({ entry, playbook_id }) {
	$("record-none").hidden = true;
	$("search-playbook").hidden = false;
	$("record-list").prepend(el("li", null, id_of(playbook_id), ": ",
		data(entry.answer_id, 100), " of ", data(entry.answer_corpus, 60),
		`, score ${entry.score}, for “`, data(entry.query_text), "”"));
	say("record", `Recorded as ${visible(playbook_id, 60)}.`);
}
