-- A queue in a list: producers push jobs, consumers wait for them with BLPOP.
--
-- Learn from it: jobs come at a rate of their own, which consumers have to keep up with; waiting
-- for a job is no latency; vb.age() tells how old a job is when a consumer gets it, which is what
-- a queue is about.
local vb = require "vbench"

local opt = vb.options {
  jobs      = { "int", default = 5000, help = "jobs a second" },
  consumers = { "int", default = 16, help = "clients that wait for jobs" },
  size      = { "bytes", default = "200B", help = "size of a job behind its stamp" },
  time      = { "duration", default = "5s", help = "how long to run" },
}

local push = vb.command { "RPUSH", vb.key "jobs", vb.concat { vb.stamp(), vb.bytes(opt.size) } }
local pop  = vb.command { "BLPOP", vb.key "jobs", 0, reply = vb.age() }

return vb.scenario {
  description = "A queue: RPUSH and BLPOP, and the age of jobs",
  teardown = function(ctl) ctl:call("DEL", "jobs") end,
  phases = {
    vb.phase { name = "produce", run = push, rate = opt.jobs, duration = opt.time,
               background = vb.phase { name = "consume", run = pop, clients = opt.consumers,
                                       thresholds = { "errors == 0" } } },
  },
}
