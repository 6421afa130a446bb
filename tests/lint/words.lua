-- Nothing half-done is left in the source, every header says what it is and who may call it, and
-- every test of a specification asserts something.
local source = require("source")

local TEST = "\n%s*it%([\"']([^\n]-)[\"'],"
local UNFINISHED = { "TO" .. "DO", "FIX" .. "ME", "XX" .. "X", "HA" .. "CK" }
local found = {}

for _, path in ipairs(source.sources()) do
  for n, line in ipairs(source.lines(path)) do
    for _, word in ipairs(UNFINISHED) do
      if line:find("%f[%w_]" .. word .. "%f[^%w_]") then
        found[#found + 1] = ("%s:%d: %s"):format(path, n, line)
      end
    end
  end
end
for _, path in ipairs(source.files("src", "-name", "*.h")) do
  local lines = source.lines(path)
  local told = (lines[2] or ""):find("^ %* %S") or lines[1]:find("Private to", 1, true)
  if not lines[1]:find("^/%* %S") or not told then
    found[#found + 1] = path .. ": line 1 says what it is, line 2 who may call it"
  end
end

local function has_any(text, words)
  for word in pairs(words) do
    if text:find("%f[%w_]" .. word) then return true end
  end
end

-- "assert", and the functions of the file that lead to it.
local function asserting(text)
  local words = { assert = true }
  for _ = 1, 3 do -- a helper of a helper of a helper
    for indent, name, arguments in text:gmatch("\n( *)local function ([%w_]+)(%b())") do
      local head = "\n" .. indent .. "local function " .. name .. arguments
      local _, from = text:find(head, 1, true)
      local to = text:find("\n" .. indent .. "end", from, true)
      if has_any(text:sub(from, to), words) then words[name] = true end
    end
  end
  return words
end

for _, path in ipairs(source.files("tests", "-name", "*_spec.lua")) do
  local text = "\n" .. table.concat(source.lines(path), "\n") .. "\n"
  local words = asserting(text)
  local at, after, name = text:find(TEST)
  while at do
    local next_at, next_after, next_name = text:find(TEST, after)
    if not has_any(text:sub(after, next_at or -1), words) then
      found[#found + 1] = ("%s: %q asserts nothing"):format(path, name)
    end
    at, after, name = next_at, next_after, next_name
  end
end
source.finish(found)
