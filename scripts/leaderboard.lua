-- Leaderboards: sorted sets whose members are players, read at the top and around a player.
--
-- Learn from it: cursors that are data and not keys (`players:uniform():value()`), two keyspaces in
-- one command, numbers from a distribution, a weighted mix.
local vb = require "vbench"

local opt = vb.options {
  boards  = { "int", default = 100, help = "how many leaderboards" },
  players = { "int", default = 100000, help = "how many players" },
  seconds = { "duration", default = "5s", help = "how long to run" },
}

local boards = vb.keyspace { prefix = "board:", width = 0, size = opt.boards }
local players = vb.keyspace { prefix = "player:", size = opt.players }

local points = vb.int { min = 0, max = 1000000, dist = "zipfian", skew = 0.8 }
local add = vb.command { "ZADD", boards:uniform(), points, players:uniform():value() }
local score = vb.command { "ZINCRBY", boards:zipfian(0.9), vb.int { min = 1, max = 50 },
                           players:zipfian(0.99):value() }
local top = vb.command { "ZREVRANGE", boards:zipfian(0.9), 0, 9, "WITHSCORES", name = "top" }
local rank = vb.command { "ZREVRANK", boards:zipfian(0.9), players:zipfian(0.99):value(),
                          name = "rank", reply = vb.hits() }

return vb.scenario {
  description = "Leaderboards: scores added, the top ten and single ranks read",
  phases = {
    vb.phase { name = "fill", run = add, requests = opt.players, pipeline = 16 },
    vb.phase { name = "play", run = vb.mix { { 50, score }, { 30, top }, { 20, rank } },
               duration = opt.seconds, thresholds = { "errors == 0" } },
  },
}
