-- Optimistic locking: read a value, change it, write it back unless somebody was faster.
--
-- Learn from it: a flow is a client written as straight code; c:exec gives nil when a key that was
-- watched has changed, which is counted as a conflict; the fewer the accounts, the more conflicts.
local vb = require "vbench"

local opt = vb.options {
  accounts = { "int", default = 1000, help = "how many accounts the clients share" },
  transfers = { "int", default = 20000, help = "how many are made" },
}

local accounts = vb.keyspace { prefix = "account:", size = opt.accounts }
local drawn = accounts:zipfian(0.99)

local fill = vb.command { "SET", accounts:sequential(), 1000, name = "fill" }
local watch = vb.command { "WATCH", accounts:current() }
local read = vb.command { "GET", accounts:current() }
local write = vb.command { "SET", accounts:current(), vb.arg "balance" }
local log = vb.command { "LPUSH", vb.key "log", vb.arg "entry" }
local trim = vb.command { "LTRIM", vb.key "log", 0, 999 }

-- One run is one deposit, however often it has to try. current() is the id that was drawn last.
local deposit = vb.flow("deposit", function(c)
  local id, amount = c:draw(drawn), c.rng:int(1, 100)
  repeat
    c:call(watch)
    local balance = tonumber(c:call(read).string)
    local done = c:exec {
      { write, { balance = balance + amount } },
      { log, { entry = id .. " +" .. amount } },
      { trim },
    }
  until done
end)

return vb.scenario {
  description = "WATCH, MULTI and EXEC: deposits into accounts, tried again on conflict",
  phases = {
    vb.phase { name = "fill", run = fill, requests = accounts.size, clients = 4 },
    vb.phase { name = "deposit", run = deposit, requests = opt.transfers },
  },
}
