/* ---- search: where there is a playbook also with it, next to each other ---- */

/* What the distances of an index mean; the smaller, the nearer. */
const scales = new Map([
	["cosine", "1 − cosine: 0 is the same direction, 1 unrelated, 2 opposite"],
	["l2", "Euclidean: 0 is the same vector, and there is no greatest"],
	["ip", "1 − dot product: long vectors go below 0"],
]);
const metrics = new Map();	/* of the indexes, by name */

async function load_corpora() {
	$("search-corpora-again").hidden = true;
	try {
		const [{ corpora, playbooks }] = await Promise.all([
			take("GET", "v1/matrix/corpora"), load_metrics()]);

		show_corpora(objects(corpora));
		$("search-playbook").hidden = !list(playbooks).length;
		say("search", "");
	} catch (e) {
		$("search-corpora-again").hidden = false;
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
		$("search-corpora").append(dim("none yet: lh-index build index/NAME.lhv FILE makes one"));
	if (!$("record-corpus").value && names.length === 1)
		$("record-corpus").value = names[0];
	$("search-corpora-again").hidden = corpora.length > 0;
}

function corpus_choice(c) {
	const value = as_text(c.name), good = !given(c.error);
	const size = `${plural(c.length, "record")} × ${plural(c.dimension, "value")}`;

	return el("label", null, el("input",
		{ type: "checkbox", name: "corpus", value, checked: good, disabled: !good }),
		data(c.name, 60), dim(good ? size : data(c.error, 200)));
}

/* Return the lines of conditions, which the service reads: blanks around a sign are no part of
 * them. */
function read_filters(text) {
	const lines = text.split("\n").map((l) => l.trim()).filter(Boolean);
	const wrong = lines.find((l) => !/^\{|.[=<>]/.test(l));

	judge($("search-filters"), wrong && `not key=value: ${wrong}`);
	return lines.map((l) => l[0] === "{" ? l : l.replace(/\s*(!=|<=|>=|=|<|>)\s*/, "$1"));
}

function read_search() {
	const like = value_of("search-like") || undefined;
	const query_text = like ? value_of("search-query") || undefined : needed("search-query");
	const corpora = [...document.querySelectorAll("[name=corpus]:checked")];

	if (!corpora.length)
		throw new Error("Corpora: none chosen");
	return {
		query_text, like, corpora: corpora.map((box) => box.value),
		k: number_in("search-k", 1, 1000, true),
		offset: number_in("search-offset", 0, 9000, true),
		max_distance: value_of("search-far") ? number_in("search-far", -1e9, 1e9) : undefined,
		where: read_filters($("search-filters").value),
		query_role: value_of("search-role") || undefined,
	};
}

/* Search once or twice; each answer with use, whether it used the playbook. */
async function search(signal) {
	const query = read_search();
	const mode = document.querySelector("[name=playbook]:checked").value;
	const uses = $("search-playbook").hidden ? [false]
		: { off: [false], on: [true], both: [false, true] }[mode];

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

/* How many of the results are of each corpus, if several were asked. */
function shares_of({ query, results }) {
	const shown = (name) => results.filter((hit) => hit.corpus === name).length;
	const shares = query.corpora.filter(shown).map((name) => `${count(shown(name))} of ${name}`);

	return query.corpora.length > 1 && shares.length ? ` (${shares.join(", ")})` : "";
}

function summary_of(answer, before) {
	const { playbook_boosted: boosted, playbook_injected: injected } = answer;
	const moved = (hit, i) => before.get(place_of(hit)) !== i + 1;
	const title = $("search-playbook").hidden ? "" : `${title_of(answer)}: `;
	const parts = [title + plural(answer.results.length, "result") + shares_of(answer)];

	if (answer.use)
		parts.push(`${count(boosted ?? 0)} boosted`, `${count(injected ?? 0)} injected`);
	if (answer.use && before)
		parts.push(`${count(answer.results.filter(moved).length)} moved`);
	if (answer.metadata_filter_dropped)
		parts.push(`${count(answer.metadata_filter_dropped)} dropped by the filters`);
	if (answer.truncated)
		parts.push("ended by a limit, more may match");
	for (const [name, near] of Object.entries(object(answer.unmatched_filter)))
		parts.push(`no record has this ${name}` +
			(list(near).length ? ` (did you mean ${near.join(" or ")}?)` : ""));
	return visible(parts.join(", "), 2000);
}

function result_list(answer, before) {
	const words = new Set(words_in(answer.query.query_text ?? "").map(folded));
	const head = $("search-playbook").hidden ? { class: "hide" } : null;

	return el("section", { "data-playbook": answer.use ? "on" : "off" },
		el("h2", head, head ? "Results" : title_of(answer)),
		el("ol", { class: "hits" }, answer.results.map((hit, i) =>
			result({ ...answer.query, words }, hit, answer.query.offset + i + 1, before))));
}

/* The members that lh-show shows of a record with certain members; of others it shows all. */
const kinds = [
	["evidence_run_id category", "evidence_run_id evidence_task_id category reasons scored_at"],
	["run_id task_id provenance", "timestamp run_id task_id model_name observer_verdict text"],
	["source_run_id quality_score", "id quality_score instruction response"],
	["source_run_id success_score", "id success_score title tags content"],
	["chosen rejected prompt", "id prompt chosen rejected reason"],
	["name role", "name role city state status skills certifications"],
].map((names) => names.map((text) => text.split(" ")));
const FACTS = 8;	/* shown of a hit; the others are behind "all" */

function members_of(about) {
	const kind = kinds.find(([tells]) => tells.every((name) => Object.hasOwn(about, name)));

	return (kind ? kind[1] : Object.keys(about)).filter((name) => given(about[name]));
}

function result(query, hit, rank, before) {
	const about = object(hit.metadata), playbook = object(hit.playbook);
	const touched = playbook.boosted || playbook.injected;
	const names = members_of(about).filter((name) => as_text(about[name]) !== hit.id);
	const title = ["name", "title"].find((name) => names.includes(name)) ?? names[0];

	return el("li", { class: touched ? "hit touched" : "hit" },
		el("span", { class: "rank" }, `${rank}.`),
		el("span", null, given(title) ? marked(about[title], 120, query.words) : null, " ",
			data(hit.id, 60, { class: given(title) ? "id dim" : "id" })),
		el("span", { class: "num" }, distance(hit.distance)),
		el("div", { class: "rest" },
			el("div", { class: "facts" },
				facts(about, names.filter((name) => name !== title), query.words),
				query.corpora.length > 1 ? dim("in ", data(hit.corpus, 60)) : null,
				touched ? change(playbook) : null, movement(hit, rank, before)),
			el("div", { class: "tools" },
				behind("metadata", terms(Object.entries(about))),
				record_button(query, hit))));
}

const distance = (d) => typeof d === "number" ? d.toFixed(4) : visible(d, 20);

function facts(about, names, words) {
	const more = names.length - FACTS;

	return [names.slice(0, FACTS).map((name) => el("span", null, dim(data(name, 40)), " ",
		marked(in_words(about[name]), 160, words))), more > 0 ? dim(`+${more}`) : null];
}

/* ---- the words of the query, in the results ---- */

const WORD = /([\p{L}\p{M}\p{N}]+)/u;
const words_in = (text) => text.split(WORD).filter((part, i) => i % 2);
/* About what lh-show --mark takes for the same word: its letters, whatever their case, marks
 * and English endings; "" for one or two letters, which stand in every text. */
const folded = (word) => word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
	.replace(/^\D{1,2}$|(?<=..[^sui])s$/, "").replace(/(?<=...)(ing|ed|er|or|e)$/, "");

/* Text from outside, in which these words are marked. */
function marked(value, max, words) {
	return el("bdi", null, visible(value, max).split(WORD).map((part, i) =>
		i % 2 && folded(part) && words.has(folded(part)) ? el("mark", null, part) : part));
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
