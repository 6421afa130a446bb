--- Why the cursors of a phase have ended, for its message.
-- @module vbench.exhaustion
local cursor = require "vbench.cursor"

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

local function each_command(run, visit)
  if run.kind == "mix" then
    for _, entry in ipairs(run.spec.entries) do each_command(entry.what, visit) end
  elseif run.spec.steps then
    for _, step in ipairs(run.spec.steps) do visit(step.command) end
  elseif run.kind == "command" then
    visit(run)
  end
end

--- What a phase that has ended early lacked.
-- @tparam table run what the phase runs
-- @treturn string for "its cursor ended after 5 operations: " or "; "
function M.reason(run)
  local found
  each_command(run, function(command)
    for _, value in ipairs(command.spec.arguments) do
      cursor.each(value, function(spec) found = found or reason_of(spec) end)
    end
  end)
  return found or "cursor:wrap() starts it over"
end

return M
