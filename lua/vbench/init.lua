--- vbench: the API of scenario scripts.
--
--     local vb = require "vbench"
--
-- Everything here declares; nothing writes to a server. See the modules for each function's fields.
-- @api vbench
local argument = require "vbench.argument"
local combine = require "vbench.combine"
local command = require "vbench.command"
local dataset = require "vbench.dataset"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local flow = require "vbench.flow"
local general = require "vbench.cli.options"
local generators = require "vbench.generators"
local keyspace = require "vbench.keyspace"
local keyspace_group = require "vbench.keyspace_group"
local metric = require "vbench.metric"
local nearest = require "vbench.nearest"
local options = require "vbench.options"
local param = require "vbench.param"
local phase = require "vbench.phase"
local reference_set = require "vbench.reference_set"
local scenario = require "vbench.scenario"
local script = require "vbench.script"
local session = require "vbench.session"
local subscriber = require "vbench.subscriber"
local values = require "vbench.cli.values"
require "vbench.reply"
require "vbench.request"

local VERSION_MAJOR, VERSION_MINOR = 0, 1

local M = {
  options = options.declare,
  param = param.declare,
  keyspace = keyspace.declare,
  dataset = dataset.declare,
  keyspace_group = keyspace_group.new,
  reference_set = reference_set.declare,
  metric = metric.metric,
  counter = metric.counter,

  command = command.declare,
  script = script.declare,
  subscriber = subscriber.declare,
  hits = command.hits,
  expect = command.expect,
  verify = command.verify,
  age = command.age,
  key = argument.key,
  arg = argument.arg,
  concat = argument.concat,
  json = argument.json,

  bytes = generators.bytes,
  id = generators.id,
  int = generators.int,
  float = generators.float,
  timestamp = generators.timestamp,
  stamp = generators.stamp,
  choice = generators.choice,
  tags = generators.tags,
  vector = generators.vector,
  text = generators.text,

  mix = combine.mix,
  sequence = combine.sequence,
  transaction = combine.transaction,
  flow = flow.declare,
  phase = phase.new,
  scenario = scenario.new,
}

-- Outside of the program nobody has read a command line: general options have their defaults.
local function default_of(field, name)
  local row = field == "args" and session.role == "plain" and general.by_name[name]
  if not row or row.default == nil then return nil end
  local value = values.read(row, row.default)
  return value
end

-- A view of one of the session's tables: always that of now, and not to be written to.
local function view(field, what, known)
  return setmetatable({}, {
    __index = function(_, name)
      if field == "args" then session.used[name] = true end
      local value = session[field][name]
      if value ~= nil then return value end
      if known()[name] then return (default_of(field, name)) end
      fault.raise("unknown %s '%s'%s", what, tostring(name),
        nearest.hint(tostring(name), fields.names(known())))
    end,
    __newindex = function(_, name)
      fault.raise("%s '%s' cannot be set by a script", what, tostring(name))
    end,
  })
end

local function general_options()
  local known = {}
  for _, name in pairs(general.names) do known[name] = true end
  for name in pairs(session.args) do known[name] = true end
  return known
end

local RUN = { id = true, started = true, seed = true }
local SERVER = {
  name = true, version = true, redis_version = true, mode = true, modules = true, resp = true,
}

--- The general options, as given or defaulted, by their long names with _ for -.
-- @field vb.args
M.args = view("args", "general option", general_options)

--- The run: `id`, `started` (seconds since 1970), `seed`; the same in every state.
-- @field vb.run
M.run = view("run", "field of vb.run", function() return RUN end)

--- What the server said of itself: `name`, `version`, `redis_version`, `mode`, `modules`, `resp`.
-- @field vb.server
M.server = view("server", "field of vb.server", function() return SERVER end)

--- Says which version of the API a library was written for.
-- @function vb.api
-- @tparam string version "0.1"
-- @raise when this vbench is older, or another major version
function M.api(version)
  local major, minor = tostring(version):match("^(%d+)%.(%d+)$")
  if not major then fault.raise("vb.api takes a version such as \"0.1\"") end
  if tonumber(major) ~= VERSION_MAJOR or tonumber(minor) > VERSION_MINOR then
    fault.raise("the script was written for version %s of the API; this vbench has %d.%d", version,
      VERSION_MAJOR, VERSION_MINOR)
  end
end

return setmetatable(M, {
  __index = function(_, name)
    fault.raise("unknown vb.%s%s", tostring(name), nearest.hint(tostring(name), fields.names(M)))
  end,
})
