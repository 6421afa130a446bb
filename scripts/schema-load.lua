-- Loads a dataset, one request a record, as its schema says.
--
-- Learn from it: a schema's workload is enough to make the command. Run it with --dataset BASE.
local vb = require "vbench"
local records = require "vbench.records"

local ds = vb.dataset()

return vb.scenario {
  description = "Load a dataset as its schema says",
  phases = { vb.phase { name = "load", run = records.load(ds), requests = ds.count } },
}
