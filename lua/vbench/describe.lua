--- What a report says of everything but the phases: the scenario, the options, both machines.
-- @module vbench.describe
local cjson = require "cjson"
local native = require "vbench.ffi"
local result = require "vbench.result"
local ffi, C = native.ffi, native.C

local M = {}

local FORMAT = 1

-- General options that hold or may hold a secret, or where something is; no report has them.
local HIDDEN = { auth = true, askpass = true, uri = true, user = true, config = true,
                 local_args = true }

-- Settings that change what a server can do.
local SETTINGS = { "maxmemory", "maxmemory-policy", "io-threads", "appendonly", "save" }

local function read_file(path)
  local file = path and io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

--- The SHA-256 of a text.
-- @tparam string text
-- @treturn string 64 hexadecimal digits
function M.sha256(text)
  local out = ffi.new("char[65]")
  C.vb_sha256(text, #text, out)
  return ffi.string(out)
end

local function digest_of(path)
  local text = read_file(path)
  return text and M.sha256(text) or cjson.null
end

-- Lua modules that the script required: files, and not vbench's own.
local function libraries()
  local list = {}
  for name in pairs(package.loaded) do
    local ours = name == "vbench" or name:find("^vbench%.")
    local path = not ours and package.searchpath(name, package.path)
    if path then list[#list + 1] = { name = name, file = path, sha256 = digest_of(path) } end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- What the report says of the scenario.
-- @tparam ?string path of its file; `vbench:NAME` when it is linked in (it has no digest then)
-- @tparam[opt] string name default: that of the file
-- @treturn table `name file sha256 libraries`
function M.scenario(path, name)
  local base = path and (path:match("^vbench:(.+)$") or path:match("[^/]*$"):gsub("%.lua$", ""))
  return {
    name = name or base or "scenario", file = path or cjson.null, sha256 = digest_of(path),
    libraries = libraries(),
  }
end

local function plain(value)
  local kind = type(value)
  if kind == "table" then
    local copy = {}
    for key, held in pairs(value) do copy[key] = plain(held) end
    return copy
  end
  return (kind == "string" or kind == "number" or kind == "boolean") and value or nil
end

--- The options without secrets.
-- @tparam table args general options
-- @tparam table script_args those of the script: name -> text
-- @treturn table
function M.options(args, script_args)
  local out = {}
  for name, value in pairs(args) do
    if not HIDDEN[name] then out[name] = plain(value) end
  end
  if next(script_args or {}) then out.script = plain(script_args) end
  return out
end

local function first_line(path)
  local text = read_file(path)
  return text and text:match("[^\n]+") or cjson.null
end

--- What the report says of the machine that the client runs on.
-- @treturn table `name cores cpu kernel`
function M.host()
  local name = ffi.new("char[256]")
  C.vb_process_host(name, 256)
  local cpu = (read_file("/proc/cpuinfo") or ""):match("model name%s*:%s*([^\n]+)")
  return { name = ffi.string(name), cores = C.vb_cores(), cpu = cpu or cjson.null,
           kernel = first_line("/proc/sys/kernel/osrelease") }
end

--- What the report says of the server.
-- @tparam table said of `vbench.server`
-- @tparam table ctl of the run
-- @treturn table what it said, `addresses` and `config`: settings that matter
function M.server(said, ctl)
  local out, config = {}, {}
  for key, value in pairs(said) do out[key] = value end
  for _, name in ipairs(SETTINGS) do
    local pair = ctl:try("CONFIG", "GET", name)
    if pair and pair[2] then config[name] = pair[2] end
  end
  out.config, out.addresses = config, {}
  for i, node in ipairs(ctl.topology.nodes) do out.addresses[i] = node.address end
  return out
end

--- The beginning of a report.
-- @tparam table fields `scenario` and `server` as above, `args`, `script_args`, and `run`
--   with `started` and `seed`
-- @treturn table a report without phases
function M.report(fields)
  return {
    vbench = ffi.string(C.vb_version()), format = FORMAT,
    title = fields.args.title or "", tags = plain(fields.args.tag or {}),
    scenario = fields.scenario, options = M.options(fields.args, fields.script_args),
    seed = fields.run.seed, started_at = result.time_of_day(fields.run.started),
    host = M.host(), server = fields.server, baseline = cjson.null,
    status = "ok", exit_code = 0, phases = {}, optimizer = cjson.null,
  }
end

return M
