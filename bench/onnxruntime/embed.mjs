// embed.mjs ROUNDS MODEL <LISTS - the vectors of lists of token ids by onnxruntime on one thread, a
// list a call: tokens a second of processor time in the fastest round, and after that the vectors,
// a JSON array a line.  The packages of package.json are looked up in the folder $ORT.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const ort = createRequire(`${process.env.ORT}/package.json`);
const { InferenceSession, Tensor } = ort("onnxruntime-node");
const lists = readFileSync(0, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const session = await InferenceSession.create(process.argv[3], {
	intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: "all",
});

function int64(values) {
	return new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
}

async function embed(list) {
	const { vector } = await session.run({ ids: int64(list), positions: int64([...list.keys()]) });
	return vector.data;
}

function seconds() {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}

let best = Infinity;
for (let round = 0; round < Number(process.argv[2]); round++) {
	const start = seconds();
	for (const list of lists)
		await embed(list);
	best = Math.min(best, seconds() - start);
}
console.log((lists.reduce((n, list) => n + list.length, 0) / best).toFixed(1));
for (const list of lists)
	console.log(JSON.stringify([...await embed(list)]));
