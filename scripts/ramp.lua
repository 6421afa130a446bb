-- How latency grows with load: a rate that rises, and clients that come and go.
--
-- Learn from it: `ramp` changes the rate or the clients over time, in a line to each target or at
-- once (`step = true`); `thresholds` with `abort` end a phase when it is no use to go on. The
-- report's timeline (--json, --csv-seconds, --show-per-second) has a row for each second.
local vb = require "vbench"

local opt = vb.options {
  most    = { "int", default = 10000, help = "requests a second at the top" },
  users   = { "int", default = 100, help = "clients at the top" },
  seconds = { "duration", default = "4s", help = "how long to rise" },
}

local keys = vb.keyspace { prefix = "key:", size = vb.args.keyspace }

local set = vb.command { "SET", keys:uniform(), vb.bytes(100) }

return vb.scenario {
  description = "A rate that rises in a line, then clients that come, stay and go",
  phases = {
    vb.phase { name = "rate", run = set,
               ramp = { { duration = opt.seconds, rate = opt.most },
                        { duration = "1s", rate = opt.most, step = true } },
               thresholds = { { "response_p99_ms < 5000", abort = true, delay = "1s" } } },
    vb.phase { name = "clients", run = set, clients = 2,
               ramp = { { duration = opt.seconds, clients = opt.users },
                        { duration = "1s", clients = 2, step = true } } },
  },
}
