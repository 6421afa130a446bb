-- Reads that hit as often as you ask for: for a cache whose hit rate you know.
--
-- Learn from it: existing_ratio draws an existing key with that probability and a missing one
-- otherwise, so that the hit rate is a setting and not an outcome.
local vb = require "vbench"

local opt = vb.options {
  ratio   = { "number", default = 0.9, help = "share of reads that hit: 0 to 1" },
  filled  = { "number", default = 0.2, help = "part of the keyspace that is filled first" },
  size    = { "bytes", default = "100B", help = "size of a value" },
  seconds = { "duration", default = "5s", help = "how long to read" },
}

local keys = vb.keyspace { prefix = vb.args.key_prefix, size = vb.args.keyspace }

local fill = vb.command { "SET", keys:claim(), vb.bytes(opt.size), tracks = "add" }
local get  = vb.command { "GET", keys:existing_ratio(opt.ratio), reply = vb.hits() }

return vb.scenario {
  description = "Reads with a hit rate that you choose",
  phases = {
    vb.phase { name = "fill", run = fill, pipeline = 16,
               requests = math.ceil(keys.size * opt.filled) },
    vb.phase { name = "read", run = get, duration = opt.seconds,
               thresholds = { ("hit_rate > %g"):format(opt.ratio - 0.01),
                              ("hit_rate < %g"):format(opt.ratio + 0.01) } },
  },
}
