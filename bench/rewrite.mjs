// Rewrite files of JSON Lines as JavaScript writes them, which forgets how
// numbers and escapes were written.
import { readFileSync, writeFileSync } from "node:fs";

for (const name of process.argv.slice(2)) {
	const rows = readFileSync(name, "utf8").split("\n").filter((line) => line !== "");
	writeFileSync(name, rows.map((line) => JSON.stringify(JSON.parse(line)) + "\n").join(""));
}
