--- Server-side scripts as commands.
-- @api vbench.script
local command = require "vbench.command"
local failure = require "vbench.failure"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local registry = require "vbench.registry"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local FIELDS = {
  source = "string", keys = "table", args = "table", name = "string", reply = "table",
  on_reply = "function", readonly = "boolean", idempotent = "boolean", retry = "boolean|number",
}

local function digest(source)
  local out = ffi.new("char[41]")
  C.vb_sha1(source, #source, out)
  return ffi.string(out)
end

-- How many keys an argument stands for: EVALSHA says it before them.
local function count_of(key, where)
  if type(key) == "function" then
    fault.raise("%s is a function, which may return any number of keys; one key is " ..
      "vb.concat { fn }", where)
  end
  local spec = fields.kind(key) == "cursor" and key.spec
  if not spec or not spec.times_min then return 1 end
  if type(spec.times_min) == "number" and spec.times_min == spec.times_max then
    return spec.times_min
  end
  fault.raise("%s draws a number of keys that varies; a script says before them how many there " ..
    "are: :times(n)", where)
end

--- Declares a command that runs a server-side script: EVALSHA. The script is loaded on each node
-- before a phase; where a node has forgotten it in the middle of one (NOSCRIPT), it is loaded again
-- and the operation is sent again, which is a retry and no error.
-- @function vb.script
-- @tparam table given `source` (Lua of the server; required), `keys` (list of keys: cursors,
--   strings), `args` (list of arguments), and as of vb.command: `name` ("evalsha"), `reply`,
--   `on_reply`, `readonly`, `idempotent`, `retry`
-- @treturn command
-- @raise on unknown fields, a number of keys that varies, and as vb.command
function M.declare(given)
  local name = type(given) == "table" and type(given.name) == "string" and given.name or "evalsha"
  local where = ("script '%s'"):format(name)
  local spec = fields.read(given, FIELDS, where)
  if not spec.source or not spec.source:find("%S") then
    fault.raise("%s has no source: the text of the script", where)
  end
  local out, count = { "EVALSHA", digest(spec.source), 0, name = name }, 0
  for i = 1, fields.length(spec.keys or {}, "keys of " .. where) do
    count = count + count_of(spec.keys[i], ("key %d of %s"):format(i, where))
    out[#out + 1] = spec.keys[i]
  end
  for i = 1, fields.length(spec.args or {}, "args of " .. where) do out[#out + 1] = spec.args[i] end
  out[3] = count
  for _, field in ipairs { "reply", "on_reply", "readonly", "idempotent", "retry" } do
    out[field] = spec[field]
  end
  local self = command.declare(out)
  self.spec.script = spec.source
  return self
end

local function raise_refused(name, message)
  error(failure.new(failure.COULD_NOT_RUN, ("%s: script '%s': %s"):format(
    registry.position("command", name), name, message)), 0)
end

--- Loads every declared script on every node.
-- @tparam table ctl
-- @raise a failure: what a node answers, with the line of the vb.script
-- @local
function M.load(ctl)
  for _, name in ipairs(registry.names("command")) do
    local source = registry.get("command", name).spec.script
    if source then
      ctl:each_node("all", function(node)
        local digest, message = node:try("SCRIPT", "LOAD", source)
        if not digest then raise_refused(name, message) end
      end)
    end
  end
end

return M
