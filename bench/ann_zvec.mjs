// ann_zvec - zvec with its own prebuilt binary: the fourth peer.
//
//     node ann_zvec.mjs MODULES build DATA DIM M EFC THREADS INDEX f32|i8|rabitq
//     node ann_zvec.mjs MODULES query INDEX QUERIES DIM K TRUTH f32|i8|rabitq EF...
//
// The arguments and the output are those of ann_usearch.mjs; INDEX is a folder.  A call asks
// one query and returns documents, here without fields.
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { read, sayBuild, sayQueries } from "./ann_data.mjs";

const [folder, command, ...args] = process.argv.slice(2);
const z = createRequire(`${folder}/`)("@zvec/zvec");

const typeOf = kind => kind === "rabitq" ? z.ZVecIndexType.HNSW_RABITQ : z.ZVecIndexType.HNSW;

function build(data, dim, m, efc, threads, path, kind) {
	const rows = read(data, Float32Array), n = rows.length / dim;
	const indexParams = { indexType: typeOf(kind), metricType: z.ZVecMetricType.IP, m: +m, efConstruction: +efc,
		...kind === "i8" && { quantizeType: z.ZVecQuantizeType.INT8 } };
	rmSync(path, { recursive: true, force: true });
	const index = z.ZVecCreateAndOpen(path, new z.ZVecCollectionSchema({ name: "rows",
		vectors: { name: "v", dataType: z.ZVecDataType.VECTOR_FP32, dimension: +dim, indexParams } }));
	sayBuild(n, () => {
		for (let i = 0; i < n; i += 1000)
			index.insertSync(Array.from({ length: Math.min(1000, n - i) }, (_, j) =>
				({ id: String(i + j), vectors: { v: rows.subarray((i + j) * dim, (i + j + 1) * dim) } })));
		index.optimizeSync({ concurrency: +threads });
	});
	index.closeSync();
}

function query(path, queries, dim, k, truth, kind, ...efs) {
	const vectors = read(queries, Float32Array), n = vectors.length / dim;
	const index = z.ZVecOpen(path, { readOnly: true });
	const search = ef => {
		const found = new Uint32Array(n * k).fill(0xffffffff);
		for (let i = 0; i < n; i++)
			index.querySync({ fieldName: "v", topk: +k, vector: vectors.subarray(i * dim, (i + 1) * dim), outputFields: [],
				params: { indexType: typeOf(kind), ef: +ef } }).forEach((hit, j) => found[i * k + j] = +hit.id);
		return found;
	};
	search(efs[0]);
	for (const ef of efs)
		sayQueries(ef, +k, truth, () => search(ef));
	index.closeSync();
}

z.ZVecInitialize({ queryThreads: 1 });
({ build, query })[command](...args);
