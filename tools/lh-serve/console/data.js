/* ---- datasets of the catalog, and SQL over them ---- */

const ROWS = 200;	/* shown at first */

async function load_datasets(signal) {
	say("datasets", "Loading …");
	return objects((await take("GET", "v1/catalog/list", { signal })).manifests);
}

function show_datasets(manifests) {
	const rows = manifests.map((m) => [data(m.name, 80), count(m.row_count ?? "–"),
		count(list(m.objects).length), clock(m.updated_at), dataset_tools(m)]);

	$("datasets-list").replaceChildren(manifests.length
		? table("Datasets", ["dataset", "rows", "files", "changed", ""], rows) : "");
	say("datasets", `${plural(manifests.length, "dataset")}.`);
}

/* A button that puts a statement into the next panel, and the members of a manifest. */
function dataset_tools(m) {
	const click = () => {
		$("sql-text").value = `SELECT * FROM "${as_text(m.name).replaceAll('"', '""')}" LIMIT 20`;
		open_tab(tab_of("sql"));
		$("sql-text").focus();
	};
	const name = `Query ${visible(m.name, 60)}`;

	return el("div", { class: "tools" },
		el("button", { type: "button", class: "slight", "aria-label": name, click }, "Query …"),
		el("details", null, el("summary", { class: "small-text" }, "manifest"),
			terms(Object.entries(m))));
}

async function run_sql(signal) {
	const sql = needed("sql-text");

	say("sql", "Running …");
	$("sql-rows").replaceChildren();
	return await post("v1/sql", { sql }, signal);
}

function show_rows({ columns, rows }) {
	$("sql-rows").replaceChildren(row_table(objects(columns), list(rows), ROWS));
	say("sql", `${plural(list(rows).length, "row")}.`);
}

/* The first rows, at most so many, and the others on request. */
function row_table(columns, rows, most) {
	const click = () => section.replaceWith(row_table(columns, rows, most * 10));
	const cells = (row) => columns.map((c, i) => data(list(row)[i], 1000));
	const section = el("section", null,
		table("Rows", columns.map((c) => visible(c.name, 60).replace(/^#/, "##")), rows.slice(0, most).map(cells)),
		most < rows.length ? el("button", { type: "button", click },
			`Show more: ${count(most)} of ${count(rows.length)} are shown`) : null);

	return section;
}
