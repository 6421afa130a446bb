--- What a run does with trackers before and after its phases: `--tracker-file`, `--tracker-init`.
-- @module vbench.tracker_file
local failure = require "vbench.failure"
local files = require "vbench.report.files"
local registry = require "vbench.registry"
local scan = require "vbench.scan"
local text = require "vbench.report.text"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local function all() return true end

-- Those that `wanted` takes, and their handles.
local function keyspaces(wanted)
  local list = {}
  for _, name in ipairs(registry.names("keyspace")) do
    local one = registry.get("keyspace", name)
    if (wanted or all)(one) then list[#list + 1] = one end
  end
  local handles = ffi.new("const vb_keyspace *[?]", math.max(#list, 1))
  for i, one in ipairs(list) do handles[i - 1] = one.handle end
  return list, handles
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function check(status, err)
  if status == 0 then return end
  local code = status == C.VB_EINVAL and failure.USAGE or failure.COULD_NOT_RUN
  error(failure.new(code, "--tracker-file: " .. ffi.string(err.text)), 0)
end

--- Refuses the options where they would have no effect, and a file that cannot be written: the run
-- would be over when that is found.
-- @tparam table options general options
-- @raise a failure
function M.check(options)
  local name = options.tracker_file and "--tracker-file"
    or options.tracker_init == "scan" and "--tracker-init"
    or options.workload_snapshot and "--workload-snapshot"
  if name and #registry.names("keyspace") == 0 then
    error(failure.new(failure.USAGE, name .. ": the scenario has no keyspace"), 0)
  end
  if not options.tracker_file then return end
  local writable, message = files.check_writable(options.tracker_file)
  if not writable then
    error(failure.new(failure.COULD_NOT_RUN, "--tracker-file: " .. message), 0)
  end
end

local function load(run, path)
  local list, handles = keyspaces()
  local loaded, err = ffi.new("uint32_t[1]"), vbffi.new_error()
  check(C.vb_tracker_file_load(path, handles, #list, loaded, err), err)
  if run.options.quiet then return end
  for _, one in ipairs(list) do
    local tracker = C.vb_keyspace_tracker(one.handle)
    if tracker ~= nil then
      run.console:note(("%s: %s keys of '%s' are known"):format(path,
        text.count(tonumber(C.vb_tracker_count(tracker))), one.name))
    end
  end
end

--- Loads the file, when there is one, and scans. Before setup.
-- @tparam table run `options`, `console`, `ctl`
-- @raise a failure
function M.begin(run)
  local path = run.options.tracker_file
  if path and exists(path) then load(run, path) end
  if run.options.tracker_init ~= "scan" then return end
  for _, one in ipairs((keyspaces())) do
    if scan.can(one) then run.ctl:scan(one) end
  end
end

--- Saves what is known. After teardown.
-- @tparam table run `options`
-- @raise a failure
function M.finish(run)
  local path = run.options.tracker_file
  if not path then return end
  -- A file of ids that would be written as other keys is worse than none.
  local list, handles = keyspaces(function(one)
    local learned = C.vb_keyspace_learned(one.handle, ffi.new("uint64_t[1]")) > 0
    if learned then
      run.console:note(("--tracker-file: '%s' is left out: its keys have hash tags of others, "
        .. "which only a scan tells"):format(one.name))
    end
    return not learned
  end)
  local err = vbffi.new_error()
  check(C.vb_tracker_file_save(path, handles, #list, err), err)
end

return M
