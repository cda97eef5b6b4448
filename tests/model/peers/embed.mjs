// embed.mjs MODEL... <TEXTS - the vectors of texts by llama.cpp on one thread, for each model in
// turn: a line is a JSON array of token ids ([CLS] and [SEP] included) or a JSON string; a line
// of output is the vector, not scaled to unit length.  The packages of package.json are looked up
// in the folder $PEERS.
//
// embed.mjs --time ROUNDS MODEL <TEXTS - instead: tokens a second of processor time in the
// fastest round, and the same seconds from loading the file to the vector of the first text.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const found = createRequire(`${process.env.PEERS}/package.json`).resolve("node-llama-cpp");
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(found));
const models = process.argv.slice(2);
const rounds = models[0] === "--time" ? Number(models.splice(0, 2)[1]) : 0;
const texts = readFileSync(0, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });

// The package adds [CLS] and [SEP], and of Unigram only </s>.
function tokens(model, text) {
	const list = [...model.tokenize(text)];
	if (model.tokens.shouldPrependBosToken && list[0] !== model.tokens.bos)
		list.unshift(model.tokens.bos);
	return list;
}

async function load(modelPath) {
	const model = await llama.loadModel({ modelPath });
	const lists = texts.map((t) => typeof t === "string" ? tokens(model, t) : t);
	const size = Math.max(...lists.map((list) => list.length)) + 3;
	const context = await model.createEmbeddingContext({
		contextSize: size, batchSize: size, threads: 1,
	});
	return { model, lists, context };
}

function seconds() {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}

async function time(modelPath) {
	const from = seconds();
	const { lists, context } = await load(modelPath);
	await context.getEmbeddingFor(lists[0]);
	const first = seconds() - from;
	let best = Infinity;
	for (let round = 0; round < rounds; round++) {
		const start = seconds();
		for (const list of lists)
			await context.getEmbeddingFor(list);
		best = Math.min(best, seconds() - start);
	}
	const tokens = lists.reduce((n, list) => n + list.length, 0);
	console.log(`${(tokens / best).toFixed(1)} ${first.toFixed(4)}`);
}

async function print(modelPath) {
	const { model, lists, context } = await load(modelPath);
	let out = "";
	for (const list of lists)
		out += `${JSON.stringify((await context.getEmbeddingFor(list)).vector)}\n`;
	process.stdout.write(out);
	await model.dispose();
}

for (const path of models)
	await (rounds ? time(path) : print(path));
await llama.dispose();
