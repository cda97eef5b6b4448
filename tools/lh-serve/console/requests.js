/* ---- requests, the token, forms ---- */

let token = null;	/* the bearer token, when it was asked for */
let refused = false;	/* whether a request of this page was ever answered with 401 */
let asking = null;	/* the promise of the dialog while it is open */

class Refusal extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

const is_token = (text) => /^[!-~]+$/.test(text);

/* Ask for the token; all requests that were refused meanwhile wait for one answer. */
function ask_token(why) {
	asking ??= new Promise((resolve, reject) => {
		const dialog = $("ask"), field = $("ask-token");

		$("ask-why").textContent = why;
		dialog.onclose = () => {
			const value = field.value;

			field.value = "";
			asking = null;
			if (dialog.returnValue === "use")
				resolve(hold_token(value));
			else
				reject(new Refusal(401, "401: no token was given"));
		};
		dialog.returnValue = "";
		dialog.showModal();
		field.focus();
	});
	return asking;
}

function submit_token(event) {
	const good = is_token($("ask-token").value);

	event.preventDefault();
	$("ask-token").setAttribute("aria-invalid", String(!good));
	if (good)
		$("ask").close("use");
	else
		$("ask-why").textContent = "A token is visible ASCII, without blanks.";
}

function hold_token(value) {
	token = value;
	$("forget").hidden = !token && !$("subject-token").value;
}

function forget_tokens() {
	$("subject-token").value = "";
	hold_token(null);
	$("main").focus();
}

/* Whole numbers that a double would change stay the text that they are. */
function keep_number(key, value, context) {
	const whole = typeof value === "number" && /^-?\d{16,}$/.test(context?.source);

	return whole && !Number.isSafeInteger(value) ? context.source : value;
}

/* Return the value of JSON; undefined if it is not JSON. */
function parse(text) {
	try {
		return JSON.parse(text, keep_number);
	} catch {
		return undefined;
	}
}

/* Send one request.  Addresses are relative, so that the page works below a prefix. */
async function send(method, path, { body, headers, signal }) {
	const all = { ...headers };

	if (token)
		all.Authorization = `Bearer ${token}`;
	if (body !== undefined)
		all["Content-Type"] = "application/json";
	try {
		const answer = await fetch(path,
			{ method, headers: all, body, signal, cache: "no-store" });

		return { status: answer.status, text: await answer.text() };
	} catch {
		throw new Refusal(0, "the server cannot be reached");
	}
}

/* Send a request, and return { status, text, body } with any status.  After a 401 the
 * token is asked for; not if the request has a token of its own (option own), which
 * may be the wrong one, unless the other token is known to be missing. */
async function request(method, path, options = {}) {
	for (;;) {
		const sent = token;
		const answer = await send(method, path, options);

		if (answer.status !== 401 || options.own && !(refused && !token))
			return { ...answer, body: parse(answer.text) };
		refused = true;
		if (token === sent)
			await ask_token(sent ? "The server refused this token."
				: "The server asks for a token.");
	}
}

/* The same for an object and a good status; others are thrown. */
async function take(method, path, options) {
	const answer = await request(method, path, options);

	if (answer.status >= 400)
		throw refusal_of(answer);
	if (answer.body === undefined)
		throw new Refusal(answer.status, "the answer is not JSON");
	return object(answer.body);
}

function refusal_of({ status, body }) {
	const { error } = object(body);
	const reason = given(error) ? as_text(error) : "no reason given";

	return new Refusal(status, `${status}: ${reason}`);
}

const post = (path, record, signal) =>
	take("POST", path, { body: JSON.stringify(record), signal });

/* ---- forms ---- */

let paths = null;	/* of /openapi.json, once it was read */

const read_paths = async () => paths ??= object((await take("GET", "openapi.json")).paths);

/* In place of the form of a route that is off, say how to turn it on. */
async function show_form(panel, method, path) {
	try {
		const off = object(object((await read_paths())[path])[method])["x-off"];

		$(`${panel}-form`).hidden = given(off);
		$(`${panel}-status`).classList.toggle("off", given(off));
		if (given(off))
			say(panel, `${off[0].toUpperCase()}${visible(off.slice(1))}; see lh-serve(1).`);
	} catch (e) {
		say_error(panel, e);
	}
}

/* When the panel's form is submitted, await what ask returns, and give it to show, both
 * with the value of the button.  A newer submission ends an older one. */
function on_submit(panel, ask, show) {
	let current = null;

	$(`${panel}-form`).addEventListener("submit", async (event) => {
		const mine = new AbortController(), button = event.submitter?.value;

		event.preventDefault();
		current?.abort();
		current = mine;
		say(panel, "Asking …");
		try {
			const answer = await ask(mine.signal, button);

			if (mine === current)
				show(answer, button);
		} catch (e) {
			if (mine === current)
				say_error(panel, e);
		}
	});
}

const submit = (panel) => $(`${panel}-form`).requestSubmit();
const value_of = (id) => $(id).value.trim();

/* Mark a field as good, or as bad and throw the reason. */
function judge(field, reason) {
	field.setAttribute("aria-invalid", String(Boolean(reason)));
	if (!reason)
		return;
	field.closest("details")?.setAttribute("open", "");
	field.focus();
	throw new Error(`${field.labels[0].textContent}: ${reason}`);
}

/* Return the value of a field that must not be empty. */
function needed(id) {
	judge($(id), !value_of(id) && "nothing given");
	return value_of(id);
}

function number_in(id, low, high, whole) {
	const n = Number(needed(id));
	const good = n >= low && n <= high && (!whole || Number.isInteger(n));

	judge($(id), !good && `not a ${whole ? "whole " : ""}number from ${low} to ${high}`);
	return n;
}
