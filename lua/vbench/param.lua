--- vb.param: values that a run may change, from the next phase on.
-- @api vbench.param
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local nearest = require "vbench.nearest"
local object = require "vbench.object"
local registry = require "vbench.registry"
local session = require "vbench.session"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local methods = {}
local class = object.class("param", methods)

local TEXT_MAX = 255 -- VB_PARAM_TEXT and its end

-- The text of a command line as what the param holds.
local function typed(self, value)
  if type(value) == "string" and type(self.spec.default) == "number" then
    return tonumber(value)
  end
  if type(value) == type(self.spec.default) then return value end
end

local function one_of(list, value)
  if not list then return true end
  for _, choice in ipairs(list) do
    if choice == value then return true end
  end
  return false
end

local function show_list(list)
  local out = {}
  for i, value in ipairs(list) do out[i] = tostring(value) end
  return table.concat(out, ", ")
end

-- The value as it is kept, or nil and what is wrong with it.
local function accept(self, value)
  local spec, kept = self.spec, typed(self, value)
  if kept == nil or kept ~= kept then
    return nil, ("param '%s' is %s; it takes a %s"):format(self.name,
      type(value) == "string" and ("'%s'"):format(value) or fields.describe(value),
      type(spec.default))
  end
  if type(kept) == "string" and #kept > TEXT_MAX then
    return nil, ("param '%s' is a text of %d bytes; at most %d"):format(self.name, #kept, TEXT_MAX)
  end
  if (spec.min and kept < spec.min) or (spec.max and kept > spec.max) then
    return nil, ("param '%s' is %s; it takes %s to %s"):format(self.name, tostring(kept),
      tostring(spec.min or "any"), tostring(spec.max or "any"))
  end
  if not one_of(spec.choices, kept) then
    return nil, ("param '%s' is %s; it takes one of %s"):format(self.name, tostring(kept),
      show_list(spec.choices))
  end
  return kept
end

local function read_constraints(name, default, given)
  local where = ("vb.param '%s'"):format(name)
  local spec = fields.read(given or {},
    { min = "number", max = "number", choices = "table" }, where)
  if type(default) == "string" and (spec.min or spec.max) then
    fault.raise("%s holds a string: min and max are for numbers", where)
  end
  if spec.min and spec.max and spec.min > spec.max then
    fault.raise("%s: min %s is above max %s", where, spec.min, spec.max)
  end
  spec.default = default
  return spec
end

--- Declares a value that a run may change: usable wherever a number or a string of a command or a
-- phase is.
-- @function vb.param
-- @tparam string name unique among the params of the script
-- @tparam number|string default
-- @tparam ?table constraints `min`, `max` (numbers), `choices` (list)
-- @treturn param with `:get()`
-- @raise when the default, or the value given by `--param name=value`, is outside of them
function M.declare(name, default, constraints)
  if type(name) ~= "string" then
    fault.raise("vb.param takes a name first, not %s", fields.describe(name))
  end
  if type(default) ~= "number" and type(default) ~= "string" then
    fault.raise("vb.param '%s' takes a number or a string as its default, not %s", name,
      fields.describe(default))
  end
  local self = setmetatable({ kind = "param", name = name, index = false }, class)
  self.spec = read_constraints(name, default, constraints)
  local value = session.param_values[name]
  if value == nil then value = default end
  local kept, message = accept(self, value)
  if kept == nil then fault.raise("%s", message) end
  registry.add("param", name, self)
  session.params[name] = kept
  return self
end

local function index_of(self)
  if not self.index then self.index = registry.number("param", self.name) end
  return self.index
end

--- The value of now; in a hook, that of the phase that runs. Not for hot loops when it is a string.
-- @function param:get
-- @treturn number|string
function methods.get(self)
  if not session.worker or session.phase == "loading" then return session.params[self.name] end
  local number = C.vb_shared_param_number(session.shared, index_of(self))
  if number == number then return number end
  return ffi.string(C.vb_shared_param_text(session.shared, index_of(self)))
end

local function keep(self, value)
  session.params[self.name] = value
  if session.shared == nil then return end
  local text = type(value) == "string" and value or nil
  C.vb_shared_param_set(session.shared, index_of(self), text and 0 or value, text)
end

local function find(name)
  local self = registry.get("param", name)
  if self then return self end
  return nil, ("unknown param '%s'%s"):format(name, nearest.hint(name, registry.names("param")))
end

--- Sets values by name, for the phases from the next on. Main, between phases.
-- @tparam table values name -> number or string (texts of numbers are read)
-- @treturn ?table what they were before, by name; nil when a name or value is wrong (none is set)
-- @treturn ?string message
-- @local
function M.set(values)
  local kept, before = {}, {}
  for _, name in ipairs(fields.names(values)) do
    local self, message = find(name)
    if not self then return nil, message end
    kept[name], message = accept(self, values[name])
    if kept[name] == nil then return nil, message end
    before[name] = session.params[name]
  end
  for name, value in pairs(kept) do keep(registry.get("param", name), value) end
  return before
end

--- Checks values by name, as M.set would.
-- @tparam table values name -> number, string
-- @treturn ?boolean true, nil when a name or value is wrong
-- @treturn ?string message
-- @local
function M.check(values)
  for _, name in ipairs(fields.names(values)) do
    local self, message = find(name)
    local kept
    if self then kept, message = accept(self, values[name]) end
    if kept == nil then return nil, message end
  end
  return true
end

--- Writes all values to what the workers' states share. After load, before the first phase.
-- @local
function M.publish()
  for _, name in ipairs(registry.names("param")) do
    keep(registry.get("param", name), session.params[name])
  end
end

--- What a value is now: a param's value, any other as it is.
-- @param value
-- @return number, string or whatever it is
-- @local
function M.resolve(value)
  if fields.kind(value) == "param" then return session.params[value.name] end
  return value
end

return M
