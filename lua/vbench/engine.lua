--- The engine (src/engine/engine.h) as an object: what a run drives. Main thread only.
-- @module vbench.engine
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local ffi, C = native.ffi, native.C

local M = {}

local NS = 1e9
local MAX_REPLY, DIGITS = 64 * 2 ^ 20, 3

-- Statuses that are mistakes of whoever wrote the command line or the script.
local USAGE = { [C.VB_EINVAL] = true, [C.VB_ESCRIPT] = true }

local EVENTS = {
  [C.VB_EVENT_START] = "start", [C.VB_EVENT_TICK] = "tick", [C.VB_EVENT_DONE] = "done",
  [C.VB_EVENT_SIGNAL] = "signal", [C.VB_EVENT_STUCK] = "stuck", [C.VB_EVENT_FAILED] = "failed",
  [C.VB_EVENT_TIMEOUT] = "timeout", [C.VB_EVENT_STOP] = "stop",
}

local Engine = {}
Engine.__index = Engine

--- The exit code for a status of C.
-- @tparam number status enum vb_status
-- @treturn number 2 for mistakes of the user, else 1
function M.exit_code(status)
  return USAGE[status] and failure.USAGE or failure.COULD_NOT_RUN
end

local function fail(status, err)
  error(failure.new(M.exit_code(status), ffi.string(err.text)), 0)
end

local function endpoints_of(list, family)
  local endpoints = ffi.new("vb_endpoint[?]", #list)
  for i, endpoint in ipairs(list) do
    endpoints[i - 1].host = endpoint.path == nil and endpoint.host or nil
    endpoints[i - 1].path = endpoint.path
    endpoints[i - 1].port = endpoint.port or 0
    endpoints[i - 1].family = family or 0
    endpoints[i - 1].tls = endpoint.tls
  end
  return endpoints
end

local function set_login(to, login)
  to.user, to.password = login.user, login.password
  to.client_name = login.client_name
  to.database, to.resp = login.database or 0, login.resp or 2
  to.tracking = login.tracking and 1 or 0
end

--- Makes an engine; starts no thread and opens no connection.
-- @tparam table options `target` (`vbench.server`), `script` (vb_script_factory *), `signals`
--   (vb_signals *), `pins` (list of cores), `connect_timeout_s`, `hook_timeout_s`, `max_reply`
--   (bytes), `digits`
-- @treturn table engine
-- @raise a failure: a name that does not resolve, ...
function M.new(options)
  local spec, err = ffi.new("vb_engine_spec"), native.new_error()
  local endpoints = endpoints_of(options.target.endpoints, options.target.family)
  spec.endpoints, spec.endpoint_count = endpoints, #options.target.endpoints
  set_login(spec.login, options.target.login)
  spec.script, spec.signals = options.script, options.signals
  local pins = options.pins and ffi.new("int[?]", #options.pins, options.pins)
  spec.pins, spec.pin_count = pins, options.pins and #options.pins or 0
  spec.connect_timeout_ns = options.connect_timeout_s * NS
  spec.hook_timeout_ns = options.hook_timeout_s * NS
  spec.max_reply, spec.digits = options.max_reply or MAX_REPLY, options.digits or DIGITS
  local out = ffi.new("vb_engine *[1]")
  local status = C.vb_engine_new(out, spec, err)
  if status ~= 0 then fail(status, err) end
  return setmetatable({
    handle = ffi.gc(out[0], C.vb_engine_free), event = ffi.new("vb_event"),
    buffer = ffi.new("vb_second"), anchors = { spec, endpoints, pins, options },
  }, Engine)
end

--- Starts a phase with its background phases.
-- @tparam number threads of the workers
-- @tparam {cdata,...} specs vb_phase_spec each; what they point to lives until the phase ends
-- @raise a failure: too few connections, a script that fails in a worker, ...
function Engine:start(threads, specs)
  local phases, err = ffi.new("vb_phase_spec[?]", #specs), native.new_error()
  for i, spec in ipairs(specs) do phases[i - 1] = spec end
  self.phases = { phases, specs }
  local status = C.vb_engine_start(self.handle, threads, phases, #specs, err)
  if status ~= 0 then fail(status, err) end
end

--- Waits for the next event.
-- @tparam[opt] number timeout_ms default: for ever
-- @treturn string "start", "tick", "done", "signal", "stuck", "failed", "stop" or "timeout"
-- @treturn string text of "stuck", "failed" and "stop"
-- @treturn number status of "failed"; of "tick", 1 with the last second of a phase
function Engine:next(timeout_ms)
  C.vb_engine_next(self.handle, timeout_ms or -1, self.event)
  return EVENTS[self.event.kind], ffi.string(self.event.text), self.event.status
end

--- Ends all lanes; events go on until "done".
function Engine:stop()
  C.vb_engine_stop(self.handle)
end

--- The latest second of a lane.
-- @tparam number lane from 0
-- @treturn ?cdata vb_second, valid until the next call; nil when there is none
function Engine:second(lane)
  return C.vb_engine_second(self.handle, lane, self.buffer) == 1 and self.buffer or nil
end

--- What a lane did.
-- @tparam number lane from 0
-- @treturn cdata vb_lane_result
function Engine:result(lane)
  return C.vb_engine_result(self.handle, lane)
end

--- What a row of a lane counted: a command or a transaction.
-- @tparam number lane from 0
-- @tparam number row from 0
-- @treturn cdata vb_row
function Engine:row(lane, row)
  return C.vb_engine_row(self.handle, lane, row)
end

--- What a lane counted.
-- @tparam number lane from 0
-- @treturn cdata vb_row of all rows together
function Engine:total(lane)
  return C.vb_engine_total(self.handle, lane)
end

--- How long the connections that a lane opened took, their handshake included.
-- @tparam number lane from 0
-- @treturn cdata vb_histogram; empty when all were open already
function Engine:connects(lane)
  return C.vb_engine_connects(self.handle, lane)
end

--- How late the workers were for what fell due.
-- @tparam number lane from 0
-- @treturn ?cdata vb_histogram; nil in a closed loop
function Engine:lateness(lane)
  local lateness = C.vb_engine_lateness(self.handle, lane)
  if lateness == nil then return nil end
  return lateness
end

--- How long invalidations took, with client-side caching.
-- @tparam number lane from 0
-- @treturn ?cdata vb_histogram; nil without
function Engine:invalidations(lane)
  local delays = C.vb_engine_invalidations(self.handle, lane)
  if delays == nil then return nil end
  return delays
end

--- The slowest operations of a lane.
-- @tparam number lane from 0
-- @treturn cdata vb_slowest
function Engine:slowest(lane)
  return C.vb_engine_slowest(self.handle, lane)[0]
end

--- Pushes that came to a lane without having been asked for, by kind.
-- @tparam number lane from 0
-- @treturn cdata vb_error_table
function Engine:pushes(lane)
  return C.vb_engine_pushes(self.handle, lane)
end

--- The first operations of a lane of which nobody knows whether they were done.
-- @tparam number lane from 0
-- @treturn cdata vb_slowest, in no order
function Engine:unknown(lane)
  return C.vb_engine_unknown(self.handle, lane)[0]
end

--- How many nodes there are.
-- @treturn number
function Engine:nodes()
  return C.vb_engine_nodes(self.handle)
end

--- The address of a node.
-- @tparam number node from 0
-- @treturn string
function Engine:node(node)
  return ffi.string(C.vb_engine_node(self.handle, node))
end

--- What a lane counted on a node.
-- @tparam number lane from 0
-- @tparam number node from 0
-- @treturn cdata vb_row
function Engine:node_row(lane, node)
  return C.vb_engine_node_row(self.handle, lane, node)
end

--- Calls thread.done in every worker and ends their script states.
-- @treturn {string,...} what each returned, as Lua source of plain data; "" for nothing
-- @raise a failure of the script
function Engine:finish()
  local err = native.new_error()
  local threads = C.vb_engine_threads(self.handle)
  local status = C.vb_engine_finish(self.handle, err)
  if status ~= 0 then fail(status, err) end
  local results = {}
  for i = 1, threads do results[i] = ffi.string(C.vb_engine_thread_result(self.handle, i - 1)) end
  return results
end

--- Ends the threads and connections. Again: nothing.
function Engine:free()
  if self.handle then C.vb_engine_free(ffi.gc(self.handle, nil)) end
  self.handle = nil
end

return M
