--- Plain data as Lua source: how tables go from one state to another.
-- @module vbench.plain
local M = {}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n" }

local function quote(text)
  return '"' .. text:gsub('[%c"\\\127-\255]', function(c)
    return ESCAPES[c] or ("\\%03d"):format(c:byte())
  end) .. '"'
end

local function number(value)
  if value ~= value then return "(0/0)" end
  if value == math.huge then return "(1/0)" end
  if value == -math.huge then return "(-1/0)" end
  return ("%.17g"):format(value)
end

local function less(a, b)
  if type(a) == type(b) then return a < b end
  return type(a) == "number"
end

local write

local function write_table(value, out, path, seen)
  if seen[value] then error(("%s holds itself"):format(path), 0) end
  seen[value] = true
  local keys = {}
  for key in pairs(value) do
    if type(key) ~= "string" and type(key) ~= "number" then
      error(("%s has a %s as a key: only strings and numbers can be"):format(path, type(key)), 0)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, less)
  out[#out + 1] = "{"
  for _, key in ipairs(keys) do
    out[#out + 1] = "[" .. (type(key) == "number" and number(key) or quote(key)) .. "]="
    write(value[key], out, path .. "." .. tostring(key), seen)
    out[#out + 1] = ","
  end
  out[#out + 1] = "}"
  seen[value] = nil
end

function write(value, out, path, seen)
  local kind = type(value)
  if kind == "table" then return write_table(value, out, path, seen) end
  if kind == "string" then
    out[#out + 1] = quote(value)
  elseif kind == "number" then
    out[#out + 1] = number(value)
  elseif kind == "boolean" or kind == "nil" then
    out[#out + 1] = tostring(value)
  else
    error(("%s is a %s: only tables, strings, numbers and booleans can be"):format(path, kind), 0)
  end
end

--- Writes plain data as Lua source.
-- @param value table, string, number, boolean or nil; tables without cycles, keyed by strings and
--   numbers
-- @tparam ?string name what it is, in errors ("what thread.done returned")
-- @treturn string a chunk that returns the value
-- @raise when there is something else in it, with the path to it
function M.write(value, name)
  local out = { "return " }
  write(value, out, name or "value", {})
  return table.concat(out)
end

--- Reads what M.write wrote; the chunk sees no globals.
-- @tparam string source
-- @return the value
-- @raise when it is no such source
function M.read(source)
  local chunk = assert(loadstring(source, "=data"))
  return setfenv(chunk, {})()
end

return M
