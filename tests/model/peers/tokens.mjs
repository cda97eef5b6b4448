// tokens.mjs MODEL <TEXTS - the tokens of texts by llama.cpp: a JSON string a line, a JSON array
// of token ids a line, without the special tokens at both ends.  The packages of package.json
// are looked up in the folder $PEERS.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const found = createRequire(`${process.env.PEERS}/package.json`).resolve("node-llama-cpp");
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(found));
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.disabled });
const model = await llama.loadModel({ modelPath: process.argv[2], vocabOnly: true });
let out = "";
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
	out += `${JSON.stringify(model.tokenize(JSON.parse(line)))}\n`;
	if (out.length > 1 << 20) {
		process.stdout.write(out);
		out = "";
	}
}
process.stdout.write(out);
await model.dispose();
await llama.dispose();
