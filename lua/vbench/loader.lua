--- Finds and loads scenarios, and says where `require` looks for libraries.
-- @module vbench.loader
local fields = require "vbench.fields"
local nearest = require "vbench.nearest"
local native = require "vbench.ffi"
local summary = require "vbench.summary"
local ffi, C = native.ffi, native.C

local M = {}

-- Scenarios that are linked in have paths such as "vbench:quickstart".
local BUILT_IN = "^vbench:(.+)$"
local DATA_SIZE = 4096

local own_path -- package.path before the first scenario

local function exists(path)
  local file = io.open(path, "rb")
  local readable = file and file:read(0) ~= nil or file and file:seek("end") == 0
  if file then file:close() end
  return readable
end

local function data_directory()
  local out = ffi.new("char[?]", DATA_SIZE)
  C.vb_build_data_directory(out, DATA_SIZE)
  return ffi.string(out)
end

-- Directories of libraries that belong to no scenario.
local function shared_places()
  local list = {}
  for place in (os.getenv("VBENCH_PATH") or ""):gmatch("[^:]+") do list[#list + 1] = place end
  local home = os.getenv("HOME")
  local user = os.getenv("XDG_DATA_HOME") or home and home .. "/.local/share"
  if user then list[#list + 1] = user .. "/vbench/lua" end
  list[#list + 1] = data_directory() .. "/lua"
  return list
end

--- Where `require` looks from a scenario, in this order: its directory, `lib/` beside it,
-- `$VBENCH_PATH`, the user's and the installed directory; what package.path had comes after.
-- @tparam ?string path of the scenario; nil or a built-in one has no directory
-- @treturn {string,...} directories
function M.places(path)
  local list = {}
  if path and not path:match(BUILT_IN) then
    local directory = path:match("^(.*)/[^/]*$") or "."
    list[1], list[2] = directory, directory .. "/lib"
  end
  for _, place in ipairs(shared_places()) do list[#list + 1] = place end
  return list
end

local function set_path(path)
  own_path = own_path or package.path
  local parts = {}
  for _, place in ipairs(M.places(path)) do
    parts[#parts + 1] = ("%s/?.lua;%s/?/init.lua"):format(place, place)
  end
  parts[#parts + 1] = own_path
  package.path = table.concat(parts, ";")
end

local function built_in()
  local found, list = pcall(require, "vbench.scenarios")
  return found and list or {}
end

-- Scenarios in a directory: files that return one. Their first comment says what they are.
local function in_directory(place)
  local list = {}
  local pipe = io.popen(("ls -1 -- '%s' 2>/dev/null"):format((place:gsub("'", "'\\''"))))
  for name in pipe:lines() do
    local base = name:match("^([%w_-]+)%.lua$")
    local file = base and io.open(place .. "/" .. name, "r")
    if file then
      local text = file:read("*a")
      file:close()
      if text:find("vb%.scenario%f[%W]") or text:find("%.scenario%s*{") then
        list[#list + 1] = { name = base, path = place .. "/" .. name,
          summary = summary.of(text) }
      end
    end
  end
  pipe:close()
  return list
end

--- The scenarios that can be called by name: those here, those of the shared places, those that are
-- linked in.
-- @treturn {table,...} `name`, `path`, `summary`; the first of a name wins
function M.list()
  local list, seen = {}, {}
  local function add(one)
    if seen[one.name] then return end
    seen[one.name], list[#list + 1] = true, one
  end
  for _, place in ipairs(M.places("./any")) do
    for _, one in ipairs(in_directory(place)) do add(one) end
  end
  for _, one in ipairs(built_in()) do
    add { name = one.name, path = "vbench:" .. one.name, summary = one.summary }
  end
  return list
end

local function find_named(name)
  for _, place in ipairs(M.places("./any")) do
    local path = ("%s/%s.lua"):format(place, name)
    if exists(path) then return (path:gsub("^%./", "")) end
  end
  for _, one in ipairs(built_in()) do
    if one.name == name then return "vbench:" .. name end
  end
end

--- Finds a scenario: a path, or a name that is looked up along the places, then among those that
-- are linked in.
-- @tparam string name "x.lua", "dir/x.lua", "quickstart"
-- @tparam[opt] {string,...} others names that could have been meant besides scenarios
-- @treturn ?string its path; "vbench:NAME" when it is linked in
-- @treturn ?string message
function M.find(name, others)
  if name:match(BUILT_IN) then return name end
  if name:find("/", 1, true) or name:find("%.lua$") then
    if exists(name) then return name end
    return nil, ("there is no scenario %s"):format(name)
  end
  local path = find_named(name)
  if path then return path end
  local names = {}
  for _, one in ipairs(M.list()) do names[#names + 1] = one.name end
  for _, one in ipairs(others or {}) do names[#names + 1] = one end
  return nil, ("there is no scenario '%s'%s"):format(name, nearest.hint(name, names))
end

-- A loader as `require` would find it; plain luajit has scripts/ as files.
local function built_in_chunk(name)
  local module = "scripts." .. name
  for _, search in ipairs(package.loaders) do
    local loader = search(module)
    if type(loader) == "function" then return loader end
  end
  return nil, ("there is no scenario '%s' in vbench itself"):format(name)
end

local function compile(path)
  local name = path:match(BUILT_IN)
  if name then return built_in_chunk(name) end
  return loadfile(path)
end

--- Whether a scenario's text can be compiled; nothing of it runs.
-- @tparam string path of M.find
-- @treturn ?boolean true
-- @treturn ?table `message`
function M.check_syntax(path)
  local chunk, message = compile(path)
  if chunk then return true end
  return nil, { message = message }
end

-- The script's own lines on the stack, innermost first, down to its chunk.
local function users_lines(chunk)
  local list, home = {}, debug.getinfo(1, "S").source:match("^(.*/)")
  for level = 3, 100 do
    local info = debug.getinfo(level, "Slf")
    if not info then break end
    local own = info.what ~= "C" and info.source:sub(1, #home) ~= home
    if own and info.currentline > 0 and not info.source:find("^=") then
      list[#list + 1] = ("%s:%d"):format(info.short_src, info.currentline)
    end
    if info.func == chunk then break end
  end
  return list
end

local HINTS = {
  { "attempt to index global 'vb'", 'begin with: local vb = require "vbench"' },
  { "attempt to call method", "methods are called with ':', as in keys:uniform()" },
  { "attempt to perform arithmetic on .- %(a table value%)",
    "a vb.param is a table: its value of now is param:get()" },
}

local function hint_for(message)
  for _, one in ipairs(HINTS) do
    if message:find(one[1]) then return one[2] end
  end
  if message:find("module '[^']*' not found") then
    return "libraries are looked for beside the scenario, in lib/ beside it, in $VBENCH_PATH, in "
      .. "~/.local/share/vbench/lua and on Lua's own path"
  end
end

-- A useful traceback has more than the line that the message names already.
local function failed(raised, chunk)
  local failure = type(raised) == "table" and raised or { message = tostring(raised) }
  if type(raised) ~= "table" then
    local lines = users_lines(chunk)
    if #lines > 1 then
      failure.traceback = "traceback:\n  " .. table.concat(lines, "\n  ")
    end
    failure.hint = hint_for(failure.message)
    failure.message = failure.message:gsub("(module '[^']*' not found):.*$", "%1")
  end
  return failure
end

--- Loads a scenario: runs its file, which declares. The session is to be entered before, and
-- `vbench.declarations` finished after it.
-- @tparam string path of M.find
-- @treturn ?table the scenario
-- @treturn ?table what went wrong: `message` (with file and line), `traceback` (where it says more
--   than the message), `hint`
function M.load(path)
  set_path(path)
  local chunk, message = compile(path)
  if not chunk then return nil, { message = message } end
  local ok, scenario = xpcall(chunk, function(raised)
    local failure = failed(raised, chunk)
    return failure
  end)
  if not ok then return nil, scenario end
  if fields.kind(scenario) == "scenario" then return scenario end
  return nil, {
    message = ("%s: the script gives %s, not a scenario"):format(path,
      scenario == nil and "nothing" or fields.describe(scenario)),
    hint = "its last line is: return vb.scenario { ... }",
  }
end

return M
