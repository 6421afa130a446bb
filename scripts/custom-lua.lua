-- Lua where templates end: arguments made by functions, replies looked at by a hook.
--
-- Learn from it: an argument function depends on `req` alone, so that a request can be made again;
-- on_reply sees the reply in place; metrics and counters of one's own come out in every report;
-- thread.init and thread.done run in each worker, and main gets what they return.
local vb = require "vbench"

local opt = vb.options { users = { "int", default = 10000, help = "how many users" } }

local users = vb.keyspace { prefix = "user:", size = opt.users }
local lengths = vb.metric { name = "visits_per_user", unit = "entries", better = "higher" }
local empty = vb.counter { name = "users_without_visits" }

-- One to three pages: a table gives several arguments, drawn from the operation's own numbers.
local function visit(req)
  local pages = {}
  for i = 1, req.rng:int(1, 3) do pages[i] = "page:" .. req.rng:int(1, 500) end
  return pages
end

local write = vb.command { "RPUSH", users:uniform(), visit, name = "visit" }
local read = vb.command { "LRANGE", users:uniform(), 0, -1, name = "history",
  on_reply = function(reply)
    local count = #reply
    lengths:record(count)
    if count == 0 then empty:add(1) end
  end,
}

return vb.scenario {
  description = "Argument functions, reply hooks, metrics of one's own",
  thread = {
    init = function(t) t.state.began = os.clock() end,
    done = function(t) return { worker = t.index, seconds = os.clock() - t.state.began } end,
  },
  phases = {
    vb.phase { name = "write", run = write, requests = opt.users * 3 },
    vb.phase { name = "read", run = read, requests = opt.users },
  },
}
