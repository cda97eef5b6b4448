/* ---- the page as a whole ---- */

async function check_health() {
	let good = false, text = "not reachable";

	try {
		const answer = await send("GET", "health", {});

		good = answer.status === 200 && object(parse(answer.text)).status === "ok";
		text = good ? "up" : `health: ${answer.status}`;
	} catch {
		/* the text above */
	}
	$("health").textContent = text;
	$("health").className = `tag ${good ? "good" : "bad"}`;
}

function once(run) {
	let done = false;

	return () => done ||= (run(), true);
}

function set_listeners() {
	for (const tab of tabs) {
		tab.addEventListener("click", () => open_tab(tab));
		tab.addEventListener("keydown", tab_key);
	}
	$("ask-form").addEventListener("submit", submit_token);
	$("ask-cancel").addEventListener("click", () => $("ask").close());
	$("forget").addEventListener("click", forget_tokens);
	$("search-corpora-again").addEventListener("click", load_corpora);
	$("validate-example").addEventListener("click", insert_example);
	$("traffic-pause").addEventListener("click", toggle_pause);
	$("routes-route").addEventListener("change", show_fields);
	$("sessions-limit").addEventListener("change", () => submit("sessions"));
	document.addEventListener("visibilitychange", poll);
	addEventListener("hashchange", follow_hash);
}

on_submit("search", search, show_search);
on_submit("record", record, show_recorded);
on_submit("validate", validate, show_verdict);
on_submit("datasets", load_datasets, show_datasets);
on_submit("sql", run_sql, show_rows);
on_submit("routes", ask_route, show_answer);
on_submit("sessions", load_sessions, show_sessions);
on_submit("audit", load_audit, show_audit);
on_submit("subject", load_subject, show_subject);
for (const panel of ["datasets", "sessions", "audit"])
	on_open[panel] = once(() => submit(panel));
on_open.routes = once(load_routes);
on_open.sql = () => show_form("sql", "post", "/v1/sql");
on_open.subject = once(load_person_routes);
on_open.traffic = poll;
$("search-more").open = matchMedia("(min-width: 48rem)").matches;
$("where").textContent = visible(location.host, 80);
set_listeners();
check_health();
setInterval(check_health, 30000);
load_corpora();
follow_hash();
