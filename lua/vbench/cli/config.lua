--- Files of options: what --config reads and --save-config writes. A small part of YAML: a line
-- `name: value` each, lists and maps indented below their name, comments.
-- @module vbench.cli.config
local failure = require "vbench.failure"
local files = require "vbench.report.files"
local nearest = require "vbench.nearest"
local options = require "vbench.cli.options"

local M = {}

local ESCAPES = { n = "\n", t = "\t", r = "\r", ["0"] = "\0" }
local UNESCAPES = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\0"] = "\\0" }

local function unquote(text)
  local inner = text:match('^"(.*)"%s*$')
  if inner then return (inner:gsub("\\(.)", function(c) return ESCAPES[c] or c end)) end
  inner = text:match("^'(.*)'%s*$")
  if inner then return (inner:gsub("''", "'")) end
  return (text:gsub("%s+#.*$", ""):gsub("%s+$", ""))
end

local function quote(text)
  if text:find("^[%w./][%w_./:%%,=<>*()@ -]*$") and not text:find(" $") and not text:find(": ") then
    return text
  end
  return '"' .. text:gsub('[\\"]', "\\%0"):gsub("[%z\n\t\r]", UNESCAPES) .. '"'
end

-- What a file cannot say: it is of one call.
local OF_A_CALL = { config = true, save_config = true, help = true, version = true }

local function known_names()
  local list = { "scenario", "script" }
  for name, plain in pairs(options.names) do
    if not OF_A_CALL[plain] then list[#list + 1] = name end
  end
  for name in pairs(options.by_name) do
    if not OF_A_CALL[name] then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

local Reader = {}
Reader.__index = Reader

-- A line is not repeated in what is said of it: it may hold a password.
function Reader:fail(format, ...)
  local message = ("%s:%d: %s"):format(self.path, self.number, format:format(...))
  error(failure.new(failure.USAGE, message), 0)
end

local SWITCH = {
  ["true"] = true, yes = true, on = true, ["false"] = false, no = false, off = false,
}

-- A name with its value, or the beginning of a block.
function Reader:top(name, value)
  self.block, self.row = name, options.by_long[name] or options.by_name[name]
  if name == "script" then return end
  if name == "scenario" then
    self.state.scenario = unquote(value)
    return
  end
  local row = self.row
  if not row or OF_A_CALL[row.name] then
    self:fail("unknown option '%s'%s", name, nearest.hint(name, known_names()))
  end
  if value ~= "" then self:put(unquote(value)) end
end

function Reader:put(text)
  local row = self.row
  local list = self.state.texts[row.name] or { flag = ("%s:%d: %s"):format(self.path, self.number,
    self.block) }
  self.state.texts[row.name] = list
  if row.type == "flag" then
    if SWITCH[text] == nil then self:fail("'%s' is true or false, not '%s'", self.block, text) end
    list[1] = SWITCH[text]
  else
    list[#list + 1] = text
  end
end

-- A line below a name: an item of a list, or a member of a map.
function Reader:below(line)
  local item = line:match("^%s*%-%s+(.*)$")
  local name, value = line:match("^%s+([%w_-]+):%s*(.*)$")
  if self.block == "script" and name then
    self.state.script_args[name] = unquote(value)
  elseif self.row and item and self.row.type == "command" then
    local words = self.state.texts.command or {}
    self.state.texts.command, words[1] = words, words[1] or {}
    words[1][#words[1] + 1] = unquote(item)
  elseif self.row and item then
    self:put(unquote(item))
  elseif self.row and name and self.row.many == "map" then
    self:put(name .. "=" .. unquote(value))
  else
    self:fail("the line belongs to nothing above it")
  end
end

function Reader:line(line)
  if line:find("^%s*#") or line:find("^%s*$") or line:find("^%-%-%-%s*$") then return end
  if line:find("^%s") or line:find("^%- ") then return self:below(line) end
  local name, value = line:match("^([%w_-]+):%s*(.*)$")
  if not name then self:fail("the line is not \"name: value\"") end
  self:top(name, value)
end

--- Reads a file of options.
-- @tparam string path
-- @treturn table as of vbench.cli.parse: `texts`, `script_args`, `scenario`, `notes`
-- @raise a failure of exit code 2, with file and line
function M.read(path)
  local file, message = io.open(path, "r")
  if not file then error(failure.new(failure.USAGE, "--config: " .. message), 0) end
  local state = { texts = {}, script_args = {}, notes = {} }
  local reader = setmetatable({ path = path, number = 0, state = state }, Reader)
  for line in file:lines() do
    reader.number = reader.number + 1
    reader:line((line:gsub("\r$", "")))
  end
  file:close()
  for name, texts in pairs(state.texts) do
    if texts[1] == false then state.texts[name] = nil end
  end
  return state
end

local function sorted(map)
  local list = {}
  for name in pairs(map) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function write_option(out, row, texts)
  local name = row.long or row.name
  if row.type == "flag" then
    out[#out + 1] = name .. ": true"
  elseif row.type == "command" and type(texts[1]) == "table" or #texts > 1 then
    out[#out + 1] = name .. ":"
    for _, text in ipairs(type(texts[1]) == "table" and texts[1] or texts) do
      out[#out + 1] = "  - " .. quote(text)
    end
  else
    out[#out + 1] = ("%s: %s"):format(name, quote(texts[1]))
  end
end

--- The text of a file of options, without secrets and hosts.
-- It is what --config reads back.
-- @tparam table state of vbench.cli.parse
-- @treturn string
function M.text(state)
  local out = {}
  if state.scenario then out[1] = "scenario: " .. quote(state.scenario) end
  for _, name in ipairs(sorted(state.texts)) do
    local row = options.by_name[name]
    if not row.private then write_option(out, row, state.texts[name]) end
  end
  if state.words then write_option(out, options.by_name.command, { state.words }) end
  if next(state.script_args) then
    out[#out + 1] = "script:"
    for _, name in ipairs(sorted(state.script_args)) do
      out[#out + 1] = ("  %s: %s"):format(name, quote(state.script_args[name]))
    end
  end
  return table.concat(out, "\n") .. "\n"
end

--- Writes the options to a file.
-- @tparam string path
-- @tparam table state of vbench.cli.parse
-- @raise a failure of exit code 1
function M.save(path, state)
  local ok, message = files.write(path, M.text(state))
  if not ok then error(failure.new(failure.COULD_NOT_RUN, "--save-config: " .. message), 0) end
end

return M
