--- What a phase did to the keyspaces whose keys are tracked: `keyspaces` of its report. Of main.
-- @module vbench.keyspace_report
local cjson = require "cjson"
local registry = require "vbench.registry"
local snapshot = require "vbench.snapshot"
local vbffi = require "vbench.ffi"

local C = vbffi.C
local M = {}

local null = cjson.null
local SCAN = { "found", "new", "stale", "out_of_range", "seconds", "keys_per_s" }

local function mark_of(keyspace, tracker, keep)
  return {
    count = tonumber(C.vb_tracker_count(tracker)),
    skipped = tonumber(C.vb_tracker_skipped_protected(tracker)),
    snapshot = keep and snapshot.take(keyspace),
  }
end

--- Looks at the keyspaces, before a phase begins.
-- @tparam ?boolean keep keeps a snapshot of each, so that added and removed ids can be counted
-- @treturn table for `entries`
function M.look(keep)
  local seen = { keep = keep or false, marks = {} }
  for _, name in ipairs(registry.names("keyspace")) do
    local keyspace = registry.get("keyspace", name)
    local tracker = C.vb_keyspace_tracker(keyspace.handle)
    if tracker ~= nil then seen.marks[name] = mark_of(keyspace, tracker, keep) end
  end
  return seen
end

-- Of a tracker that the phase made, nothing was known: all that it knows has come.
local function changes(keyspace, mark, keep, after)
  if not keep then return null, null end
  if not mark then return after, 0 end
  local now = snapshot.take(keyspace)
  local added = now:added_since_count(mark.snapshot)
  local removed = now:removed_since_count(mark.snapshot)
  now:close()
  mark.snapshot:close()
  return added, removed
end

-- A scan is told once, with the phase that came after it.
local function scan_of(keyspace)
  local result = keyspace.scanned
  if not result then return null end
  keyspace.scanned = false
  local out = {}
  for _, name in ipairs(SCAN) do out[name] = result[name] end
  return out
end

local function entry_of(keyspace, tracker, seen, covered)
  local mark, after = seen.marks[keyspace.name], tonumber(C.vb_tracker_count(tracker))
  local added, removed = changes(keyspace, mark, seen.keep, after)
  local coverage = covered.coverage
  return {
    name = keyspace.name, before = mark and mark.count or 0, after = after, added = added,
    removed = removed, protected = keyspace.protected and keyspace.protected:count() or 0,
    skipped_protected = tonumber(C.vb_tracker_skipped_protected(tracker))
      - (mark and mark.skipped or 0),
    coverage = coverage and { existing = coverage.existing, missing = coverage.missing,
                              ratio = coverage.ratio } or null,
    backfilled = covered.backfilled or 0, scan = scan_of(keyspace),
  }
end

--- What has become of them since.
-- @tparam table seen of `look`
-- @tparam ?table covered name of a keyspace -> `coverage`, `backfilled`: of the reference sets that
--   the phase uses, as it began
-- @treturn {table,...} by name: `name before after added removed` (null without snapshots)
--   `protected skipped_protected coverage` (null when it was not asked for) `backfilled scan`
--   (null when none came before the phase)
function M.entries(seen, covered)
  local list = {}
  for _, name in ipairs(registry.names("keyspace")) do
    local keyspace = registry.get("keyspace", name)
    local tracker = C.vb_keyspace_tracker(keyspace.handle)
    if tracker ~= nil then
      list[#list + 1] = entry_of(keyspace, tracker, seen, covered and covered[name] or {})
    end
  end
  return list
end

return M
