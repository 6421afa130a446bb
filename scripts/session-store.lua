-- Sessions of a web shop: hashes that expire, read and kept alive at each request.
--
-- Learn from it: a transaction writes a session and its time to live as one; a sequence looks at
-- the reply before it: a session that is found is kept alive, one that has expired is made anew.
-- `tracks = "observe"` learns from each read which sessions the server still has.
local vb = require "vbench"

local opt = vb.options {
  sessions = { "int", default = 100000, help = "how many sessions there are at most" },
  ttl      = { "int", default = 1800, help = "seconds that a session lives without a request" },
  cart     = { "bytes", default = "300B", help = "size of what a session holds" },
  time     = { "duration", default = "5s", help = "how long to browse" },
}

local sessions = vb.keyspace { prefix = "session:", size = opt.sessions }

local function hash(name, key)
  return vb.command { "HSET", key, "user", vb.int { min = 1, max = 1000000 }, "seen",
                      vb.timestamp(), "cart", vb.bytes(opt.cart), name = name, tracks = "add" }
end

local create = hash("create", sessions:sequential())
local login  = hash("login", sessions:current())
local read   = vb.command { "HGETALL", sessions:zipfian(0.99), name = "read", tracks = "observe" }
local alive  = vb.command { "EXPIRE", sessions:current(), opt.ttl, name = "keep-alive" }

-- HGETALL of a session that has expired is an empty reply, which is a miss.
local request = vb.sequence { read, login:when("miss"), alive:when("ok"), name = "request" }

return vb.scenario {
  description = "A session store: hashes with a time to live, read and kept alive",
  phases = {
    vb.phase { name = "log in", run = vb.transaction { create, alive, name = "new session" },
               requests = math.floor(opt.sessions / 2), pipeline = 8 },
    vb.phase { name = "browse", run = request, duration = opt.time,
               thresholds = { "errors == 0" } },
  },
}
