--- Ramps: the stages of a phase that change its rate or its clients over time.
-- @module vbench.ramp
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local native = require "vbench.ffi"
local param = require "vbench.param"
local units = require "vbench.units"
local ffi, C = native.ffi, native.C

local M = {}

local NS = 1e9
local FIELDS = { duration = "duration", rate = "rate", clients = "count", step = "boolean" }
local KINDS = { rate = C.VB_RAMP_RATE, clients = C.VB_RAMP_CLIENTS }

local function kind_of(stage, where)
  local kind = stage.rate ~= nil and "rate" or stage.clients ~= nil and "clients"
  if not kind then fault.raise("%s has no target: rate = or clients =", where) end
  if stage.rate ~= nil and stage.clients ~= nil then
    fault.raise("%s has both rate and clients: a ramp changes one of them", where)
  end
  return kind
end

local function read_stage(given, where)
  local stage = fields.read(given, FIELDS, where, { params = true })
  if stage.duration == nil or stage.duration == 0 then
    fault.raise("%s has no duration: \"10s\"", where)
  end
  local kind = kind_of(stage, where)
  if kind == "clients" and stage.clients == 0 then
    fault.raise("%s goes to 0 clients; it takes 1 or more", where)
  end
  return stage, kind
end

--- Reads the field `ramp` of a phase.
-- @tparam table list stages: `duration` and `rate` (operations a second) or `clients` at its end;
--   `step = true`: from its begin on, else in a line from the target before it
-- @tparam string where "phase 'read'"
-- @treturn table the stages, and `kind` ("rate" or "clients")
-- @raise at the user's line
function M.read(list, where)
  if list.kind == "rate" or list.kind == "clients" then return list end -- of a copied phase
  local out = {}
  local count = fields.length(list, "ramp of " .. where)
  if count == 0 then
    fault.raise("ramp of %s is empty: { { duration = \"10s\", rate = 1000 }, ... }", where)
  end
  for i = 1, count do
    local stage, kind = read_stage(list[i], ("stage %d of the ramp of %s"):format(i, where))
    if out.kind and out.kind ~= kind then
      fault.raise("stage %d of the ramp of %s changes %s, those before it %s: one of them", i,
        where, kind, out.kind)
    end
    out[i], out.kind = stage, kind
  end
  return out
end

-- A vb.param among them has its value now.
local function value_of(stage, name, where)
  local value, message = param.resolve(stage[name]), nil
  if type(value) ~= "number" or fields.kind(stage[name]) == "param" then
    value, message = units[FIELDS[name]](value)
  end
  if value == nil then error(("%s: %s: %s"):format(where, name, message), 0) end
  return value
end

--- The stages of a phase as they are now.
-- @tparam phase phase with a ramp
-- @treturn table `kind`, `seconds` (all together), `most` (the highest target), `stages` (cdata
--   vb_stage[]) and their `count`
-- @raise when a vb.param has a value that is none for its field
function M.resolve(phase)
  local list = phase.ramp
  local out = { kind = list.kind, count = #list, seconds = 0, most = 0,
                stages = ffi.new("vb_stage[?]", #list) }
  for i, stage in ipairs(list) do
    local where = ("phase '%s', stage %d of its ramp"):format(phase.name, i)
    local seconds, target = value_of(stage, "duration", where), value_of(stage, list.kind, where)
    out.stages[i - 1].duration_ns = seconds * NS
    out.stages[i - 1].target = target
    out.stages[i - 1].step = stage.step and 1 or 0
    out.seconds, out.most = out.seconds + seconds, math.max(out.most, target)
  end
  return out
end

--- What C calls the kind of a ramp.
-- @tparam table ramp of `resolve`
-- @treturn number enum vb_ramp
function M.number(ramp)
  return KINDS[ramp.kind]
end

return M
