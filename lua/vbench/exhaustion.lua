--- Why the cursors of a phase have ended, for its message.
-- @module vbench.exhaustion
local cursor = require "vbench.cursor"
local phases = require "vbench.phase"

local M = {}

local REASONS = {
  existing = "no existing key of keyspace '%s' is left to draw",
  missing = "no missing key of keyspace '%s' is left to draw",
  ratio = "keyspace '%s' has no key that exists, or none that is missing, to keep the ratio",
}

local function reason_of(spec)
  if spec.claim then
    return spec.limit and nil or ("every id of keyspace '%s' exists or is claimed")
      :format(spec.keyspace.name)
  end
  return spec.filter and REASONS[spec.filter]:format(spec.keyspace.name)
end

--- What a phase that has ended early lacked.
-- @tparam table run what the phase runs
-- @treturn string for "its cursor ended after 5 operations: " or "; "
function M.reason(run)
  local found
  phases.each_command(run, function(command)
    for _, value in ipairs(command.spec.arguments) do
      cursor.each(value, function(spec) found = found or reason_of(spec) end)
    end
  end)
  return found or "cursor:wrap() starts it over"
end

return M
