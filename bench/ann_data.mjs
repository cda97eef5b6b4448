// ann_data - what the peers from npm share: raw vectors, time, recall, and how they are said.
import { openSync, readSync, statSync } from "node:fs";

// Read raw values in parts, since one read is limited to 2 GiB.
export function read(path, Type) {
	const bytes = new Uint8Array(statSync(path).size), file = openSync(path);
	for (let at = 0, n = 1; n > 0; at += n)
		n = readSync(file, bytes, at, Math.min(bytes.length - at, 1 << 30), null);
	return new Type(bytes.buffer);
}

function timed(work) {
	const wall = performance.now(), cpu = process.cpuUsage(), result = work();
	const used = process.cpuUsage(cpu);
	return { result, wall: (performance.now() - wall) / 1e3, cpu: (used.user + used.system) / 1e6 };
}

export function sayBuild(rows, work) {
	const t = timed(work), peak = Math.floor(process.resourceUsage().maxRSS / 1024);
	console.log(`${(rows / t.wall).toFixed(1)} rows/s, ${(rows / t.cpu).toFixed(1)} a second of processor time, peak ${peak} MiB`);
}

// Say the rate of search(), which returns k rows a query in one typed array, and its recall.
export function sayQueries(ef, k, truth, search) {
	const want = read(truth, Uint32Array), n = want.length / k, t = timed(search);
	let same = 0;
	for (let i = 0; i < want.length; i++) {
		const from = Math.floor(i / k) * k;
		same += t.result.subarray(from, from + k).some(row => Number(row) === want[i]);
	}
	console.log(`${(n / t.wall).toFixed(1)} queries/s, ${(n / t.cpu).toFixed(1)} a second of processor time, ef ${ef}, recall ${(same / want.length).toFixed(4)}`);
}
