// rank.mjs MODEL <LISTS - the scores of pairs by llama.cpp on one thread: a JSON array of the
// token ids of a whole pair a line; a line of output is the logit.  The packages of package.json
// are looked up in the folder $PEERS.
//
// rank.mjs --time ROUNDS MODEL <LISTS - instead: seconds of processor time of the fastest round.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const found = createRequire(`${process.env.PEERS}/package.json`).resolve("node-llama-cpp");
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(found));
const args = process.argv.slice(2);
const rounds = args[0] === "--time" ? Number(args.splice(0, 2)[1]) : 0;
const lists = readFileSync(0, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: args[0] });
const size = Math.max(...lists.map((list) => list.length)) + 3;
const context = await model.createRankingContext({
	contextSize: size, batchSize: size, threads: 1,
});

// The package knows texts alone, and maps the logit: its inner function takes tokens.
async function score(list) {
	const p = await context._evaluateRankingForInput(list);
	return Math.log(p / (1 - p));
}

function seconds() {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}

if (rounds) {
	let best = Infinity;
	for (let round = 0; round < rounds; round++) {
		const start = seconds();
		for (const list of lists)
			await score(list);
		best = Math.min(best, seconds() - start);
	}
	console.log(best.toFixed(4));
} else {
	for (const list of lists)
		console.log(String(await score(list)));
}
await llama.dispose();
