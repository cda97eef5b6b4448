# The configuration of lh-serve for the conformance suite: its tools, as far as a filter that
# writes JSON can be one.
def tool($name; $answer):
	{name: $name, description: "A tool of the conformance suite.", inputSchema: {type: "object"},
	 run: ["jq", "-c", "--unbuffered", $answer]};

{state: "state", tools: [
	tool("test_simple_text"; "{text: \"This is a simple text response for testing.\"}"),
	tool("test_error_handling";
		"{error: {code: 422, message: \"This tool intentionally returns an error for testing\"}}"),
	tool("test_streaming_elicitation"; "{done: true}"),
	tool("test_logging_tool"; "{done: true}"),
	tool("test_header"; ".") + {inputSchema: {type: "object",
		properties: {region: {type: "string", "x-mcp-header": "Region"}}}},
	tool("json_schema_2020_12_tool"; ".") + {inputSchema: {
		"$schema": "https://json-schema.org/draft/2020-12/schema", type: "object",
		"$defs": {address: {"$anchor": "addressDef", type: "object",
			properties: {street: {type: "string"}, city: {type: "string"}}}},
		properties: {name: {type: "string"}, address: {"$ref": "#/$defs/address"},
			contactMethod: {type: "string", enum: ["phone", "email"]},
			phone: {type: "string"}, email: {type: "string"}},
		allOf: [{anyOf: [{required: ["phone"]}, {required: ["email"]}]}],
		if: {properties: {contactMethod: {const: "phone"}}, required: ["contactMethod"]},
		then: {required: ["phone"]}, else: {required: ["email"]},
		additionalProperties: false}}
]}
