--- Which reference sets commands need: the ids whose keys should be there when they are sent.
--
-- A command that draws queries of a dataset needs the records that its ground truth names. One
-- that draws keys of a set needs them, unless it is there to make or to delete them; one that
-- spares the keys of a set (`:except(set)`) relies on them, unless it makes all the others.
-- @module vbench.reference_use
local cursor = require "vbench.cursor"
local reference_set = require "vbench.reference_set"
local registry = require "vbench.registry"

local M = {}

local function add(uses, keyspace, set, dataset)
  local use = uses[keyspace]
  if not use then
    use = { keyspace = keyspace, dataset = dataset, sets = {}, names = {} }
    uses[keyspace], uses[#uses + 1] = use, use
  end
  if use.sets[set.name] then return end
  use.sets[set.name] = set
  use.names[#use.names + 1] = set.name
  use.set = use.set and use.set:union(set) or set
end

-- The dataset whose records the keys of a keyspace are.
local function dataset_of(keyspace)
  for _, name in ipairs(registry.names("dataset")) do
    local dataset = registry.get("dataset", name)
    if dataset.keys == keyspace then return dataset end
  end
end

local function add_cursor(uses, spec, tracks)
  if spec.as_value or spec.claim or spec.filter == "missing" or spec.filter == "ratio" then
    return
  end
  local set = tracks ~= "add" and (spec.except or tracks ~= "remove" and spec.only)
  if set then add(uses, spec.keyspace, set, dataset_of(spec.keyspace)) end
end

-- Made once: every neighbour of every query is read for it.
local truths = setmetatable({}, { __mode = "k" })

local function add_truth(uses, dataset)
  if dataset.neighbors_per_query == 0 then return end
  truths[dataset] = truths[dataset] or reference_set.of_truth(dataset)
  add(uses, dataset.keys, truths[dataset], dataset)
end

--- The sets that commands need.
-- @tparam {command,...} commands
-- @treturn {table,...} one for each keyspace: `keyspace`, `set` (all sets as one), `names` (of the
--   sets), `dataset` (whose records its keys are; nil: none)
function M.of(commands)
  local uses = {}
  for _, command in ipairs(commands) do
    for _, value in ipairs(command.spec.arguments) do
      cursor.each(value, function(spec) add_cursor(uses, spec, command.spec.tracks) end)
      cursor.each_of(value, "field", function(spec, field)
        if field.what == "query" then add_truth(uses, spec.dataset) end
      end)
    end
  end
  return uses
end

--- All commands of the script.
-- @treturn {command,...}
function M.commands()
  local list = {}
  for i, name in ipairs(registry.names("command")) do list[i] = registry.get("command", name) end
  return list
end

--- Whether a command deletes keys of a keyspace, and says so.
-- @tparam {command,...} commands
-- @tparam keyspace keyspace
-- @treturn boolean
function M.removes(commands, keyspace)
  local found = false
  for _, command in ipairs(commands) do
    if command.spec.tracks == "remove" then
      for _, value in ipairs(command.spec.arguments) do
        cursor.each(value, function(spec) found = found or spec.keyspace == keyspace end)
      end
    end
  end
  return found
end

--- Adds the sets of datasets that no command draws queries of: their records are to be kept too.
-- @tparam {table,...} uses of `of`
-- @treturn {table,...} the same
function M.with_truths(uses)
  for _, name in ipairs(registry.names("dataset")) do
    add_truth(uses, registry.get("dataset", name))
  end
  return uses
end

return M
