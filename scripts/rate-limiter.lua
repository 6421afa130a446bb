-- A rate limiter on the server: each request of a user costs a token; without tokens it is refused.
--
-- Learn from it: vb.script runs Lua on the server by its digest (EVALSHA), loads it before a phase
-- and again when the server has forgotten it; on_reply looks at what the script returned, and a
-- metric of one's own counts it.
local vb = require "vbench"

local opt = vb.options {
  users  = { "int", default = 1000, help = "how many users" },
  limit  = { "int", default = 100, help = "requests a user has in a window" },
  window = { "int", default = 10, help = "seconds of a window" },
  time   = { "duration", default = "5s", help = "how long to run" },
}

local users   = vb.keyspace { prefix = "limit:", size = opt.users }
local refused = vb.metric { name = "refused", kind = "counter", better = "lower" }

-- A fixed window: the first request of one sets its end.
local take = vb.script {
  name = "take", keys = { users:zipfian(0.99) }, args = { opt.limit, opt.window },
  source = [[
    local used = redis.call("INCR", KEYS[1])
    if used == 1 then redis.call("EXPIRE", KEYS[1], ARGV[2]) end
    return used <= tonumber(ARGV[1]) and 1 or 0
  ]],
  on_reply = function(reply)
    if reply.integer == 0 then refused:add(1) end
  end,
}

return vb.scenario {
  description = "A rate limiter: an atomic script for each request (EVALSHA)",
  phases = {
    vb.phase { name = "requests", run = take, duration = opt.time,
               thresholds = { "errors == 0" } },
  },
}
