// client.mjs - do steps as a client of the Model Context Protocol, and print what came of each.
//
//     node client.mjs HOW stdio COMMAND... <steps
//     node client.mjs HOW http URL [HEADER: VALUE]... <steps
//
// HOW is sdk (@modelcontextprotocol/sdk 1, the older era), or a mode of
// @modelcontextprotocol/client 2: legacy (initialize), modern (2026-07-28 and no other) or
// auto (server/discover first).  steps is a JSON array: "about", the name of a method without
// parameters, or [METHOD, PARAMS].  ["together", [STEP...]] does them at the same time;
// ["cancel", METHOD, PARAMS, FILE] cancels once FILE is there, and removes it.  A line is
// printed for each step: {"result":...} or {"error":{"code","message"}}, for together an array.
//
// RECORD=NAME in the environment: what is sent and answered is added to NAME.in and NAME.out
// (stdio), or to NAME, a line of JSON for each request (HTTP).
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const [how, transport, ...target] = process.argv.slice(2);

async function load() {
	if (how !== 'sdk')
		return { ...await import('@modelcontextprotocol/client'),
			 ...await import('@modelcontextprotocol/client/stdio') };
	const from = '@modelcontextprotocol/sdk/client/';
	return { ...await import(from + 'index.js'), ...await import(from + 'stdio.js'),
		 ...await import(from + 'streamableHttp.js') };
}

const { Client, StdioClientTransport, StreamableHTTPClientTransport } = await load();

const { RECORD } = process.env;

async function recording(url, init) {
	const answer = await fetch(url, init);
	const text = await answer.clone().text();
	const headers = Object.fromEntries([...new Headers(init.headers)]
		.filter(([name]) => /^(mcp-|accept|content-type)/.test(name)));

	appendFileSync(RECORD, JSON.stringify({ method: init.method ?? 'GET', headers,
						body: init.body ?? null, status: answer.status,
						answer: text }) + '\n');
	return answer;
}

function open() {
	if (transport === 'stdio') {
		const tee = ['sh', '-c', 'tee -a "$0.in" | "$@" | tee -a "$0.out"', RECORD];
		const [command, ...args] = [...RECORD ? tee : [], ...target];
		return new StdioClientTransport({ command, args, env: process.env,
						  stderr: 'inherit' });
	}
	const headers = Object.fromEntries(target.slice(1).map((h) => h.split(': ')));
	return new StreamableHTTPClientTransport(new URL(target[0]),
		{ requestInit: { headers }, ...RECORD && { fetch: recording } });
}

const mode = how === 'modern' ? { pin: '2026-07-28' } : how;
const client = new Client({ name: 'lh-test', version: '1' },
			  how === 'sdk' ? {} : { versionNegotiation: { mode } });

function about() {
	return { server: client.getServerVersion(), capabilities: client.getServerCapabilities(),
		 instructions: typeof client.getInstructions(),
		 version: client.getNegotiatedProtocolVersion?.() };
}

const methods = {
	about,
	ping: () => client.ping(),
	'tools/list': (p) => client.listTools(p),
	'tools/call': (p, o) => how === 'sdk' ? client.callTool(p, undefined, o)
					      : client.callTool(p, o),
	'resources/list': (p) => client.listResources(p),
	'resources/templates/list': (p) => client.listResourceTemplates(p),
	'resources/read': (p) => client.readResource(p),
	'prompts/list': (p) => client.listPrompts(p),
};

async function cancel(method, params, file) {
	const abort = new AbortController();
	const called = methods[method](params, { signal: abort.signal });

	called.catch(() => {});
	while (!existsSync(file))
		await pause(5);
	abort.abort('enough');
	rmSync(file);
	return called;
}

async function step(s) {
	const [method, ...params] = [s].flat();

	if (method === 'together')
		return Promise.all(params[0].map(outcome));
	return method === 'cancel' ? cancel(...params) : methods[method](...params);
}

async function outcome(s) {
	try {
		return { result: await step(s) };
	} catch (e) {
		return { error: { code: e.code ?? null, message: String(e.message ?? e) } };
	}
}

const steps = JSON.parse(readFileSync(0, 'utf8'));

await client.connect(open());
for (const s of steps)
	console.log(JSON.stringify(await outcome(s)));
await client.close();
