-- Money moves between accounts in MULTI ... EXEC, while another phase reads balances.
--
-- Learn from it: a transaction is one operation with one latency; its commands have their own
-- counts and errors; a background phase runs beside the main one on the same workers.
local vb = require "vbench"

local opt = vb.options {
  accounts = { "int", default = 10000, help = "how many accounts" },
  seconds  = { "duration", default = "5s", help = "how long to run" },
}

local accounts = vb.keyspace { prefix = "account:", size = opt.accounts }

local open = vb.command { "SET", accounts:sequential(), 1000, name = "open" }
local amount = vb.int { min = 1, max = 10 }
local take = vb.command { "DECRBY", accounts:uniform(), amount, name = "take" }
local give = vb.command { "INCRBY", accounts:uniform(), amount, name = "give" }
local note = vb.command { "LPUSH", vb.key "ledger", vb.id() }
local trim = vb.command { "LTRIM", vb.key "ledger", 0, 999 }
local balance = vb.command { "GET", accounts:uniform(), reply = vb.hits(), name = "balance" }

return vb.scenario {
  description = "Transfers in transactions, with balances read beside them",
  phases = {
    vb.phase { name = "open", run = open, requests = opt.accounts, pipeline = 16 },
    vb.phase { name = "transfer", run = vb.transaction { take, give, note, trim },
               duration = opt.seconds, thresholds = { "errors == 0" },
               background = { vb.phase { name = "audit", run = balance, clients = 5 } } },
  },
}
