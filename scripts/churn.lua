-- A keyspace that changes all the time and stays as full as it is: inserts, reads, overwrites and
-- deletes, and what they changed.
--
-- Learn from it: cursors over the keys that exist (they never miss but for those that meet a
-- delete, which are counted as raced), claims of the missing ones, snapshots before and after.
local vb = require "vbench"

local opt = vb.options {
  density = { "number", default = 0.5, help = "which part of the ids exists: 0 to 1" },
  size    = { "bytes", default = "100B", help = "size of a value" },
  seconds = { "duration", default = "5s", help = "how long to churn" },
}

local keys = vb.keyspace { prefix = vb.args.key_prefix, size = vb.args.keyspace }

local insert = vb.command { "SET", keys:claim(), vb.bytes(opt.size), tracks = "add",
                            name = "insert" }
local read   = vb.command { "GET", keys:existing():zipfian(0.99), reply = vb.hits(), name = "read" }
-- XX: an overwrite that meets a delete must not bring the key back.
local write  = vb.command { "SET", keys:existing(), vb.bytes(opt.size), "XX", name = "overwrite" }
local delete = vb.command { "DEL", keys:existing(), tracks = "remove", name = "delete" }

return vb.scenario {
  description = "Inserts, reads, overwrites and deletes that keep a keyspace's density",
  main = function(run)
    run:phase(vb.phase { name = "fill", run = insert, pipeline = 16,
                         requests = math.ceil(keys.size * opt.density) })
    local before = keys:snapshot()
    local mix = vb.mix { { 50, read }, { 20, write }, { 15, insert }, { 15, delete } }
    run:phase(vb.phase { name = "churn", run = mix, duration = opt.seconds,
                         thresholds = { "errors == 0", "read.misses == 0" } })
    local after = keys:snapshot()
    print(("density %.3f before, %.3f after; %d ids were added, %d removed"):format(
      before:count() / keys.size, after:count() / keys.size, after:added_since_count(before),
      after:removed_since_count(before)))
  end,
}
