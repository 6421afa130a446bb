-- Cache-aside with a guard: on a miss one client fills, the others wait for it.
--
-- Learn from it: where `set:when("miss")` ends and a flow begins: what a miss leads to depends on a
-- second reply. A sleep stands for the database; the whole run is timed as the flow, each call as
-- its command.
local vb = require "vbench"

local opt = vb.options {
  keys = { "int", default = 5000, help = "how many things can be asked for" },
  seconds = { "duration", default = "5s", help = "how long it runs" },
  database = { "duration", default = "2ms", help = "what the database takes" },
  size = { "bytes", default = "1KB", help = "size of a value" },
}

local things = vb.keyspace { prefix = "thing:", size = opt.keys }
local asked = things:zipfian(0.99)

local get = vb.command { "GET", things:current(), reply = vb.hits() }
local guard = vb.command { "SET", vb.arg "guard", 1, "NX", "PX", 1000, name = "guard" }
local fill = vb.command { "SET", things:current(), vb.bytes(opt.size), "EX", 60, name = "fill" }

local ask = vb.flow("ask", function(c)
  local id = c:draw(asked)
  while c:call(get).type == "nil" do
    if c:call(guard, { guard = "guard:" .. id }).type == "status" then
      c:sleep(opt.database)
      c:call(fill)
      return
    end
    c:sleep("1ms")
  end
end)

return vb.scenario {
  description = "Cache-aside: a miss is filled once, by whoever takes the guard",
  phases = { vb.phase { name = "ask", run = ask, duration = opt.seconds } },
}
