--- The scenario: what a script returns.
-- @api vbench.scenario
local fault = require "vbench.fault"
local fields = require "vbench.fields"

local M = {}

local FIELDS = {
  description = "string", phases = "table|function", main = "function", setup = "function",
  teardown = "function", thread = "table", on_second = "function",
}

-- Reports, --phases and thresholds know a phase by its name.
local function check_names(list)
  local known = {}
  for i = 1, #list do
    local phase = list[i]
    local other = known[phase.name]
    if other == phase then
      fault.raise_at(phase.position, "phase '%s' is twice in a list: make the second one by "
        .. "phase:with { name = \"...\" }", phase.name)
    elseif other then
      fault.raise_at(phase.position, "two phases are named '%s' (the other at %s): give one of "
        .. "them another name = \"...\"", phase.name, other.position)
    end
    known[phase.name] = phase
  end
end

--- Checks a list of phases.
-- @tparam table list
-- @treturn table the same list
-- @raise when one of them is none, when two of them, or one and what runs beside it, have one name
-- @local
function M.check_phases(list)
  if type(list) ~= "table" or fields.kind(list) then
    fault.raise("the phases of a scenario are a list of vb.phase { ... }, not %s",
      fields.describe(list))
  end
  local length = fields.length(list, "the scenario's phases")
  if length == 0 then fault.raise("the scenario has no phases") end
  for i = 1, length do
    if fields.kind(list[i]) ~= "phase" then
      fault.raise("phase %d of the scenario is %s; it takes vb.phase { ... }", i,
        fields.describe(list[i]))
    end
    check_names { list[i], unpack(list[i].background or {}) }
  end
  check_names(list)
  return list
end

--- Makes the scenario that a script returns.
-- @function vb.scenario
-- @tparam table given either `phases` (a list, or a function that returns one, called in main
--   before the run) or `main` (`function(run)`, full control); `description`; `setup`
--   (`function(ctl)`, whose returned table sets vb.params); `teardown` (`function(ctl, results)`);
--   `thread` = `{init = function(t), done = function(t)}`, called in each worker with t = `{index=,
--   state={}}`; `on_second` (`function(entry)` in main, each second)
-- @treturn scenario
-- @raise on unknown fields, when there is neither phases nor main, or both
function M.new(given)
  local self = fields.read(given, FIELDS, "vb.scenario")
  if (self.phases == nil) == (self.main == nil) then
    fault.raise("vb.scenario takes %s", self.phases and "phases or main, not both"
      or "phases = { ... } or main = function(run) ... end")
  end
  if type(self.phases) == "table" then M.check_phases(self.phases) end
  if self.thread then
    self.thread = fields.read(self.thread, { init = "function", done = "function" },
      "thread of vb.scenario")
  end
  self.kind = "scenario"
  return self
end

return M
