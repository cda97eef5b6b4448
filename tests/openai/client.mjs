// client.mjs URL EMBEDDER CHATTER TOKEN - ask lh-serve at URL by the clients of others, unchanged, and
// print what they make of its answers, a line of JSON for each.
import OpenAI from "openai";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { Ollama } from "ollama";

const [url, embedder, chatter, token] = process.argv.slice(2);
const say = (name, value) => console.log(JSON.stringify([name, value]));
const failure = async (f) => {
	try {
		await f();
		return "it did not fail";
	} catch (e) {
		return [e.constructor.name, e.status, e.type, e.message.replace(/^\d+ /, "")];
	}
};
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
const same = (a, b) => a.length === b.length && a.every((x, i) => Math.abs(x - b[i]) < 1e-6);

say("models", (await openai.models.list()).data.map((m) => m.id));
const float = await openai.embeddings.create({ model: embedder, input: ["forklift", "welder"], encoding_format: "float" });
const base64 = await openai.embeddings.create({ model: embedder, input: "welder" });	// base64 is what it asks for
say("embeddings", [float.object, float.model, float.data.map((d) => d.index), base64.data[0].embedding.length === float.data[1].embedding.length,
	same(base64.data[0].embedding, float.data[1].embedding), float.usage]);
say("tokens", await failure(() => openai.embeddings.create({ model: embedder, input: [1, 2, 3] })));
say("model", await failure(() => openai.embeddings.create({ model: "nobody", input: "a" })));
say("dimensions", await failure(() => openai.embeddings.create({ model: embedder, input: "a", dimensions: 3 })));
say("no route", await failure(() => openai.files.list()));
say("wrong key", await failure(() => new OpenAI({ baseURL: `${url}/v1`, apiKey: "x", maxRetries: 0 }).models.list()));

const messages = [{ role: "developer", content: "Short." }, { role: "user", content: [{ type: "text", text: "one " }, { type: "text", text: "two three" }] }];
const chat = await openai.chat.completions.create({ model: chatter, messages, temperature: 0.5, max_tokens: 9, response_format: { type: "json_object" } });
say("chat", [chat.object, chat.model, chat.id.length > 9, chat.choices, chat.usage.total_tokens === chat.usage.prompt_tokens + chat.usage.completion_tokens]);
const chunks = [];
for await (const chunk of await openai.chat.completions.create({ model: chatter, messages, stream: true, stream_options: { include_usage: true } }))
	chunks.push(chunk);
say("stream", [chunks.map((c) => c.object), chunks.flatMap((c) => c.choices).map((c) => c.delta.content ?? "").join(""),
	chunks.flatMap((c) => c.choices).at(-1).finish_reason, chunks.at(-1).choices.length, chunks.at(-1).usage.completion_tokens]);
let pieces = 0;
for await (const chunk of await openai.chat.completions.create({ model: chatter, messages, stream: true }))
	pieces += chunk.usage ? 100 : 1;
say("stream without usage", pieces);
say("tools", await failure(() => openai.chat.completions.create({ model: chatter, messages, tools: [{ type: "function", function: { name: "f" } }] })));
say("no provider", await failure(() => openai.chat.completions.create({ model: "kimi/x", messages })));

const vectors = new OpenAIEmbeddings({ model: embedder, apiKey: token, configuration: { baseURL: `${url}/v1` }, maxRetries: 0 });
say("langchain documents", (await vectors.embedDocuments(["forklift", "welder"])).map((v, i) => same(v, float.data[i].embedding)));
say("langchain query", same(await vectors.embedQuery("welder"), float.data[1].embedding));
const model = new ChatOpenAI({ model: chatter, apiKey: token, configuration: { baseURL: `${url}/v1` }, maxRetries: 0 });
say("langchain chat", (await model.invoke("one two")).content);
let text = "";
for await (const chunk of await model.stream("one two"))
	text += chunk.content;
say("langchain stream", text);

const ollama = new Ollama({ host: url, headers: { Authorization: `Bearer ${token}` } });
say("ollama list", (await ollama.list()).models.map((m) => m.name));
const embedded = await ollama.embed({ model: embedder, input: ["forklift", "welder"] });
say("ollama embed", [embedded.model, embedded.embeddings.map((v, i) => same(v, float.data[i].embedding))]);
try {
	await ollama.embed({ model: "nobody", input: "a" });
} catch (e) {
	say("ollama error", [e.constructor.name, e.status_code, e.message]);
}
