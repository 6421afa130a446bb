-- What encryption costs: of small requests, of many bytes, and of connections.
--
-- Learn from it: nothing in a scenario is about TLS; the command line says how servers are reached.
-- Run it twice and compare: `vbench tls --local tls` and `vbench tls --local`; against a server of
-- yours, `vbench tls -u rediss://host:6380 --cacert ca.pem`.
local vb = require "vbench"

local opt = vb.options {
  seconds = { "duration", default = "5s", help = "how long each phase takes" },
  size    = { "bytes", default = "16KB", help = "size of the large values" },
}

local small = vb.keyspace { prefix = "small:", size = 1000 }
local large = vb.keyspace { prefix = "large:", size = 1000 }

local set = vb.command { "SET", small:uniform(), vb.bytes "16B" }
local put = vb.command { "SET", large:sequential(), vb.bytes(opt.size, { from = "id" }),
                         name = "put" }
local take = vb.command { "GET", large:uniform(), name = "take", reply = vb.verify() }

local function phase(name, run, more)
  more.name, more.run, more.duration = name, run, opt.seconds
  more.thresholds = { "errors == 0" }
  return vb.phase(more)
end

return vb.scenario {
  description = "Small requests, large values and new connections, to be run with and without TLS",
  phases = {
    vb.phase { name = "fill", run = put, requests = large.size },
    phase("requests", set, { pipeline = 16 }),
    phase("bytes", take, { pipeline = 2 }),
    phase("connections", set, { reconnect = 1 }),
  },
}
