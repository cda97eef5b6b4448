/* ---- datasets of the catalog, and SQL over them ---- */

const load_datasets = async (signal) =>
	objects((await take("GET", "v1/catalog/list", { signal })).manifests);

function show_datasets(manifests) {
	const rows = manifests.map((m) => [data(m.name, 80), count(m.row_count ?? "–"),
		count(list(m.objects).length), clock(m.updated_at), dataset_tools(m)]);

	$("datasets-list").replaceChildren(manifests.length
		? table("Datasets", ["dataset", "rows", "files", "changed", ""], rows) : "");
	say("datasets", manifests.length ? `${plural(manifests.length, "dataset")}.`
		: "No datasets are in the catalog yet; lh-ingest adds them.");
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
		behind("manifest", terms(Object.entries(m))));
}

async function run_sql(signal) {
	const sql = needed("sql-text");

	$("sql-rows").replaceChildren();
	return await post("v1/sql", { sql }, signal);
}

function show_rows({ columns, rows }) {
	const heads = objects(columns).map((c) => visible(c.name, 60).replace(/^#/, "##"));
	const cells = (row) => heads.map((h, i) => data(list(row)[i], 1000));

	$("sql-rows").replaceChildren(
		rows_of(list(rows), (part) => table("Rows", heads, part.map(cells))));
	say("sql", `${plural(list(rows).length, "row")}.`);
}
