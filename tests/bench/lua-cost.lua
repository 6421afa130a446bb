-- What Lua in the loop costs: the same SET with a literal, with a Lua function that returns a
-- number or builds a string, and with a reply hook that does nothing. Run by tests/bench/run.sh.
local vb = require "vbench"

local opt = vb.options {
  what = { "choice", choices = { "literal", "number", "string", "on_reply" }, default = "literal",
    help = "what is in the loop" },
}

local keys = vb.keyspace { prefix = "key:", size = vb.args.keyspace }
local values = {
  literal = "123",
  number = function(req) return req.n end,
  string = function(req) return "v:" .. req.n end,
  on_reply = "123",
}

local set = vb.command {
  "SET", keys:uniform(), values[opt.what],
  on_reply = opt.what == "on_reply" and function() end or nil,
}

return vb.scenario {
  description = "SET, with Lua in the loop or without",
  phases = { vb.phase { name = "set", run = set } },
}
