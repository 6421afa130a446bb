--- Loads the records of a dataset that a reference set misses. Of main.
-- @module vbench.backfill
local combine = require "vbench.combine"
local command = require "vbench.command"
local phases = require "vbench.phase"
local text = require "vbench.report.text"

local M = {}

local CLIENTS, PIPELINE = 50, 16
-- What adds to what is there: done again, it would double the members.
local APPENDS = { RPUSH = true, LPUSH = true }

-- As the dataset's schema loads a record, for the ids of a set.
local function operation(dataset, missing)
  local records = require "vbench.records"
  local given = records.words(dataset, {
    name = "backfill", keys = dataset.keys:cursor():only(missing), tracks = "add",
  })
  if not APPENDS[dataset.load] then return command.make(given) end
  given[2] = dataset.keys:current()
  return combine.transaction {
    command.make { "DEL", dataset.keys:cursor():only(missing), name = "backfill del" },
    command.make(given), name = "backfill",
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
