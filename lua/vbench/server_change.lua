--- What a phase did to the servers: INFO before it and after it, and the difference.
-- @module vbench.server_change
local control = require "vbench.control"

local M = {}

-- Name in the report, field of INFO; growth between the two.
local GROWTH = {
  { "ops", "total_commands_processed" }, { "cpu_user_s", "used_cpu_user" },
  { "cpu_system_s", "used_cpu_sys" }, { "memory_bytes", "used_memory" },
  { "evicted_keys", "evicted_keys" }, { "expired_keys", "expired_keys" },
  { "hits", "keyspace_hits" }, { "misses", "keyspace_misses" },
  { "bytes_received", "total_net_input_bytes" }, { "bytes_sent", "total_net_output_bytes" },
  { "connections", "total_connections_received" }, { "error_replies", "total_error_replies" },
}

--- Reads INFO of every node.
-- @tparam table ctl of the run
-- @treturn {table,...} fields of each node; empty where the server says nothing, with `unreachable`
--   (why) where it did not answer at all
function M.read(ctl)
  return ctl:each_node("all", function(node)
    local text, message, status = node:try("INFO", "ALL")
    if status == "ECONNECT" or status == "EIO" then -- the connection was old: the server may be new
      text, message, status = node:try("INFO", "ALL")
    end
    local fields = control.parse_info(text or "")
    if message and status ~= "ESERVER" then fields.unreachable = message end
    return fields
  end)
end

-- CPU seconds are sums of microseconds: a difference has no more.
local function difference(a, b)
  return math.floor((b - a) * 1e6 + 0.5) / 1e6
end

local function of_node(before, after, seconds)
  local out = {}
  for _, entry in ipairs(GROWTH) do
    local a, b = before[entry[2]], after[entry[2]]
    if type(a) == "number" and type(b) == "number" then out[entry[1]] = difference(a, b) end
  end
  if out.cpu_user_s and out.cpu_system_s and seconds > 0 then
    out.cpu = math.floor((out.cpu_user_s + out.cpu_system_s) / seconds * 1e4 + 0.5) / 1e4
  end
  return out
end

--- What changed between two `read`s.
-- @tparam {table,...} before fields of each node
-- @tparam {table,...} after
-- @tparam number seconds between them
-- @treturn table all nodes together: `ops cpu_user_s cpu_system_s memory_bytes evicted_keys
--   expired_keys hits misses bytes_received bytes_sent connections error_replies`, and `cpu` (cores
--   in use: 1 is one core all the time); what the server does not tell is missing
-- @treturn {table,...} the same of each node
function M.between(before, after, seconds)
  local all, nodes = {}, {}
  for i in ipairs(before) do
    nodes[i] = of_node(before[i], after[i] or {}, seconds)
    for name, value in pairs(nodes[i]) do all[name] = (all[name] or 0) + value end
  end
  return all, nodes
end

return M
