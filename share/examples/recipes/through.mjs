// Send records through a filter, as they come, in both directions.
import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";

// The records of a stream of lines.  node:readline would also end a
// line at U+2028, which may be in a string.
export async function* lines(stream) {
  let rest = "";
  for await (const text of stream.setEncoding("utf8")) {
    const parts = (rest + text).split("\n");
    rest = parts.pop();
    for (const line of parts) if (line.trim()) yield JSON.parse(line);
  }
  if (rest.trim()) yield JSON.parse(rest);
}

async function* written(records) {
  for await (const record of records)
    yield JSON.stringify(record) + "\n";
}

// Yield each record that the filter writes.  At its end, throw unless
// its exit status is one of good; [0, 1] accepts rejected records.
export async function* through(argv, records, good = [0]) {
  const [command, ...args] = argv;
  const child = spawn(command, args,
    { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  ended.catch(() => {});
  let failed;
  // if the filter ends early, its exit status says why
  const early = ["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"];
  const fed = pipeline(Readable.from(written(records)), child.stdin)
    .catch((e) => { if (!early.includes(e.code)) failed = e; });
  try {
    yield* lines(child.stdout);
  } finally {
    child.stdin.destroy();
    child.stdout.destroy();
  }
  const status = await ended;
  if (good.includes(status)) await fed;
  if (failed) throw failed;
  if (!good.includes(status))
    throw new Error(`${command} ended with ${status}`);
}

// through.mjs COMMAND [ARGUMENT]... <IN >OUT
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const answers = through(process.argv.slice(2), lines(process.stdin));
  await pipeline(Readable.from(written(answers)), process.stdout);
}
