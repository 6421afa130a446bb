-- What it costs that a load claims its ids: the same SETs with ids that are claimed and tracked,
-- and with plain sequential ones. Run by tests/bench/run.sh.
local vb = require "vbench"

local opt = vb.options {
  ids = { "int", default = 3000000, help = "how many SETs" },
  what = { "choice", choices = { "sequential", "claimed" }, default = "claimed",
    help = "where ids come from" },
}

local keys = vb.keyspace { prefix = "key:", size = opt.ids }
local set = opt.what == "claimed"
  and vb.command { "SET", keys:claim(), vb.bytes(3), tracks = "add" }
  or vb.command { "SET", keys:sequential(), vb.bytes(3) }

return vb.scenario {
  description = "A load of ids that are claimed, or in order",
  phases = { vb.phase { name = "load", run = set, until_exhausted = true } },
}
