-- What wrk runs: it asks for the paths it was given, in order, over and over, and
-- says in one line of JSON what came of it.
local paths = {}
local last = 0

function init(args)
  for i, path in ipairs(args) do
    paths[i] = wrk.format("GET", path)
  end
end

function request()
  last = last % #paths + 1
  return paths[last]
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nload {"requests":%d,"micros":%d,"bytes":%d,"bad_status":%d,"bad_socket":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, summary.bytes, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
