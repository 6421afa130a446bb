-- What tests/bench/run.sh asks of an open loop: at half and a tenth of what a closed loop reaches,
-- and at one and a half times that. Prints "result NAME VALUE" lines.
local vb = require "vbench"

local opt = vb.options { seconds = { "duration", default = "5s", help = "of each phase" } }

local keys = vb.keyspace { prefix = "key:", size = vb.args.keyspace }
local set = vb.command { "SET", keys:uniform(), vb.bytes(3) }

local function say(name, value)
  print(("result %s %.6f"):format(name, value))
end

return vb.scenario {
  description = "An open loop at parts of the capacity",
  main = function(run)
    local function at(name, fields)
      fields.name, fields.run, fields.duration = name, set, opt.seconds
      return run:phase(vb.phase(fields))
    end
    local capacity = at("closed", {}).ops_per_s
    local function share(name, part)
      return at(name, { rate = math.floor(capacity * part) })
    end
    local half, tenth, over = share("half", 0.5), share("tenth", 0.1), share("over", 1.5)
    say("achieved", half.ops_per_s / half.rate)
    say("added_us", tenth.response_us.p50 - tenth.latency_us.p50)
    local asked = over.rate * over.duration_s
    say("unaccounted", asked - over.operations - over.backlog_at_end - over.dropped)
  end,
}
