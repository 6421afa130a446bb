-- Stores JSON documents and reads parts of them; runs where the server has JSON.SET.
--
-- Learn from it: vb.json puts a document together in C from generators; vb.server says what the
-- server can do, before anything runs.
local vb = require "vbench"

local opt = vb.options {
  documents = { "int", default = 20000, help = "how many documents" },
  seconds   = { "duration", default = "3s", help = "how long to read" },
}

local docs = vb.keyspace { prefix = "doc:", size = opt.documents }

local document = vb.json {
  { "id", vb.id() },
  { "title", vb.text { words = { min = 2, max = 5 } } },
  { "price", vb.float { min = 1, max = 500, decimals = 2 } },
  { "stock", vb.int { min = 0, max = 1000 } },
  { "tags", vb.tags { new = 20, sale = 10, blue = 30 } },
  { "kind", vb.choice { "book", "film", "game" } },
}

local put = vb.command { "JSON.SET", docs:sequential(), "$", document, name = "put" }
local price = vb.command { "JSON.GET", docs:zipfian(0.99), "$.price", name = "price",
                           reply = vb.hits() }

return vb.scenario {
  description = "JSON documents: stored whole, read by path",
  setup = function(ctl)
    local found = ctl:try("COMMAND", "INFO", "JSON.SET")
    if not found or #found == 0 or not found[1] then
      error("this server has no JSON.SET: take Redis 8, or load a JSON module (valkey-json)", 0)
    end
  end,
  phases = {
    vb.phase { name = "store", run = put, requests = opt.documents, pipeline = 16 },
    vb.phase { name = "read", run = price, duration = opt.seconds,
               thresholds = { "errors == 0", "hit_rate == 1" } },
  },
}
