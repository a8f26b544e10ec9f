-- The load of one measurement. Arguments: a file of requests (dev/benchmarks/wrk.py writes it) and a
-- word that no other measurement uses, for the Idempotency-Keys.
local MARK = "@idempotency-key@"
local heads, tails, count, word = {}, {}, 0, ""

function init(args)
  word = args[2]
  for line in io.lines(args[1]) do
    local method, path, authorization, tag, body = line:match("^(.-)\t(.-)\t(.-)\t(.-)\t(.*)$")
    local headers = {}
    for name, value in pairs(wrk.headers) do headers[name] = value end
    if authorization ~= "" then headers["Authorization"] = authorization end
    if tag ~= "" then headers["If-None-Match"] = tag end
    if body ~= "" then
      headers["Content-Type"] = "application/json"
      headers["Idempotency-Key"] = MARK
    end
    local whole = wrk.format(method, path, headers, body ~= "" and body or nil)
    local first, last = whole:find(MARK, 1, true)
    heads[#heads + 1] = first and whole:sub(1, first - 1) or whole
    tails[#heads] = first and whole:sub(last + 1) or ""
  end
end

function request()
  count = count + 1
  local index = (count - 1) % #heads + 1
  if tails[index] == "" then return heads[index] end
  return heads[index] .. word .. "-" .. count .. tails[index]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "bytes": %d, "refused": %d, "broken": %d, ' ..
    '"p50_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
