-- The workloads A to F of YCSB, over hashes: `vbench ycsb --workload=a`.
--
-- Learn from it: a library makes whole fragments of scenarios (vbench.workload), of which a script
-- takes the phases. Half of the keys are loaded where the workload inserts (D, E), else all.
-- Try: vbench ycsb --local -r 100k --workload=f --seconds=10s
local vb = require "vbench"
local workload = require "vbench.workload"

local opt = vb.options {
  workload   = { "choice", default = "a", choices = { "a", "b", "c", "d", "e", "f" },
                 help = "which one" },
  fields     = { "int", default = 10, help = "fields of a record" },
  field_size = { "bytes", default = "100B", help = "size of a field" },
  seconds    = { "duration", default = "5s", help = "how long to run it" },
}

local ycsb = workload.ycsb {
  workload = opt.workload, fields = opt.fields, field_size = opt.field_size,
  keys = vb.keyspace { prefix = "user", size = vb.args.keyspace },
}

return vb.scenario {
  description = "YCSB, workload " .. opt.workload:upper(),
  phases = ycsb:phases { duration = opt.seconds, thresholds = { "errors == 0" } },
}
