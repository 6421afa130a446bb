-- A storm on one hot key: what five seconds of everybody wanting the same large value do to all
-- other traffic.
--
-- Learn from it: a phase in the background with a `start` and an end of its own, clients and
-- statistics apart. Compare p99 of "traffic" before, in and after the storm: --show-per-second, or
-- the timeline of the JSON report.
local vb = require "vbench"

local opt = vb.options {
  seconds = { "duration", default = "15s", help = "how long the traffic goes on" },
  storm   = { "duration", default = "5s", help = "how long the storm lasts, in its middle" },
  crowd   = { "int", default = 50, help = "connections that want the hot key" },
  size    = { "bytes", default = "10KB", help = "size of its value" },
}

local keys = vb.keyspace { prefix = "storm:", size = math.min(vb.args.keyspace, 100000) }

local fill = vb.command { "SET", keys:sequential(), vb.bytes "100B", name = "fill" }
local get = vb.command { "GET", keys:uniform(), reply = vb.hits() }
local set = vb.command { "SET", keys:uniform(), vb.bytes "100B" }
local hot = vb.command { "GET", vb.key "storm:hot", name = "hot", reply = vb.hits() }
local heat = vb.command { "SET", vb.key "storm:hot", vb.bytes(opt.size), name = "heat" }

local length = math.min(opt.storm, opt.seconds / 2)
local storm = vb.phase {
  name = "storm", run = vb.mix { { 99, hot }, { 1, heat } }, clients = opt.crowd,
  start = (opt.seconds - length) / 2, duration = length,
}

return vb.scenario {
  description = "Reads and writes, and for five seconds a storm on one hot key",
  phases = {
    vb.phase { name = "fill", run = fill, requests = keys.size, pipeline = 16 },
    vb.phase { name = "traffic", run = vb.mix { { 80, get }, { 20, set } },
               duration = opt.seconds, background = { storm }, thresholds = { "errors == 0" } },
  },
}
