-- Fills a keyspace, then reads it with a Zipfian pattern: where to begin.
--
-- Learn from it: options with types, a keyspace and its cursors, commands, phases, a threshold.
-- Try: vbench quickstart --local --size=1KB --seconds=5s
local vb = require "vbench"

local opt = vb.options {
  size    = { "bytes", default = "100B", help = "size of a value" },
  seconds = { "duration", default = "3s", help = "how long to read" },
  skew    = { "number", default = 0.99, help = "of the reads: 0.5 is mild, 1.2 is steep" },
}

local keys = vb.keyspace { prefix = vb.args.key_prefix, size = vb.args.keyspace }

local set = vb.command { "SET", keys:sequential(), vb.bytes(opt.size) }
local get = vb.command { "GET", keys:zipfian(opt.skew), reply = vb.hits() }

return vb.scenario {
  description = "Fill a keyspace, then read it with a Zipfian pattern",
  phases = {
    vb.phase { name = "fill", run = set, requests = keys.size, pipeline = 16 },
    vb.phase { name = "read", run = get, duration = opt.seconds,
               thresholds = { "errors == 0", "hit_rate == 1" } },
  },
}
