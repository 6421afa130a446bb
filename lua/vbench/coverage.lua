--- Before a phase: whether the keys of the reference sets that it needs exist, and that they stay.
-- `--reference-set-check`, `--reference-set-min`, `--reference-set-backfill`,
-- `--protect-reference-set`. Of main.
-- @module vbench.coverage
local backfill = require "vbench.backfill"
local failure = require "vbench.failure"
local phases = require "vbench.phase"
local reference_use = require "vbench.reference_use"
local scan = require "vbench.scan"
local text = require "vbench.report.text"
local vbffi = require "vbench.ffi"

local C = vbffi.C
local M = {}

local MINIMUM = 0.95
local NO_SETS = "the scenario has no reference set: its commands draw no queries of a dataset with "
  .. "ground truth, and no keys with :only(set) or :except(set)"

-- The option that asks for a check.
local function checking(options)
  return options.reference_set_backfill and "--reference-set-backfill"
    or options.reference_set_min and "--reference-set-min"
    or options.reference_set_check and "--reference-set-check"
end

local function any(list, fits)
  for _, one in ipairs(list) do
    if fits(one) then return true end
  end
  return false
end

local function check_backfill(uses)
  if any(uses, function(use) return use.dataset end) then return end
  failure.usage("--reference-set-backfill loads records of a dataset, and the reference sets of "
    .. "the scenario are of other keys: of keyspace '%s'", uses[1].keyspace.name)
end

local function check_protection(commands)
  local uses = reference_use.with_truths(reference_use.of(commands))
  if #uses == 0 then failure.usage("--protect-reference-set: %s", NO_SETS) end
  if any(uses, function(use) return reference_use.removes(commands, use.keyspace) end) then
    return
  end
  failure.usage("--protect-reference-set: no command deletes keys of keyspace '%s' with "
    .. "tracks = \"remove\", and others are sent as they are", uses[1].keyspace.name)
end

--- Refuses the options where they would have no effect.
-- @tparam table options general options
-- @raise a failure of exit code 2
function M.check(options)
  local flag, commands = checking(options), reference_use.commands()
  if flag then
    local uses = reference_use.of(commands)
    if #uses == 0 then failure.usage("%s: %s", flag, NO_SETS) end
    if options.reference_set_backfill then check_backfill(uses) end
  end
  if options.protect_reference_set then check_protection(commands) end
end

--- Protects all reference sets. Before setup.
-- @tparam table run of `vbench.run`
function M.begin(run)
  if not run.options.protect_reference_set then return end
  local commands = reference_use.commands()
  for _, use in ipairs(reference_use.with_truths(reference_use.of(commands))) do
    use.keyspace:protect_always(use.set)
  end
end

local function name_of(use)
  return table.concat(use.names, " and ")
end

local function found_line(phase, use, coverage)
  return ("phase '%s': %s of the %s of %s exist in keyspace '%s' (%s), %s missing"):format(
    phase.name, text.count(coverage.existing), text.plural(use.set:count(), "id"), name_of(use),
    use.keyspace.name, text.percent(coverage.ratio), text.count(coverage.missing))
end

-- What to do about it.
local function hint_of(use, coverage, options)
  if coverage.outside > 0 then
    return ("past the size of keyspace '%s': %s of the set"):format(use.keyspace.name,
      text.plural(coverage.outside, "id"))
  end
  local known = C.vb_tracker_count(use.keyspace.tracker) > 0 or options.tracker_init == "scan"
  local fill = use.dataset and not options.reference_set_backfill
    and "--reference-set-backfill loads what is missing" or nil
  if known then return fill end
  local how = { fill }
  if scan.can(use.keyspace) then how[#how + 1] = "--tracker-init scan asks the server" end
  how[#how + 1] = "commands that write keys say so with tracks = \"add\""
  return ("no key of '%s' is known to exist: %s"):format(use.keyspace.name,
    table.concat(how, "; "))
end

local function refuse(phase, use, coverage, options, need)
  error(failure.new(failure.THRESHOLDS, ("%s: the phase is not started%s"):format(
    found_line(phase, use, coverage), need), hint_of(use, coverage, options)), 0)
end

local function check_use(run, phase, use, load)
  local options = run.options
  local coverage, loaded = use.set:coverage(use.keyspace), 0
  local fills = options.reference_set_backfill and use.dataset
  if fills and coverage.missing > coverage.outside then
    loaded = backfill.run(run, use, load)
    coverage = use.set:coverage(use.keyspace)
  end
  if fills and coverage.missing > 0 then
    refuse(phase, use, coverage, options, (" after %s"):format(
      text.plural(loaded, "record was", "records were") .. " backfilled"))
  end
  local minimum = options.reference_set_min or MINIMUM
  if coverage.ratio < minimum then
    refuse(phase, use, coverage, options, (", at least %s were asked for"):format(
      text.percent(minimum)))
  end
  if not options.quiet then run.console:note(found_line(phase, use, coverage)) end
  return { coverage = coverage, backfilled = loaded }
end

--- Checks what a phase needs, and fills it in when that is asked for.
-- @tparam table run of `vbench.run`
-- @tparam phase phase its params set
-- @tparam function load runs a phase that is in no report, and gives its result
-- @treturn ?table name of a keyspace -> `coverage`, `backfilled`; nil when no check was asked for
-- @raise a failure of exit code 3 when too little is there
function M.prepare(run, phase, load)
  if not checking(run.options) or run.options.idle then return nil end
  local commands, out = {}, {}
  local function add(command) commands[#commands + 1] = command end
  phases.each_command(phase.run, add)
  for _, one in ipairs(phase.background or {}) do phases.each_command(one.run, add) end
  for _, use in ipairs(reference_use.of(commands)) do
    out[use.keyspace.name] = check_use(run, phase, use, load)
  end
  return out
end

return M
