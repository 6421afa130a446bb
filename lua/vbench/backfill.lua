--- Loads the records of a dataset that a reference set misses. Of main.
-- @module vbench.backfill
local combine = require "vbench.combine"
local command = require "vbench.command"
local cursor = require "vbench.cursor"
local fields = require "vbench.fields"
local object = require "vbench.object"
local phases = require "vbench.phase"
local registry = require "vbench.registry"
local text = require "vbench.report.text"

local M = {}

local CLIENTS, PIPELINE = 50, 16
-- What adds to what is there: done again, it would double the members.
local APPENDS = { rpush = true, lpush = true }

-- Whether a command loads a record of a dataset, as it is or for other ids: its key is an argument.
local function is_load(one, dataset)
  local draws, records = 0, 0
  for _, value in ipairs(one.spec.arguments) do
    cursor.each(value, function(spec)
      local one_key = fields.kind(value) == "cursor" and spec.keyspace == dataset.keys
        and not spec.times_min
      if not spec.current then draws = draws + (one_key and 1 or 2) end
    end)
    cursor.each_of(value, "field", function(spec, field)
      if spec.dataset == dataset and field.what ~= "query" then records = records + 1 end
    end)
  end
  return one.spec.tracks == "add" and draws == 1 and records > 0
end

-- The command of the script that loads records, when there is one.
local function own_load(dataset)
  local found
  for _, name in ipairs(registry.names("command")) do
    local one = registry.get("command", name)
    if is_load(one, dataset) then
      if found then return nil end
      found = one
    end
  end
  return found
end

-- A copy of a command whose key is another.
local function with_key(one, key)
  local out, spec = object.copy(one), object.copy(one.spec)
  spec.arguments = object.copy(spec.arguments)
  for i, value in ipairs(spec.arguments) do
    if fields.kind(value) == "cursor" and not value.spec.current then spec.arguments[i] = key end
  end
  out.spec = spec
  return setmetatable(out, getmetatable(one))
end

-- As the script loads a record, else as the dataset's schema says.
local function load_of(dataset, key)
  local own = own_load(dataset)
  if own then return with_key(own, key) end
  return command.make(require("vbench.records").words(dataset, {
    name = "backfill add", keys = key, tracks = "add",
  }))
end

local function operation(dataset, missing)
  local key = dataset.keys:cursor():only(missing)
  local load = load_of(dataset, key)
  if not APPENDS[tostring(load.spec.arguments[1]):lower()] then return load end
  return combine.transaction {
    command.make { "DEL", key, name = "backfill del" }, with_key(load, dataset.keys:current()),
    name = "backfill",
  }
end

local function first_error(result)
  for kind, one in pairs(result.errors_by_kind) do
    return ("%s: %s"):format(kind, one.first or "")
  end
end

--- Loads what is missing.
-- @tparam table run of `vbench.run`
-- @tparam table use of `vbench.reference_use`, of a dataset
-- @tparam function load runs a phase, gives its result
-- @treturn number records that are there now and were not
function M.run(run, use, load)
  local missing, keyspace = use.set:missing_in(use.keyspace), use.keyspace
  local before = keyspace:count()
  local phase = phases.new {
    name = ("backfill of '%s'"):format(keyspace.name), run = operation(use.dataset, missing),
    clients = CLIENTS, pipeline = PIPELINE, until_exhausted = true,
  }
  local result = load(phase)
  local loaded = keyspace:count() - before
  if result.errors > 0 then
    run.console:note(("%s: %s, first: %s"):format(phase.name, text.plural(result.errors, "error"),
      first_error(result)))
  end
  if not run.options.quiet then
    run.console:note(("%s: %s loaded in %s"):format(phase.name, text.plural(loaded, "record"),
      text.duration(result.seconds)))
  end
  return loaded
end

return M
