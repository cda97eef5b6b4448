/* ---- traffic: what /metrics says, every two seconds ---- */

const POLL_MS = 2000;
const KEPT = 31;	/* snapshots: those of a minute */
let snapshots = [], paused = false, polling = false, timer = 0;

/* Parse the text format of Prometheus into [name, labels, number]. */
function read_metrics(text) {
	const line = /^([A-Za-z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)/gm;

	return [...text.matchAll(line)].map(([, name, labels, number]) =>
		[name, read_labels(labels ?? ""), Number(number.replace("Inf", "Infinity"))]);
}

function read_labels(text) {
	const label = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
	const unescaped = (value) => value.replace(/\\(.)/g, (all, c) => c === "n" ? "\n" : c);

	return new Map([...text.matchAll(label)].map(([, key, value]) => [key, unescaped(value)]));
}

/* A snapshot: the time in ms, the sums, and for each route total, refused (4xx), failed
 * (5xx) and buckets, a Map from the upper edge in seconds to the number of requests up to it. */
function take_snapshot(text) {
	const at = performance.now(), routes = new Map();
	const s = { at, routes, in_flight: 0, memory: 0, restarts: 0 };
	const sums = new Map([["lh_serve_in_flight", "in_flight"],
		["lh_serve_memory_bytes", "memory"], ["lh_serve_restarts_total", "restarts"]]);

	for (const [name, labels, number] of read_metrics(text))
		if (sums.has(name))
			s[sums.get(name)] += number;
		else if (name === "lh_serve_requests_total")
			add_requests(route_in(s, labels), labels.get("code"), number);
		else if (name === "lh_serve_request_seconds_bucket")
			add_bucket(route_in(s, labels).buckets, edge_of(labels.get("le")), number);
	return s;
}

const edge_of = (le) => le === "+Inf" ? Infinity : Number(le);
const no_requests = () => ({ total: 0, refused: 0, failed: 0, buckets: new Map() });

function route_in(snapshot, labels) {
	const name = labels.get("route") ?? "";

	if (!snapshot.routes.has(name))
		snapshot.routes.set(name, no_requests());
	return snapshot.routes.get(name);
}

function add_requests(route, code, n) {
	route.total += n;
	if (/^4/.test(code))
		route.refused += n;
	if (/^5/.test(code))
		route.failed += n;
}

const add_bucket = (buckets, le, n) => buckets.set(le, (buckets.get(le) ?? 0) + n);

/* Return what was counted of a route between two snapshots; all, without an older one.  A
 * counter that went back belongs to a server that was started anew. */
function between(older, newer, name) {
	const now = newer.routes.get(name) ?? no_requests(), was = older?.routes.get(name);
	const base = was && was.total <= now.total ? was : no_requests();
	const buckets = [...now.buckets].map(([le, n]) => [le, n - (base.buckets.get(le) ?? 0)]);

	return {
		total: now.total - base.total, refused: now.refused - base.refused,
		failed: now.failed - base.failed, buckets: new Map(buckets),
	};
}

function add_up(parts) {
	const sum = no_requests();

	for (const part of parts) {
		sum.total += part.total;
		sum.refused += part.refused;
		sum.failed += part.failed;
		for (const [le, n] of part.buckets)
			add_bucket(sum.buckets, le, n);
	}
	return sum;
}

/* Return the latency in seconds that a share q of the requests did not exceed, null
 * without requests.  Those of a bucket count as evenly spread over it. */
function quantile(buckets, q) {
	const edges = [...buckets].sort((a, b) => a[0] - b[0]);
	const all = edges.at(-1)?.[1] ?? 0;
	let low = 0, below = 0;

	if (all <= 0)
		return null;
	for (const [le, n] of edges) {
		if (le === Infinity)
			break;
		if (n >= q * all && n > below)
			return low + (le - low) * (q * all - below) / (n - below);
		low = le;
		below = n;
	}
	return low;
}

/* ---- what is shown ---- */

function duration(seconds) {
	const ms = seconds * 1000;

	if (seconds === null)
		return "–";
	if (ms >= 1000)
		return `${seconds.toFixed(ms < 10000 ? 2 : 1)} s`;
	return `${ms.toFixed(ms < 1 ? 2 : ms < 10 ? 1 : 0)} ms`;
}

const size = (bytes) => bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB`
	: `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const rate = (n) => n >= 100 ? count(Math.round(n)) : n.toFixed(1);

/* Requests a second of some routes, between each snapshot and the next. */
function rates(names) {
	return snapshots.slice(1).map((newer, i) => {
		const parts = names.map((name) => between(snapshots[i], newer, name));

		return add_up(parts).total * 1000 / (newer.at - snapshots[i].at);
	});
}

function show_traffic() {
	const newest = snapshots.at(-1), oldest = snapshots.length > 1 ? snapshots[0] : null;
	const names = [...newest.routes.keys()].sort()
		.filter((name) => newest.routes.get(name).total > 0);
	const parts = names.map((name) => between(oldest, newest, name));

	show_sums(newest, add_up(parts), rates(names));
	$("traffic-table").tBodies[0].replaceChildren(...names.map((name, i) =>
		route_row(name, newest.routes.get(name).total, parts[i])));
}

function show_sums(newest, all, flow) {
	$("traffic-cards").replaceChildren(
		card("Requests a second", rate(flow.at(-1) ?? 0)),
		card("Latency p50", duration(quantile(all.buckets, .5))),
		card("Latency p95", duration(quantile(all.buckets, .95))),
		card("Refused (4xx)", `${count(all.refused)} of ${count(all.total)}`),
		card("Failed (5xx)", `${count(all.failed)} of ${count(all.total)}`),
		card("In flight", count(newest.in_flight)),
		card("Memory", size(newest.memory)),
		card("Filters restarted", count(newest.restarts)));
	$("traffic-cards").firstElementChild.append(
		curve(flow, { floor: 0, label: "Requests a second in the last minute" }));
}

function route_row(name, total, part) {
	const flow = rates([name]);
	const number = (text) => el("td", { class: "n" }, text);

	return el("tr", null, el("th", { scope: "row" }, name_of(name)),
		el("td", { class: "more" }, curve(flow, { floor: 0 })),
		number(rate(flow.at(-1) ?? 0)),
		number(duration(quantile(part.buckets, .5))),
		number(duration(quantile(part.buckets, .95))),
		number(part.refused ? tag(count(part.refused), "warn") : "0"),
		number(part.failed ? tag(count(part.failed), "bad") : "0"),
		el("td", { class: "n more" }, count(total)));
}

/* ---- when it is asked ---- */

const watching = () => !paused && !document.hidden && !$("traffic").hidden;

async function poll() {
	if (polling || !watching())
		return;
	clearTimeout(timer);
	polling = true;
	try {
		const answer = await request("GET", "metrics");

		if (answer.status !== 200)
			throw refusal_of(answer);
		snapshots = [...snapshots, take_snapshot(answer.text)].slice(-KEPT);
		show_traffic();
		say("traffic", "");
	} catch (e) {
		say_error("traffic", e);
		set_paused(paused || e.status === 401);
	}
	polling = false;
	timer = setTimeout(poll, POLL_MS);
}

function set_paused(now) {
	paused = now;
	$("traffic-pause").setAttribute("aria-pressed", String(now));
}

function toggle_pause() {
	set_paused(!paused);
	poll();
}
