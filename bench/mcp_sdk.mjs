// A server of MCP with one trivial tool, made with the SDK: NODE_MODULES/ is argv[2].
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(createRequire(process.argv[2]).resolve(name)));
const { Server } = await load("@modelcontextprotocol/sdk/server/index.js");
const { StdioServerTransport } = await load("@modelcontextprotocol/sdk/server/stdio.js");
const { CallToolRequestSchema } = await load("@modelcontextprotocol/sdk/types.js");

const server = new Server({ name: "trivial", version: "1" }, { capabilities: { tools: {} } });
server.setRequestHandler(CallToolRequestSchema, async (request) => {
	const structuredContent = { text: request.params.arguments.text };
	return { content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent };
});
await server.connect(new StdioServerTransport());
