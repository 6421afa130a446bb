--- The base round trip: what a request costs when nothing else goes on, on one connection.
-- @module vbench.baseline
local cjson = require "cjson"

local M = {}

local SAMPLES = 200

local function median_us(ctl, ...)
  local times = ctl:round_trips(SAMPLES, ...)
  if not times then return cjson.null end
  table.sort(times)
  return math.floor((times[SAMPLES / 2] + times[SAMPLES / 2 + 1]) / 2 * 1e9 + 0.5) / 1000
end

--- Measures PING, and GET of a key that is missing.
-- @tparam table ctl of the run
-- @tparam string id of the run, for a key that nobody has
-- @treturn table `ping_us`, `get_miss_us`: medians; null where the server refuses the command
function M.measure(ctl, id)
  return { ping_us = median_us(ctl, "PING"),
           get_miss_us = median_us(ctl, "GET", "vbench:missing:" .. id) }
end

return M
