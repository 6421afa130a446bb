-- What opening connections costs: the same reads over connections that stay, and over connections
-- that are closed and opened again every so many operations.
--
-- Learn from it: `reconnect`, and what the report says of connecting: how many a second, how long
-- (client.connect_us in the JSON report). `--local tls` adds the handshake of TLS.
local vb = require "vbench"

local opt = vb.options {
  every   = { "int", default = 1, help = "operations of a connection before it is renewed" },
  seconds = { "duration", default = "5s", help = "how long each phase takes" },
  size    = { "bytes", default = "100B", help = "size of a value" },
}

local keys = vb.keyspace { prefix = "churn:", size = math.min(vb.args.keyspace, 100000) }

local set = vb.command { "SET", keys:sequential(), vb.bytes(opt.size) }
local get = vb.command { "GET", keys:uniform(), reply = vb.hits() }

return vb.scenario {
  description = "Connections that stay, and connections that come and go",
  phases = {
    vb.phase { name = "fill", run = set, requests = keys.size, pipeline = 16 },
    vb.phase { name = "stay", run = get, duration = opt.seconds, thresholds = { "errors == 0" } },
    vb.phase { name = "churn", run = get, duration = opt.seconds, reconnect = opt.every,
               thresholds = { "errors == 0" } },
  },
}
