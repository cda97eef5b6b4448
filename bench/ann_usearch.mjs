// ann_usearch - usearch with its own prebuilt binary: the third peer.
//
//     node ann_usearch.mjs MODULES build DATA DIM M EFC THREADS INDEX f32|f16|i8
//     node ann_usearch.mjs MODULES query INDEX QUERIES DIM K TRUTH f32|f16|i8 EF...
//
// MODULES is the folder in which npm installed it.  Inner product over unit vectors; the
// output is that of ann_hnswlib.cc.  All queries of a round are one call on one thread.
import { createRequire } from "node:module";
import { read, sayBuild, sayQueries } from "./ann_data.mjs";

const [folder, command, ...args] = process.argv.slice(2);
const { Index } = createRequire(`${folder}/`)("usearch");

const make = (dimensions, quantization, connectivity, expansion_add, expansion_search) =>
	new Index({ dimensions: +dimensions, metric: "ip", quantization, connectivity: +connectivity,
		expansion_add: +expansion_add, expansion_search: +expansion_search, multi: false });

function build(data, dim, m, efc, threads, path, quantization) {
	const rows = read(data, Float32Array), n = rows.length / dim;
	const index = make(dim, quantization, m, efc, 64);
	sayBuild(n, () => index.add(BigUint64Array.from({ length: n }, (_, i) => BigInt(i)), rows, +threads));
	index.save(path);
}

function query(path, queries, dim, k, truth, quantization, ...efs) {
	const vectors = read(queries, Float32Array);
	for (const ef of efs) {
		const index = make(dim, quantization, 16, 200, ef);
		const search = () => index.search(vectors, +k, 1).keys;
		index.load(path);
		search();
		sayQueries(ef, +k, truth, search);
	}
}

({ build, query })[command](...args);
