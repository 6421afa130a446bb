-- Latency at a rate that the server cannot slow down: what users would feel.
--
-- Learn from it: `rate` makes an open loop (requests fall due on a schedule, response time runs
-- from the intended start), `arrivals = "poisson"` makes them come as independent users do; and
-- thresholds on response time, and on the rate that was reached.
local vb = require "vbench"

local opt = vb.options {
  asked   = { "int", default = 5000, help = "requests a second" },
  seconds = { "duration", default = "5s", help = "how long to run each phase" },
  size    = { "bytes", default = "100B", help = "size of a value" },
}

local keys = vb.keyspace { prefix = "key:", size = vb.args.keyspace }

local set = vb.command { "SET", keys:sequential(), vb.bytes(opt.size) }
local get = vb.command { "GET", keys:zipfian(0.99), reply = vb.hits() }
local put = vb.command { "SET", keys:zipfian(0.99), vb.bytes(opt.size), name = "put" }
local run = vb.mix { { 80, get }, { 20, put } }

return vb.scenario {
  description = "Reads and writes at a fixed rate: even, then as independent users send them",
  phases = {
    vb.phase { name = "fill", run = set, requests = math.min(keys.size, 100000), pipeline = 16 },
    vb.phase { name = "even", run = run, rate = opt.asked, duration = opt.seconds,
               thresholds = { ("ops_per_s > %g"):format(opt.asked * 0.98) } },
    vb.phase { name = "users", run = run, rate = opt.asked, arrivals = "poisson",
               duration = opt.seconds, thresholds = { "response_p99_ms < 1000" } },
  },
}
