-- Fills a keyspace from all threads at once: each id exactly once, whoever comes first.
--
-- Learn from it: keys:claim() hands each missing id to one thread, tracks = "add" notes the keys
-- that the server has taken, and a second phase goes on where the first has stopped. What failed is
-- missing again, so that the last phase fills the gaps. The server's count must agree.
local vb = require "vbench"

local opt = vb.options {
  size = { "bytes", default = "100B", help = "size of a value" },
}

local keys = vb.keyspace { prefix = vb.args.key_prefix, size = vb.args.keyspace }

local set = vb.command { "SET", keys:claim(), vb.bytes(opt.size), tracks = "add" }

local function fill(name, fields)
  fields.name, fields.run, fields.pipeline = name, set, 16
  return vb.phase(fields)
end

return vb.scenario {
  description = "Fill a keyspace from all threads, each id exactly once",
  setup = function(ctl) keys.before = ctl:call("DBSIZE") end,
  phases = {
    fill("first half", { requests = math.ceil(keys.size / 2) }),
    fill("the rest", { until_exhausted = true }),
  },
  teardown = function(ctl)
    local known, held = keys:count(), ctl:call("DBSIZE") - keys.before
    print(("%d ids were claimed and written, the server holds %d more keys"):format(known, held))
    if known ~= keys.size then error(("%d ids are missing"):format(keys.size - known)) end
  end,
}
