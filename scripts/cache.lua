-- A cache in front of a slow store: reads, and a write after each miss.
--
-- Learn from it: a sequence whose second step depends on the reply to the first
-- (`set:when("miss")`), a value that lives for a while, keys:current() for "the same key again".
local vb = require "vbench"

local opt = vb.options {
  size     = { "bytes", default = "512B", help = "size of a cached value" },
  ttl      = { "int", default = 60, help = "seconds that a value lives" },
  seconds  = { "duration", default = "5s", help = "how long to run" },
  hit_rate = { "number", default = 0.5, help = "least share of hits for the run to pass" },
}

local keys = vb.keyspace { prefix = "cache:", size = vb.args.keyspace }

local get = vb.command { "GET", keys:zipfian(1.1), reply = vb.hits() }
local set = vb.command { "SET", keys:current(), vb.bytes(opt.size), "EX", opt.ttl }

return vb.scenario {
  description = "Read-mostly cache: GET, and SET with a TTL after a miss",
  phases = {
    vb.phase { name = "warm", run = vb.sequence { get, set:when("miss") },
               requests = math.min(keys.size, 200000), pipeline = 8 },
    vb.phase { name = "serve", run = vb.sequence { get, set:when("miss") },
               duration = opt.seconds,
               thresholds = { ("get.hit_rate > %g"):format(opt.hit_rate) } },
  },
}
