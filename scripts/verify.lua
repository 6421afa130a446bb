-- Writes values whose bytes follow from the id, and checks every byte when they are read back.
--
-- Learn from it: `from = "id"` makes content a function of seed and id, so that vb.verify() in
-- another command knows what the value has to be; vb.expect for the reply to a write.
local vb = require "vbench"

local opt = vb.options {
  least = { "bytes", default = "10B", help = "smallest value" },
  most  = { "bytes", default = "2KB", help = "largest value" },
}

local keys = vb.keyspace { prefix = "verify:", size = math.min(vb.args.keyspace, 200000) }
local value = vb.bytes({ min = opt.least, max = opt.most }, { from = "id" })

local set = vb.command { "SET", keys:sequential(), value, reply = vb.expect "OK" }
local get = vb.command { "GET", keys:sequential(), reply = { vb.hits(), vb.verify() } }

return vb.scenario {
  description = "Write values that follow from their ids, then verify every byte",
  phases = {
    vb.phase { name = "write", run = set, requests = keys.size, pipeline = 16 },
    vb.phase { name = "check", run = get, requests = keys.size, pipeline = 16,
               thresholds = { "errors == 0", "misses == 0" } },
  },
}
