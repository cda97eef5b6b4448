/* ---- the last sessions ---- */

const verdicts = new Map([
	["accepted", "good"], ["max_iter_exhausted", "warn"], ["infra_error", "bad"],
]);

const load_sessions = (signal) =>
	take("GET", `console/sessions?limit=${value_of("sessions-limit")}`, { signal });

function show_sessions(answer) {
	const sessions = objects(answer.sessions);
	const good = sessions.filter((s) => s.final_verdict === "accepted");

	$("sessions-list").replaceChildren(...sessions.reverse().map(session));
	say("sessions", sessions.length
		? `${plural(sessions.length, "session")}, ${count(good.length)} accepted; newest first.`
		: "No sessions are in the log yet; lh-iterate writes them.");
}

function session(s) {
	const ms = `${count(s.duration_ms)} ms`;
	const turns = `${visible(s.iterations, 6)}/${visible(s.max_iterations, 6)}`;

	return el("details", { class: "session" },
		el("summary", null,
			el("span", null, clock(s.timestamp)),
			el("span", null, tag(s.final_verdict, verdicts.get(s.final_verdict))),
			data(s.kind, 30, { class: "kind" }),
			data(s.prompt, 160, { class: "prompt" }),
			el("span", { class: "num" }, turns),
			el("span", { class: "num time" }, ms)),
		el("div", { class: "body" },
			terms([["session", s.session_id], ["model", s.model],
				["provider", s.provider], ["written by", s.daemon],
				["in the roster", s.grounded_in_roster], ["duration", ms]]),
			el("h3", null, "Prompt"), block(s.prompt, 5000),
			el("h3", null, "Turns"), turn_table(objects(s.attempts)),
			given(s.artifact) ? [el("h3", null, "Artifact"),
				block(JSON.stringify(s.artifact, null, 2), 20000)] : null));
}

function turn_table(attempts) {
	return table("Turns", ["turn", "verdict", "error"], attempts.map((a) => [
		visible(a.iteration, 6), tag(a.verdict_kind, verdicts.get(a.verdict_kind)),
		given(a.error) ? data(a.error, 2000) : null,
	]));
}
