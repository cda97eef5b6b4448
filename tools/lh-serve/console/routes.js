/* ---- any route: its form is made from /openapi.json ---- */

let routes = [];	/* { method, path, summary, off, parameters, schema } */
let inputs = [];	/* of the chosen route: { where, name, type, needed, id } */

async function load_routes() {
	try {
		routes = Object.entries(await read_paths()).flatMap(([path, methods]) =>
			Object.entries(object(methods)).map(([method, o]) =>
				route_of(method.toUpperCase(), path, object(o))))
			.filter((r) => r.schema !== null);
		$("routes-route").replaceChildren(...routes.map((r, i) => el("option", { value: i },
			visible(`${r.method} ${r.path}: ${as_text(r.summary)}`, 120))));
		show_fields();
		say("routes", "");
	} catch (e) {
		say_error("routes", e);
	}
}

/* schema is that of the body, undefined without one, null if it is not JSON or of files. */
function route_of(method, path, { summary, parameters, requestBody, "x-off": off }) {
	const content = object(object(requestBody).content);
	const schema = object(content["application/json"]).schema;

	return {
		method, path, summary, off, parameters: objects(parameters),
		schema: requestBody ? schema ?? null : undefined,
	};
}

/* ---- fields ---- */

function show_fields() {
	const route = routes[$("routes-route").value];

	inputs = [];
	$("routes-answer").replaceChildren();
	$("routes-form").querySelector(".actions").hidden = given(route?.off);
	$("routes-fields").replaceChildren(...given(route?.off)
		? [el("p", { class: "field full verdict warn" }, visible(route.off))] : [
		...list(route?.parameters).map((p) =>
			field(p.in, p.name, object(p.schema), p.required)),
		...body_fields(route?.schema, list(route?.parameters).map((p) => p.name))]);
}

/* The members of a body, each under its first name; those in the path are not sent twice. */
function body_fields(schema, in_path) {
	const members = Object.entries(object(object(schema).properties)).filter(([name, of]) =>
		!in_path.includes(name) && !/^Another name of /.test(object(of).description));
	const required = list(object(schema).required);

	if (schema && !members.length)
		return [field("body", "Body", { type: "object" }, true)];
	return members.map(([name, of]) => field("member", name, object(of),
		required.includes(name)));
}

/* The kind of a field: what its schema allows, besides null, if that is one type. */
function type_of(schema) {
	const types = [schema.type].flat().filter((t) => given(t) && t !== "null");
	const items = object(schema.items).type;

	if (Array.isArray(schema.enum))
		return "choice";
	if (types[0] === "array" && types.length === 1)
		return items === "string" ? "strings" : "json";
	if (types.length === 1)
		return types[0] === "object" ? "json" : types[0];
	return types.includes("string") || !types.length ? "text" : "json";
}

function field(where, name, schema, needed_) {
	const apart = where === "path" || where === "query", about = schema.description;
	const type = apart && !Array.isArray(schema.enum) ? "string" : type_of(schema);
	const id = `routes-field-${inputs.length}`, help = about && `${id}-help`;
	const large = type === "json" || type === "strings";

	inputs.push({ where, name, type, needed: needed_, id });
	return el("div", { class: large ? "field full" : "field" },
		el("label", { for: id }, data(name, 60), hint_of(type, needed_)),
		control(type, schema, {
			id, required: Boolean(needed_), spellcheck: "false", "aria-describedby": help,
		}),
		about ? el("p", { class: "help", id: help }, data(about)) : null);
}

const hint_of = (type, needed_) => [{ json: " (JSON)", strings: " (one a line)" }[type],
	needed_ ? null : ", optional"];

function control(type, schema, attributes) {
	const fallback = given(schema.default) ? visible(schema.default, 40) : null;
	const choices = type === "boolean" ? ["true", "false"] : list(schema.enum).filter(given);

	if (type === "boolean" || type === "choice")
		return el("select", attributes, el("option", { value: "" }, fallback ?? ""),
			choices.map((c) => el("option", null, visible(c, 60))));
	if (type === "json" || type === "strings")
		return el("textarea", { ...attributes, class: "code", rows: 3 });
	return el("input", { ...attributes, placeholder: fallback });
}

/* ---- what is sent ---- */

/* Return the JSON of a field, as it was written; undefined if it is empty. */
function json_of(input) {
	const text = value_of(input.id), value = parse(text);

	judge($(input.id), input.needed && text === "" && "nothing given");
	if (text === "")
		return undefined;
	if (input.type === "json")
		return json_in(input.id);
	if (input.type === "strings")
		return JSON.stringify(text.split("\n").map((t) => t.trim()).filter(Boolean));
	if (input.type === "integer" || input.type === "number")
		judge($(input.id), !/^-?\d/.test(text) || value === undefined ? "not a number" : "");
	else if (input.type !== "boolean" && !(input.type === "text" && typeof value === "object"))
		return JSON.stringify(text);
	return text;
}

/* Put a value in place of {name}; a key of the store keeps its slashes. */
function put_in_path(path, { id, name }) {
	const value = needed(id), coded = encodeURIComponent(value);

	judge($(id), /^\.\.?$/.test(value) && "not a name");
	return path.replace(`{${name}}`, () =>
		name === "key" ? coded.replaceAll("%2F", "/") : coded);
}

async function ask_route(signal) {
	const { method, path, schema } = routes[$("routes-route").value] ?? {};
	const of = (where) => inputs.filter((input) => input.where === where);
	const search = new URLSearchParams(of("query").filter((q) => value_of(q.id))
		.map((q) => [q.name, value_of(q.id)]));
	const members = of("member").map((m) => [m.name, json_of(m)])
		.filter(([, text]) => text !== undefined)
		.map(([name, text]) => `${JSON.stringify(name)}:${text}`);
	const body = of("body").map(json_of)[0] ?? `{${members.join(",")}}`;

	if (!method)
		throw new Error("Route: none chosen");
	const to = of("path").reduce(put_in_path, path.slice(1)) + (search.size ? `?${search}` : "");

	return await request(method, to, { body: schema ? body : undefined, signal, own: true });
}

function show_answer({ status, text, body }) {
	const shown = body === undefined ? text : JSON.stringify(body, null, 2);

	$("routes-answer").replaceChildren(shown ? block(shown, 100000) : "");
	say("routes", `${status}, ${plural(text.length, "character")}.`, status >= 400);
}
