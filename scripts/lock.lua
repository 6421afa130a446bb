-- Locks: SET NX PX takes one, a script that compares releases it, a wait in between.
--
-- Learn from it: c:sleep waits without a request; c.rng draws what follows from the seed; c.state
-- lasts with the connection; a metric of one's own says how often a lock was not free.
local vb = require "vbench"

local opt = vb.options {
  locks = { "int", default = 20, help = "how many locks the clients compete for" },
  hold = { "duration", default = "500us", help = "how long one is held" },
  turns = { "int", default = 5000, help = "how often one is taken in all" },
}

local locks = vb.keyspace { prefix = "lock:", size = opt.locks }
local drawn = locks:uniform()
local tries = vb.metric { name = "tries_per_lock", unit = "tries", better = "lower" }

local take = vb.command { "SET", locks:current(), vb.arg "token", "NX", "PX", 30000, name = "take" }
local release = vb.script { name = "release", keys = { locks:current() }, args = { vb.arg "token" },
  source = [[ if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
    return 0 ]] }

local hold = vb.flow("hold", function(c)
  c.state.turn = (c.state.turn or 0) + 1
  local token, count = c.index .. ":" .. c.state.turn, 1
  c:draw(drawn)
  while c:call(take, { token = token }).type == "nil" do
    count = count + 1
    c:sleep(c.rng:float() * 0.001)
  end
  tries:record(count)
  c:sleep(opt.hold)
  if c:call(release, { token = token }).integer ~= 1 then error("the lock was not ours") end
end)

return vb.scenario {
  description = "Locks with SET NX PX, waited for, held and released",
  phases = { vb.phase { name = "hold", run = hold, requests = opt.turns } },
}
