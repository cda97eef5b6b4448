# The configuration of the transcripts: one tool, which gives its arguments back.
{state: "state", tools: [{name: "echo", description: "Give the arguments back.",
	inputSchema: {type: "object", properties: {n: {type: "integer"}, do: {type: "string"}}},
	run: ["python3", "-B", ($tests + "/servers/echo.py")]}]}
