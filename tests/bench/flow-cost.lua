-- What a step of a flow costs: the same SET as a plain command, and called by a flow that makes ten
-- calls a run, without arguments, with a number in a hole, with a look at the reply. Run by
-- tests/bench/run.sh.
local vb = require "vbench"

local opt = vb.options {
  calls = { "int", default = 500000, help = "how many SETs" },
  what = { "choice", choices = { "plain", "call", "argument", "reply" }, default = "plain",
    help = "how the SET is sent" },
}

local CALLS = 10 -- of a run

local keys = vb.keyspace { prefix = "key:", size = vb.args.keyspace }
local set = vb.command { "SET", keys:uniform(), "123" }
local set_to = vb.command { "SET", keys:uniform(), vb.arg "value", name = "set_to" }

local flows = {
  call = function(c)
    for _ = 1, CALLS do c:call(set) end
  end,
  argument = function(c)
    for i = 1, CALLS do c:call(set_to, { value = 100 + i }) end
  end,
  reply = function(c)
    for _ = 1, CALLS do
      if c:call(set).type ~= "status" then error("no SET is answered like this") end
    end
  end,
}
local run = opt.what == "plain" and set or vb.flow("flow", flows[opt.what] or flows.call)

return vb.scenario {
  description = "SET, plain or called by a flow",
  phases = { vb.phase { name = "set", run = run,
    requests = opt.what == "plain" and opt.calls or opt.calls / CALLS } },
}
