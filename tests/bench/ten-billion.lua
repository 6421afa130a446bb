-- Ten billion ids in a scenario: all but the last are known to exist, the last are claimed at the
-- far end and written, and a snapshot says that all are there. Prints seconds and memory.
-- usage: vbench tests/bench/ten-billion.lua -P 16
local vb = require "vbench"

local SIZE, LAST = 1e10, 1000000

local keys = vb.keyspace { prefix = "key:", size = SIZE }
local set = vb.command { "SET", keys:claim(), vb.bytes(3), tracks = "add" }

local function resident_gb()
  local file = assert(io.open "/proc/self/statm")
  local pages = file:read("*l"):match("^%d+ (%d+)")
  file:close()
  return pages * 4096 / 1e9
end

local function say(what, done)
  local began = os.clock()
  local value = done()
  print(("%s: %.2f s of CPU, %.2f GB resident"):format(what, os.clock() - began, resident_gb()))
  return value
end

return vb.scenario {
  description = "Ten billion ids, claimed at the far end",
  setup = function()
    say("fill", function() return keys:add_range(0, SIZE - LAST) end)
  end,
  phases = { vb.phase { name = "claim", run = set, until_exhausted = true } },
  teardown = function()
    local snapshot = say("snapshot", function() return keys:snapshot() end)
    assert(snapshot:count() == SIZE and snapshot:test(SIZE - 1), "not all ids are there")
    print(("%.0f ids exist, %d of them claimed"):format(snapshot:count(), LAST))
  end,
}
