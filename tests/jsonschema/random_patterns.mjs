// random_patterns.mjs COUNT SEED - random patterns and texts with the verdict of new RegExp(pattern,
// "u"): a line ["pattern","text"], a tab, and true, false or error.  What lh-validate(1) lists as
// different is left out.  Each place is tried by itself, since V8 also begins within a character
// of two surrogates.
const [count, start] = process.argv.slice(2).map(Number);
let state = start;

function below(n) {
	state = (Math.imul(state, 1103515245) + 12345) >>> 0;
	return Math.floor((state >>> 8) / 0x1000000 * n);
}
const one = list => list[below(list.length)];
const some = (most, make) => Array.from({ length: below(most) }, make).join("");
const words = text => text.split(" ");

const chars = [...words("a b c 1 é 😀 - a b c 1 é 😀 - A _ & $ ^ ] [ { } \\ / : = . ſ K İ ٣ Ω ж 漢 \u0000 \u0085 \u180e \u200b \ufeff"),
	" ", " ", "\u2028", "\n", "\r", "\t", "\v", "\u00a0"];
const escapes = words("\\d \\D \\w \\W \\s \\S \\n \\t \\v \\f \\r \\0 \\x61 \\u0062 \\u{63} \\uD83D\\uDE00 \\u{1f600} \\cJ \\$ \\. \\/ \\^ \\{ \\} \\[ \\] \\( \\| \\\\ \\uD800 \\u2028 \\xA0");
const members = [...words("a b c z A Z 0 9 - - ^ && -- [ [:alpha: 😀 é ж \\b \\- \\B \\1 \\k \\c \\00 \\e . ( ) | * $"), " ", ...escapes];
const properties = words("L Lu Letter gc=Ll General_Category=Nd digit punct LC Any ASCII Assigned Cn Cs Co Script=Greek sc=Cyrl scx=Grek Script_Extensions=Han Script=Common Alphabetic Alpha Emoji White_Space space AHex ID_Start IDC Lower Dash Greek L& Xan Xwd Foo lu gc=Alphabetic sc= L= any Zs Ideographic RI");
const odd = words("(?i) (?>a) (?i:a) \\A \\z \\G \\Qa\\E (*ACCEPT) (?(1)a|b) (?R) (?1) (?#c) (?|a) a++ a*+ [[:alpha:]] \\h \\R \\X \\N \\K \\C (?C) \\g1 \\o{1} \\x{41} \\x4 \\u12 \\u{110000} \\u{} \\u{12345 \\e \\a { } ] a{ a{,2} a{1 a{2,1} \\8 (?P<n>a) (?'n'a) (?<1>a) (?<a \\k<n> \\k (?<n>a)\\k<n> (?<n>a)(?<n>b) ^* $+ (?=a)* \\b+ ** a?? a{2}{3} ()* (?:)* \\é [z-a] [\\d-z] [a-\\d] [a-\\s] [] [^] [ ( ) | \\c1 (?<=a)* \\01");
const times = [..."*+?"].concat("", "", "", "", words("{2} {1,2} {0,} {0} *? +? ?? {1,3}? {0,1}"));

function set() {
	return `[${one(["", "", "^"])}${some(4, () => one(members) + (below(3) ? "" : "-" + one(members)))}]`;
}
function character() {
	return one([() => one("abc1_é😀 -&жΩ/:=".match(/./gu)), () => ".", () => one(escapes), set,
		() => `\\${one("pP")}{${one(properties)}}`])();
}
const fixed = () => some(3, () => character() + one(["", "", "{2}"]));

let names;
function atom(depth) {
	if (!depth || below(10) < 6)
		return character();
	return one([() => `(?:${alternatives(depth - 1)})`, () => `(${alternatives(depth - 1)})`,
		() => `(?<n${names++}>${alternatives(depth - 1)})`])();
}
function term(depth) {
	if (!below(60))
		return one(odd);
	if (below(5))
		return atom(depth) + one(times);
	return one([() => one(["^", "$", "\\b", "\\B"]), () => `(?${one("=!")}${alternatives(depth && depth - 1)})`,
		() => `(?<${one("=!")}${fixed()}|${fixed()})`])();
}
function alternatives(depth) {
	return Array.from({ length: one([1, 1, 1, 2, 3]) }, () => some(4, () => term(depth))).join("|");
}
// Groups that repeat keep a text here which ECMA-262 forgets: what is referred to does not repeat.
function referring() {
	const group = () => one(["(", "(?<m>"]) + some(3, () => character() + one(["", "*", "?"])) + ")" + one(["", "?"]);
	return group() + one(["", "|a", "b", "."]) + one(["\\1", "\\2", "\\k<m>", "\\1*"]) + one(["", "$", "b"]);
}

for (let i = 0; i < count; i++) {
	names = 0;
	let pattern = below(8) ? alternatives(2) : referring();
	if (!below(3))
		pattern = `^(?:${pattern})$`;
	const text = some(10, () => one(chars));
	let verdict = "error";
	try {
		const expression = new RegExp(pattern, "uy");
		const places = [0];
		for (const c of text)
			places.push(places.at(-1) + c.length);
		verdict = places.some(place => {
			expression.lastIndex = place;
			return expression.test(text);
		});
	} catch { }
	console.log(JSON.stringify([pattern, text]) + "\t" + verdict);
}
