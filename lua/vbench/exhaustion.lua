--- Why the cursors of a phase have ended, for its message.
-- @module vbench.exhaustion
local cursor = require "vbench.cursor"
local param = require "vbench.param"
local phases = require "vbench.phase"

local M = {}

local REASONS = {
  existing = "no existing key of keyspace '%s' is left to draw",
  missing = "no missing key of keyspace '%s' is left to draw",
  ratio = "keyspace '%s' has no key that exists, or none that is missing, to keep the ratio",
  claim = "every id of keyspace '%s' exists or is claimed",
}
local ENDS = { sequential = true, shuffled = true }

-- The limit of a cursor, when that many of its ids have been drawn.
local function limit_of(spec, operations)
  local limit = spec.limit and param.resolve(spec.limit)
  local times = spec.times_min and param.resolve(spec.times_max) or 1
  return limit and operations * times >= limit and limit
end

local function reason_of(spec, operations)
  local limit = limit_of(spec, operations)
  if limit then return (":limit(%d) of its cursor was reached"):format(limit) end
  local what = spec.claim and "claim" or spec.filter
  if what then return REASONS[what]:format(spec.keyspace.name) end
  return ENDS[spec.order] and not spec.current and "cursor:wrap() starts it over" or nil
end

--- What a phase that has ended early lacked.
-- @tparam table run what the phase runs
-- @tparam number entry which part of a mix ended it, from 1
-- @tparam number operations of the phase
-- @treturn string for "its cursor ended after 5 operations; "
function M.reason(run, entry, operations)
  local ended, found = run.kind == "mix" and run.spec.entries[entry].what or run, nil
  phases.each_command(ended, function(command)
    for _, value in ipairs(command.spec.arguments) do
      cursor.each(value, function(spec) found = found or reason_of(spec, operations) end)
    end
  end)
  return found or "it has no more ids"
end

return M
