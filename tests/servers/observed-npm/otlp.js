// otlp.js FILE... - the spans of OTLP/JSON payloads by OpenTelemetry's own messages, made from its
// .proto files: a line of JSON for each.  A member that they do not have, or of another type, ends it.
const fs = require("fs");
const folder = require("path").dirname(require.resolve("@opentelemetry/otlp-transformer"));
const root = require(folder + "/generated/root.js");
const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

// protobufjs takes bytes as base64; the JSON of OTLP has ids in hex.
const ids = new Set(["traceId", "spanId", "parentSpanId"]);
const prepare = (name, v) => ids.has(name) ? Buffer.from(v, "hex").toString("base64") : v;

// What is not in a message is lost on the way: what comes back must be what was there.
function same(a, b, path) {
	if (a === null || typeof a !== "object") {
		if (String(a) !== String(b)) throw new Error(`${path}: ${a} is read as ${b}`);
		return;
	}
	for (const k of Object.keys(a)) same(a[k], b === undefined ? undefined : b[k], `${path}.${k}`);
}

for (const file of process.argv.slice(2)) {
	const given = JSON.parse(fs.readFileSync(file, "utf8"), prepare);
	const wire = Request.encode(Request.fromObject(given)).finish();
	const message = Request.decode(wire);
	const wrong = Request.verify(message);
	if (wrong) throw new Error(wrong);
	const read = Request.toObject(message, { longs: String, bytes: String, enums: Number });
	same(given, read, file);
	for (const r of read.resourceSpans)
		for (const s of r.scopeSpans)
			for (const span of s.spans)
				console.log(JSON.stringify({ name: span.name, trace: Buffer.from(span.traceId, "base64").toString("hex") }));
}
