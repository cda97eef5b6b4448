// transformers.mjs TOKENIZER <TEXTS - the tokens of texts by transformers, without the special
// tokens at both ends: a JSON string a line, a JSON array of token ids a line.  TOKENIZER is a
// tokenizer.json.  The packages of package.json are looked up in the folder $PEERS.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const peers = createRequire(`${process.env.PEERS}/package.json`);
const { BertTokenizer, XLMRobertaTokenizer, env } =
	await import(pathToFileURL(peers.resolve("@huggingface/transformers").replace(/cjs$/, "mjs")));
env.allowRemoteModels = false;
const description = JSON.parse(readFileSync(process.argv[2], "utf8"));
const kind = description.model.type === "Unigram" ? XLMRobertaTokenizer : BertTokenizer;
const tokenizer = new kind(description, {});
let out = "";
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
	const ids = tokenizer.encode(JSON.parse(line), { add_special_tokens: false });
	out += `${JSON.stringify(ids)}\n`;
	if (out.length > 1 << 20) {
		process.stdout.write(out);
		out = "";
	}
}
process.stdout.write(out);
