-- Loads a dataset, then reads every record back and compares every field.
--
-- Learn from it: `vb.verify(ds)` holds a reply against the whole record, proof that a client, a
-- proxy and a server carry all bytes through. Run it with --dataset BASE.
local vb = require "vbench"
local records = require "vbench.records"

local ds = vb.dataset()

local phases = {
  vb.phase { name = "load", run = records.load(ds), requests = ds.count },
  vb.phase { name = "verify", run = records.verify(ds), requests = ds.count,
    thresholds = { "errors == 0" } },
}

-- Members join what an earlier run left under the key; SET and HSET overwrite.
if ds.collection then
  local clear = vb.command { "DEL", ds.keys:sequential(), name = "clear" }
  table.insert(phases, 1, vb.phase { name = "clear", run = clear, requests = ds.count })
end

return vb.scenario {
  description = "Load a dataset, read every record back, compare every field",
  phases = phases,
}
