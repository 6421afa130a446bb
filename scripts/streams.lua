-- A stream with a consumer group and a follower: XADD, XREADGROUP, XREAD.
--
-- Learn from it: setup makes what the phases need (the group); a function gives each consumer its
-- name; one read holds several entries, each with a stamp whose age counts.
local vb = require "vbench"

local opt = vb.options {
  entries   = { "int", default = 5000, help = "entries a second" },
  consumers = { "int", default = 8, help = "clients of the consumer group" },
  batch     = { "int", default = 10, help = "most entries that one read gets" },
  length    = { "int", default = 100000, help = "entries that the stream keeps, about" },
  time      = { "duration", default = "5s", help = "how long to run" },
}

local stream = vb.key "orders"

local function consumer(req) return "consumer-" .. req.thread .. "-" .. req.connection end

local add = vb.command { "XADD", stream, "MAXLEN", "~", opt.length, "*",
                         "at", vb.stamp(), "item", vb.int { min = 1, max = 1000 } }
local group = vb.command { "XREADGROUP", "GROUP", "shop", vb.concat { consumer }, "COUNT",
                           opt.batch, "BLOCK", 0, "NOACK", "STREAMS", stream, ">",
                           name = "group", reply = vb.age() }
local follow = vb.command { "XREAD", "BLOCK", 0, "STREAMS", stream, "$",
                            name = "follow", reply = vb.age() }

return vb.scenario {
  description = "A stream, its consumer group and a follower, and the age of entries",
  setup = function(ctl)
    ctl:try("XGROUP", "DESTROY", "orders", "shop")
    ctl:call("XGROUP", "CREATE", "orders", "shop", "$", "MKSTREAM")
  end,
  teardown = function(ctl) ctl:call("DEL", "orders") end,
  phases = {
    vb.phase { name = "add", run = add, rate = opt.entries, duration = opt.time, background = {
      vb.phase { name = "group", run = group, clients = opt.consumers,
                 thresholds = { "errors == 0" } },
      vb.phase { name = "follow", run = follow, clients = 2, thresholds = { "errors == 0" } },
    } },
  },
}
