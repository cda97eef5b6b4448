// langfuse.js FILE... - hold payloads against the types of Langfuse's own client: each is written
// as a literal of its type, so that a member that the type does not have is an error too.
const fs = require("fs");
const path = require("path");
const ts = require("typescript");

const text = ['import type { IngestionEvent, IngestionRequest } from "@langfuse/core";'];
process.argv.slice(2).forEach((file, i) => {
	text.push(`export const all${i}: IngestionRequest = ${fs.readFileSync(file, "utf8")};`);
	JSON.parse(fs.readFileSync(file, "utf8")).batch.forEach((e, j) => {
		const type = e.type.split("-").map((w) => w[0].toUpperCase() + w.slice(1)).join("");
		text.push(`export const event${i}_${j}: IngestionEvent.${type} = ${JSON.stringify(e)};`);
	});
});
const name = path.join(__dirname, `payloads.${process.pid}.ts`);
fs.writeFileSync(name, text.join("\n"));
const program = ts.createProgram([name], {
	strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022,
	module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler });
const found = ts.getPreEmitDiagnostics(program).filter((d) => !d.file || d.file.fileName === name);
fs.unlinkSync(name);
found.slice(0, 5).forEach((d) => console.log(ts.flattenDiagnosticMessageText(d.messageText, "\n")));
console.log(`${text.length - 1} values, ${found.length} errors`);
process.exit(found.length ? 1 : 0);
