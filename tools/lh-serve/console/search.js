/* ---- search: without and with the playbook, next to each other ---- */

/* What the distances of an index mean; the smaller, the nearer. */
const scales = new Map([
	["cosine", "1 − cosine: 0 is the same direction, 1 unrelated, 2 opposite"],
	["l2", "Euclidean: 0 is the same vector, and there is no greatest"],
	["ip", "1 − dot product: long vectors go below 0"],
]);
const metrics = new Map();	/* of the indexes, by name */

async function load_corpora() {
	const again = $("search-corpora-again");

	again.hidden = true;
	try {
		const [{ corpora }] = await Promise.all([
			take("GET", "v1/matrix/corpora"), load_metrics()]);

		show_corpora(objects(corpora));
		say("search", "");
	} catch (e) {
		again.hidden = false;
		say_error("search", e);
	}
}

/* Without this route the numbers have no explanation. */
async function load_metrics() {
	const { body } = await request("GET", "v1/vectors/index");

	for (const { params } of objects(object(body).indexes))
		metrics.set(as_text(object(params).name), object(params).distance);
}

function show_corpora(corpora) {
	const names = corpora.map((c) => as_text(c.name));

	$("search-corpora").replaceChildren(...corpora.map(corpus_choice));
	$("corpus-names").replaceChildren(...names.map((value) => el("option", { value })));
	if (!corpora.length)
		$("search-corpora").append(dim("none yet"));
	if (!$("record-corpus").value && names.length === 1)
		$("record-corpus").value = names[0];
	$("search-corpora-again").hidden = corpora.length > 0;
}

function corpus_choice(c) {
	const value = as_text(c.name);

	return el("label", null,
		el("input", { type: "checkbox", name: "corpus", value, checked: true }),
		data(c.name, 60), dim(`${count(c.length)} × ${count(c.dimension)}`));
}

/* Return lines of key=value as a metadata_filter: a text matches as text, and as the
 * JSON scalar that it may be. */
function read_filters(text) {
	const filter = new Map();

	for (const line of text.split("\n").filter((l) => l.trim())) {
		const at = line.indexOf("=");

		judge($("search-filters"), at < 1 && `not key=value: ${line}`);
		const key = line.slice(0, at).trim(), value = line.slice(at + 1).trim();
		const scalar = parse(value);

		if (!filter.has(key))
			filter.set(key, []);
		filter.get(key).push(value);
		if (scalar === null || typeof scalar === "number" || typeof scalar === "boolean")
			filter.get(key).push(scalar);
	}
	judge($("search-filters"), "");
	return filter.size ? Object.fromEntries(filter) : undefined;
}

function read_search() {
	const query_text = needed("search-query");
	const corpora = [...document.querySelectorAll("[name=corpus]:checked")];

	if (!corpora.length)
		throw new Error("Corpora: none chosen");
	return {
		query_text, corpora: corpora.map((box) => box.value),
		k: number_in("search-k", 1, 1000, true),
		metadata_filter: read_filters($("search-filters").value),
		query_role: value_of("search-role") || undefined,
	};
}

/* Search once or twice; each answer with use, whether it used the playbook. */
async function search(signal) {
	const query = read_search();
	const mode = document.querySelector("[name=playbook]:checked").value;
	const uses = { off: [false], on: [true], both: [false, true] }[mode];

	say("search", "Searching …");
	return await Promise.all(uses.map(async (use) => {
		const record = { ...query, use_playbook: use };
		const answer = await post("v1/matrix/search", record, signal);

		return { ...answer, query, use, results: objects(answer.results) };
	}));
}

const place_of = (hit) => JSON.stringify([hit.corpus, hit.id]);

function show_search(answers) {
	const [first, second] = answers;
	const before = second && new Map(first.results.map((hit, i) => [place_of(hit), i + 1]));

	$("search-results").replaceChildren(
		...answers.map((answer) => result_list(answer, answer.use && before)));
	$("search-scale").replaceChildren(
		...scale_of(answers[0].query.corpora).flat(Infinity));
	say("search", answers.map((answer) => summary_of(answer, before)).join(" — "));
}

/* The meaning of the numbers at the right, for the indexes that were searched. */
function scale_of(corpora) {
	const of = (metric) => corpora.filter((name) => metrics.get(name) === metric);
	const known = [...scales].filter(([metric]) => of(metric).length);

	return ["The number at the right is the distance; smaller is nearer. ",
		known.map(([metric, meaning]) => [data(of(metric).join(", "), 200), `: ${meaning}. `])];
}

const title_of = ({ use }) => use ? "With playbook" : "Without playbook";

function summary_of(answer, before) {
	const { playbook_boosted: boosted, playbook_injected: injected } = answer;
	const moved = (hit, i) => before.get(place_of(hit)) !== i + 1;
	const parts = [`${title_of(answer)}: ${plural(answer.results.length, "result")}`];

	if (answer.use)
		parts.push(`${count(boosted ?? 0)} boosted`, `${count(injected ?? 0)} injected`);
	if (answer.use && before)
		parts.push(`${count(answer.results.filter(moved).length)} moved`);
	if (answer.metadata_filter_dropped)
		parts.push(`${count(answer.metadata_filter_dropped)} dropped by the filters`);
	if (answer.truncated)
		parts.push("ended by a limit, more may match");
	return parts.join(", ");
}

function result_list(answer, before) {
	const counts = Object.entries(object(answer.per_corpus_counts));
	const found = counts.map(([name, n]) => `${visible(name, 40)} ${count(n)}`).join(", ");

	return el("section", { "data-playbook": answer.use ? "on" : "off" },
		el("h2", null, title_of(answer), " ", dim("found in ", data(found))),
		el("ol", { class: "hits" }, answer.results.map((hit, i) =>
			result(answer.query, hit, i + 1, before))));
}

function result(query, hit, rank, before) {
	const about = object(hit.metadata), playbook = object(hit.playbook);
	const touched = playbook.boosted || playbook.injected;

	return el("li", { class: touched ? "hit touched" : "hit" },
		el("span", { class: "rank" }, `${rank}.`),
		el("span", null, data(about.name ?? hit.id, 120), " ",
			given(about.name) ? data(hit.id, 60, { class: "id dim" }) : null),
		el("span", { class: "num" }, distance(hit.distance)),
		el("div", { class: "rest" },
			el("div", { class: "facts" }, facts(about), dim(data(hit.corpus, 60)),
				touched ? change(playbook) : null, movement(hit, rank, before)),
			el("div", { class: "tools" },
				metadata(about), record_button(query, hit))));
}

function metadata(about) {
	return el("details", null, el("summary", { class: "small-text" }, "metadata"),
		terms(Object.entries(about)));
}

const distance = (d) => typeof d === "number" ? d.toFixed(4) : visible(d, 20);

function facts(about) {
	const shown = ["role", "city", "state"].filter((key) => given(about[key]));
	const status = given(about.status)
		? tag(about.status, about.status === "active" ? "good" : "") : null;

	return [shown.map((key) => data(about[key], 60)), status];
}

/* What the playbook did to a hit. */
function change({ id, boosted, original_distance }) {
	const from = boosted ? "was " : "the entry is at ";

	return [tag(boosted ? "boosted" : "injected", "mark"),
		el("span", { class: "small-text" },
			`${from}${distance(original_distance)}, by `, id_of(id))];
}

/* How far a hit is from its place in the list without the playbook. */
function movement(hit, rank, before) {
	const was = before ? before.get(place_of(hit)) : rank;

	if (was === rank)
		return null;
	if (was === undefined)
		return dim("not in the other list");
	return tag(`${was > rank ? "▲ up" : "▼ down"} from ${was} to ${rank}`, "mark");
}

/* A button that puts the query and a hit into the form of the next panel. */
function record_button(query, hit) {
	const label = `Record ${visible(hit.id, 60)} as a good answer`;
	const click = () => {
		$("record-query").value = query.query_text;
		$("record-id").value = as_text(hit.id);
		$("record-corpus").value = as_text(hit.corpus);
		$("record-role").value = query.query_role ?? "";
		open_tab(tab_of("record"));
		$("record-score").focus();
	};

	return el("button", { type: "button", class: "slight", "aria-label": label, click },
		"Good answer …");
}
