// ann_usearch - usearch with its own prebuilt binary: the third peer.
//
//     node ann_usearch.mjs MODULES build DATA DIM M EFC THREADS INDEX f32|f16|i8
//     node ann_usearch.mjs MODULES query INDEX QUERIES DIM K TRUTH f32|f16|i8 EF...
//
// MODULES is the folder in which npm installed it.  Inner product over unit vectors; the
// output is that of ann_hnswlib.cc.  All queries of a round are one call on one thread.
import { openSync, readSync, statSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, command, ...args] = process.argv.slice(2);
const { Index } = createRequire(`${folder}/`)("usearch");

// Read raw values in parts, since one read is limited to 2 GiB.
function read(path, Type) {
	const bytes = new Uint8Array(statSync(path).size), file = openSync(path);
	for (let at = 0, n = 1; n > 0; at += n)
		n = readSync(file, bytes, at, Math.min(bytes.length - at, 1 << 30), null);
	return new Type(bytes.buffer);
}

const make = (dimensions, quantization, connectivity, expansion_add, expansion_search) =>
	new Index({ dimensions: +dimensions, metric: "ip", quantization, connectivity: +connectivity,
		expansion_add: +expansion_add, expansion_search: +expansion_search, multi: false });

function timed(work) {
	const wall = performance.now(), cpu = process.cpuUsage(), result = work();
	const used = process.cpuUsage(cpu);
	return { result, wall: (performance.now() - wall) / 1e3, cpu: (used.user + used.system) / 1e6 };
}

function build(data, dim, m, efc, threads, path, quantization) {
	const rows = read(data, Float32Array), n = rows.length / dim;
	const index = make(dim, quantization, m, efc, 64);
	const keys = BigUint64Array.from({ length: n }, (_, i) => BigInt(i));
	const t = timed(() => index.add(keys, rows, +threads));
	const peak = Math.floor(process.resourceUsage().maxRSS / 1024);
	console.log(`${(n / t.wall).toFixed(1)} rows/s, ${(n / t.cpu).toFixed(1)} a second of processor time, peak ${peak} MiB`);
	index.save(path);
}

function recall(truth, keys, k) {
	let same = 0;
	for (let i = 0; i < truth.length; i++) {
		const from = Math.floor(i / k) * k;
		same += keys.subarray(from, from + k).includes(BigInt(truth[i]));
	}
	return same / truth.length;
}

function query(path, queries, dim, k, truth, quantization, ...efs) {
	const vectors = read(queries, Float32Array), n = vectors.length / dim, want = read(truth, Uint32Array);
	for (const ef of [efs[0], ...efs].entries()) {
		const index = make(dim, quantization, 16, 200, ef[1]);
		index.load(path);
		const t = timed(() => index.search(vectors, +k, 1));
		if (ef[0] > 0)
			console.log(`${(n / t.wall).toFixed(1)} queries/s, ${(n / t.cpu).toFixed(1)} a second of processor time, ef ${ef[1]}, recall ${recall(want, t.result.keys, +k).toFixed(4)}`);
	}
}

({ build, query })[command](...args);
