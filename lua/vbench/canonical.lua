--- The canonical form: declarations as text that is equal in every state that declares the same.
-- @module vbench.canonical
local argument = require "vbench.argument"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local registry = require "vbench.registry"

local M = {}

-- Kinds that stand by name where something else refers to them.
local NAMED = {
  command = true, dataset = true, flow = true, keyspace = true, param = true, reference_set = true,
}
local KINDS = {
  "command", "counter", "dataset", "flow", "keyspace", "metric", "option", "param",
  "reference_set",
}

local text_of

local function text_of_table(value, positions)
  local out = {}
  for _, key in ipairs(fields.names(value)) do
    local held = value[key]
    if held == nil then held = value[tonumber(key)] end
    out[#out + 1] = key .. "=" .. text_of(held, positions)
  end
  return "{" .. table.concat(out, ", ") .. "}"
end

function text_of(value, positions)
  local kind = fields.kind(value)
  if kind then
    if NAMED[kind] then return ("%s '%s'"):format(kind, value.name) end
    local what = rawget(value, "what")
    return kind .. (what and " " .. what or "") .. text_of_table(value.spec, positions)
  end
  local plain = type(value)
  if plain == "table" then return text_of_table(value, positions) end
  if plain == "string" then return ("%q"):format(value) end
  if plain == "number" then return argument.bytes_of(value) end
  if plain == "function" then
    return positions and "function " .. fault.written(value) or "function"
  end
  return tostring(value)
end

--- A value as text: keys sorted, declared things by kind and name.
-- @param value
-- @tparam ?boolean positions true: functions say where they were written; else they are only
--   "function", so that the text outlives an edit elsewhere in the file
-- @treturn string
function M.text(value, positions)
  return text_of(value, positions)
end

--- Everything declared, a line each, in the order of kinds and names.
-- @treturn string
function M.all()
  local out = {}
  for _, kind in ipairs(KINDS) do
    for _, name in ipairs(registry.names(kind)) do
      local text = text_of_table(registry.get(kind, name).spec, true)
      out[#out + 1] = ("%s '%s' %s"):format(kind, name, text:gsub("\\?\n", "\\n"))
    end
  end
  for i, condition in ipairs(registry.list("condition")) do
    out[#out + 1] = ("condition %d %s"):format(i, condition.what)
  end
  return table.concat(out, "\n") .. "\n"
end

local function lines_of(text)
  local list = {}
  for line in text:gmatch("([^\n]*)\n") do list[#list + 1] = line end
  return list
end

local function name_of(line)
  return line and line:match("^(%a+ '.-')%f[ ]") or line and line:match("^condition %d+")
end

--- Says where the declarations of two states differ first.
-- @tparam string main the text of the main state
-- @tparam string worker that of a worker's
-- @treturn ?string message that shows both, nil when they are equal
function M.difference(main, worker)
  local ours, theirs = lines_of(main), lines_of(worker)
  for i = 1, math.max(#ours, #theirs) do
    local a, b = ours[i], theirs[i]
    if a ~= b then
      -- A line that only one of the two has shifts those behind it.
      if a and b and name_of(a) ~= name_of(b) then
        if name_of(a) < name_of(b) then b = nil else a = nil end
      end
      return ("the script declares different things in different threads: what it declares must " ..
        "not depend on time, random numbers or the order of pairs\n  main:   %s\n  worker: %s")
        :format(a or "(nothing)", b or "(nothing)")
    end
  end
end

return M
