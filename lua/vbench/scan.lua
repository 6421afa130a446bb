--- Fills the tracker of a keyspace from what the servers hold: `ctl:scan(keys)`.
-- @module vbench.scan
local failure = require "vbench.failure"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local session = require "vbench.session"
local text = require "vbench.report.text"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local POLL_S, SAY_S = 0.02, 1

-- What C needs, and what must live as long as it reads it.
local function spec_of(control, keyspace, options)
  local shared, login, primaries = control.shared, control.login, {}
  for _, one in ipairs(shared.nodes) do
    if one.node.role == "primary" then primaries[#primaries + 1] = one end
  end
  login = login or primaries[1].login
  local endpoints = ffi.new("vb_endpoint[?]", #primaries)
  for i, one in ipairs(primaries) do
    local node, endpoint = one.node, endpoints[i - 1]
    endpoint.host, endpoint.path = node.path == nil and node.host or nil, node.path
    endpoint.port, endpoint.family, endpoint.tls = node.port or 0, shared.family, node.tls
  end
  local spec = ffi.new("vb_keyscan_spec")
  spec.keyspace, spec.endpoints, spec.endpoint_count = keyspace.handle, endpoints, #primaries
  spec.login.user, spec.login.password = login.user, login.password
  spec.login.client_name, spec.login.database = login.client_name, login.database or 0
  spec.login.resp, spec.timeout_ms = 2, shared.timeout_ms
  spec.anywhere = options.tagged and 1 or 0
  return spec, { endpoints, primaries, login }
end

local function say(control, form, ...)
  local line = control.shared.say
  if line then line(form:format(...)) end
end

-- Waits for the servers, and says once a second how far they are.
local function watch(control, keyspace, scan, counts)
  local started = C.vb_clock_monotonic()
  local said, before = started, 0
  repeat
    C.vb_clock_sleep(POLL_S)
    C.vb_keyscan_progress(scan, counts)
    local now, keys = C.vb_clock_monotonic(), tonumber(counts.keys)
    if now - said >= SAY_S then
      say(control, "scan of '%s': %s keys, %s a second", keyspace.name, text.count(keys),
        text.count((keys - before) / (now - said)))
      said, before = now, keys
    end
    if control.shared.interrupted() then
      C.vb_keyscan_stop(scan)
      error(failure.new(failure.INTERRUPTED, "ctl:scan: interrupted"), 0)
    end
  until counts.running == 0
  return C.vb_clock_monotonic() - started
end

local function result_of(counts, seconds, learned_bytes)
  local keys = tonumber(counts.keys)
  return {
    keys = keys, found = tonumber(counts.found), new = tonumber(counts.added),
    stale = tonumber(counts.stale), tagged = tonumber(counts.tagged),
    learned = tonumber(counts.learned), learned_bytes = learned_bytes,
    out_of_range = tonumber(counts.outside), unparsable = tonumber(counts.foreign),
    seconds = seconds, keys_per_s = keys / math.max(seconds, 1e-9),
  }
end

local function summary(keyspace, r)
  local line = ("scan of '%s': %s found, %s new, %s stale"):format(keyspace.name,
    text.count(r.found), text.count(r.new), text.count(r.stale))
  local others = {
    { "out_of_range", "out of range" }, { "unparsable", "unparsable" },
    { "tagged", "under another hash tag" },
  }
  for _, other in ipairs(others) do
    if r[other[1]] > 0 then line = line .. (", %s %s"):format(text.count(r[other[1]]), other[2]) end
  end
  if r.learned > 0 then
    line = line .. (", %s of those found under hash tags of others, kept in %d KiB"):format(
      text.count(r.learned), r.learned_bytes / 1024)
  end
  return line .. (" (%.2f s, %s keys a second)"):format(r.seconds, text.count(r.keys_per_s))
end

--- Whether the keys of a keyspace say their ids.
-- @tparam keyspace keyspace
-- @treturn boolean
function M.can(keyspace)
  return keyspace.spec.sub ~= "argument"
end

--- Scans all primaries.
-- @tparam table control ctl
-- @tparam keyspace keyspace
-- @tparam ?table options `tagged`
-- @treturn table as `ctl:scan` says
function M.run(control, keyspace, options)
  if fields.kind(keyspace) ~= "keyspace" then
    fault.raise("ctl:scan takes a keyspace, not %s", fields.describe(keyspace))
  end
  if keyspace.spec.sub == "argument" then
    fault.raise("ctl:scan: the sub-ids of keyspace '%s' are not in its keys", keyspace.name)
  end
  if session.role == "worker" then fault.raise("ctl:scan is for main, not for workers") end
  options = fields.read(options or {}, { tagged = "boolean" }, "ctl:scan")
  if options.tagged and keyspace.spec.stored then
    fault.raise("ctl:scan: tagged goes with keys that are made of ids; those of '%s' are stored in "
      .. "its dataset", keyspace.name)
  end
  local spec, anchors = spec_of(control, keyspace, options)
  local out, counts, err = ffi.new("vb_keyscan *[1]"), ffi.new("vb_keyscan_counts"),
    vbffi.new_error()
  if C.vb_keyscan_start(out, spec, err) ~= 0 then
    error(failure.new(failure.COULD_NOT_RUN, ffi.string(err.text)), 0)
  end
  local scan = out[0]
  local function free() C.vb_keyscan_free(scan) end
  local seconds = vbffi.or_free(free, function() return watch(control, keyspace, scan, counts) end)
  local status = C.vb_keyscan_apply(scan, counts, err)
  free()
  anchors[1] = nil
  if status ~= 0 then error(failure.new(failure.COULD_NOT_RUN, ffi.string(err.text)), 0) end
  local bytes = ffi.new("uint64_t[1]")
  C.vb_keyspace_learned(keyspace.handle, bytes)
  local result = result_of(counts, seconds, tonumber(bytes[0]))
  keyspace.scanned = result
  say(control, "%s", summary(keyspace, result))
  return result
end

return M
