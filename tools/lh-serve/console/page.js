/* page.js - text, elements, messages and tabs.
 *
 * The files of this folder are served as one, /console.js, in the order that the
 * Makefile gives.  What comes from a server is only ever put into text nodes, and
 * characters that hide or move text are shown as escapes.  Tokens are kept in
 * variables and in their fields, never in storage or in an address. */
"use strict";

const $ = (id) => document.getElementById(id);

/* ---- text ---- */

/* Controls, direction marks, zero widths, fillers, tags, lone surrogates. */
const HIDDEN = new RegExp([
	"[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5",
	"\\u180b-\\u180f\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff",
	"\\uffa0\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}]|\\p{Cs}",
].join(""), "gu");
/* More marks on one letter than any language writes. */
const PILE = /(\p{M}{8})\p{M}+/gu;

const escape_hidden = (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0");

/* Whether a member has a value: JSON's null counts as absent. */
const given = (value) => value !== undefined && value !== null;
const list = (value) => Array.isArray(value) ? value : [];
const object = (value) => typeof value === "object" && given(value) && !Array.isArray(value)
	? value : {};
const objects = (value) => list(value).map(object);

function as_text(value) {
	if (value === undefined)
		return "";
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/* Return value as text: of a vector its length, of another list of scalars these. */
function in_words(value) {
	if (list(value).length > 16 && value.every(Number.isFinite))
		return plural(value.length, "number");
	return list(value).length && value.every((v) => typeof v !== "object")
		? value.join(", ") : as_text(value);
}

/* Return value as text that can be shown: at most max characters, nothing hidden. */
function visible(value, max = 300) {
	const text = as_text(value), long = text.length > max;
	const cut = long ? text.slice(0, max).replace(/[\ud800-\udbff]$/, "") : text;
	const shown = cut.replace(HIDDEN, escape_hidden).replace(PILE, "$1…");

	return long ? `${shown}… (${count(text.length)} characters)` : shown;
}

const count = (n) => typeof n === "number" ? n.toLocaleString("en-US") : visible(n, 24);
const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
const clock = (time) =>
	visible(time, 40).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*Z$/, "$1 $2");

/* ---- elements ---- */

/* Make an element.  Attributes: true is an empty one, false and null are none, a
 * function is a listener.  Children: arrays at any depth; strings become text. */
function el(name, attributes, ...children) {
	return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", name);

	return fill(node, attributes, children);
}

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {}))
		if (typeof value === "function")
			node.addEventListener(name, value);
		else if (given(value) && value !== false)
			node.setAttribute(name, value === true ? "" : value);
	node.append(...children.flat(Infinity).filter(given));
	return node;
}

/* Text from outside, isolated so that its direction of writing ends with it. */
const data = (value, max, attributes) => el("bdi", attributes, visible(value, max));
const id_of = (value) => data(value, 60, { class: "id" });
/* A name that may be broken after _ and /. */
const name_of = (value, attributes) => el("bdi", attributes,
	visible(value, 120).split(/(?<=[_/])/).map((part) => [part, el("wbr")]));
const dim = (...children) => el("span", { class: "dim small-text" }, children);
const tag = (value, kind = "") => el("span", { class: `tag ${kind}` }, visible(value, 40));
const behind = (title, ...children) =>
	el("details", null, el("summary", { class: "small-text" }, title), children);
const block = (value, max) => el("pre", { tabindex: "0" }, data(value, max));

/* A list of terms; pairs without a value are left out. */
function terms(pairs) {
	const full = pairs.filter(([, value]) => given(value) && value !== "");

	return el("dl", null, full.map(([term, value]) =>
		[el("dt", null, data(term, 60)), el("dd", null, data(in_words(value), 2000))]));
}

/* Make a table; a head that begins with # is of numbers.  On a narrow screen a table
 * without numbers is shown as a list of cells, each after its head; the roles keep it
 * a table for those who do not see it. */
function table(name, heads, rows) {
	const kind = heads.map((h) => h.startsWith("#") ? "n" : null);
	const text = heads.map((h) => h.replace("#", ""));
	const head = (h, i) =>
		el("th", { scope: "col", role: "columnheader", class: kind[i] }, h);
	const cell = (c, i) =>
		el("td", { role: "cell", class: kind[i], "data-head": text[i] }, c);
	const row = (r) => el("tr", { role: "row" }, r.map(cell));

	return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
		el("table", { role: "table", class: kind.includes("n") ? null : "stack" },
			el("thead", { role: "rowgroup" },
				el("tr", { role: "row" }, text.map(head))),
			el("tbody", { role: "rowgroup" }, rows.map(row))));
}

/* The first rows as show makes them, at most so many, and more on request. */
function rows_of(rows, show, most = 200) {
	const click = () => section.replaceWith(rows_of(rows, show, most * 10));
	const section = el("section", null, show(rows.slice(0, most)),
		most < rows.length ? el("button", { type: "button", click },
			`Show more: ${count(most)} of ${count(rows.length)} are shown`) : null);

	return section;
}

/* Draw numbers as a line, from the left to the right edge.  Of the options, band is a
 * lowest and a highest value to be shown as an area, floor a value that has to be in
 * the picture, label what it shows. */
function curve(values, { band, floor, label } = {}) {
	const all = [values, band, floor].flat().filter(Number.isFinite);
	const low = Math.min(...all), high = Math.max(...all), W = 300, H = 60;
	const x = (i) => values.length > 1 ? i * W / (values.length - 1) : W;
	const level = floor === undefined ? H / 2 : H - 3;	/* of equal numbers */
	const y = (v) => high > low ? 3 + (H - 6) * (high - v) / (high - low) : level;
	const points = values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`);
	const edges = band?.map(y).sort((a, b) => a - b);

	if (points.length === 1)
		points.unshift(`0,${y(values[0]).toFixed(1)}`);
	return svg("svg", {
		viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none",
		role: label && "img", "aria-label": label, "aria-hidden": label ? null : "true",
	},
	edges && svg("rect", {
		class: "band", x: 0, width: W, y: edges[0], height: edges[1] - edges[0],
	}),
	svg("line", { class: "floor", x1: 0, x2: W, y1: H - .5, y2: H - .5 }),
	svg("polyline", { class: "curve", points: points.join(" ") }));
}

const card = (title, value, ...rest) => el("div", { class: "card" }, el("h3", null, title),
	el("div", { class: "value" }, el("b", null, value), rest));

/* ---- messages ---- */

function say(panel, text, bad = false) {
	const p = $(`${panel}-status`);

	p.classList.toggle("bad", bad);
	p.setAttribute("role", bad ? "alert" : "status");
	if (p.textContent !== text)
		p.textContent = text;
}

function say_error(panel, e) {
	say(panel, visible(e.message, 2000), true);
}

/* ---- tabs ---- */

const tabs = [...document.querySelectorAll("[role=tab]")];
const on_open = {};	/* what a panel does when it is shown */

const panel_of = (tab) => tab.getAttribute("aria-controls");
const tab_of = (panel) => tabs.find((t) => panel_of(t) === panel);

function open_tab(tab) {
	for (const t of tabs) {
		t.setAttribute("aria-selected", String(t === tab));
		t.tabIndex = t === tab ? 0 : -1;
		$(panel_of(t)).hidden = t !== tab;
	}
	history.replaceState(null, "", `#${panel_of(tab)}`);
	on_open[panel_of(tab)]?.();
}

function tab_key(event) {
	const at = tabs.indexOf(event.target), n = tabs.length;
	const next = { ArrowRight: at + 1, ArrowLeft: at + n - 1, Home: 0, End: n - 1 }[event.key];

	if (next === undefined)
		return;
	event.preventDefault();
	open_tab(tabs[next % n]);
	tabs[next % n].focus();
}

function follow_hash() {
	const tab = tab_of(location.hash.slice(1));

	if (tab)
		open_tab(tab);
}
