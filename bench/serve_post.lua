-- wrk posts the lines of a file in turn: wrk -s serve_post.lua URL -- FILE
local bodies, at = {}, 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function init(args)
	for line in io.lines(args[1]) do bodies[#bodies + 1] = line end
end
function request()
	at = at % #bodies + 1
	return wrk.format(nil, nil, nil, bodies[at])
end
function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format("%.0f\t%.3f\t%.3f\t%d\n", summary.requests / summary.duration * 1e6,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000,
		e.connect + e.read + e.write + e.status + e.timeout))
end
