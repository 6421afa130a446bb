--- Metrics and counters of a script's own.
-- @api vbench.metric
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local registry = require "vbench.registry"
local session = require "vbench.session"
local vbffi = require "vbench.ffi"

local C = vbffi.C
local M = {}

local BETTER = { higher = true, lower = true }
local KINDS = { histogram = true, counter = true }

local metric_methods, counter_methods = {}, {}
local metric_class = object.class("metric", metric_methods)
local counter_class = object.class("counter", counter_methods)

local function need_name(spec, what)
  if not spec.name or not spec.name:find("^[%a_][%w_]*$") then
    fault.raise("%s needs a name of letters, digits and _", what)
  end
end

-- The C object behind a metric in this state; found at the first use.
local function open_metric(self)
  if session.phase == "loading" or session.shared == nil then
    fault.raise("metric '%s' is recorded in hooks, while a phase runs", self.name)
  end
  if not session.worker then
    fault.raise("metric '%s' is recorded in the hooks of workers, not in main", self.name)
  end
  local number = registry.number("metric", self.name)
  self.handle = C.vb_shared_metric(session.shared, session.worker, number)
  if self.handle == nil then fault.raise("out of memory: metric '%s'", self.name) end
end

--- Declares a metric: what hooks record, merged over threads, in every report.
-- @function vb.metric
-- @tparam table given `name`, `unit` (""), `better` ("higher" or "lower"), `kind` ("histogram":
--   mean and percentiles of what is recorded; "counter": its sum)
-- @treturn metric with `:record(value)` or `:add(n)`
function M.metric(given)
  local spec = fields.read(given,
    { name = "string", unit = "string", better = "string", kind = "string" }, "vb.metric")
  need_name(spec, "vb.metric")
  spec.unit, spec.kind = spec.unit or "", spec.kind or "histogram"
  fields.choose(spec.kind, KINDS, "field 'kind' of vb.metric")
  if spec.better then fields.choose(spec.better, BETTER, "field 'better' of vb.metric") end
  local self = { kind = "metric", name = spec.name, spec = spec, handle = false }
  return registry.add("metric", spec.name, setmetatable(self, metric_class))
end

local function put(self, value, wanted)
  if self.spec.kind ~= wanted then
    fault.raise("metric '%s' is a %s: use :%s", self.name, self.spec.kind,
      self.spec.kind == "counter" and "add(n)" or "record(value)")
  end
  if not self.handle then open_metric(self) end
  local status = C.vb_metric_record(self.handle, value)
  if status < 0 then
    fault.raise("metric '%s' takes finite numbers from 0, not %s", self.name, tostring(value))
  end
end

--- Records a value of a histogram. For hooks in workers; does not allocate.
-- @function metric:record
-- @tparam number value from 0
function metric_methods.record(self, value)
  put(self, value, "histogram")
end

--- Adds to a counter. For hooks in workers; does not allocate.
-- @function metric:add
-- @tparam number n from 0
function metric_methods.add(self, n)
  put(self, n, "counter")
end

--- Declares a number that all threads share: an atomic.
-- @function vb.counter
-- @tparam table given `name`
-- @treturn counter with `:add(n)` and `:get()`
function M.counter(given)
  local spec = fields.read(given, { name = "string" }, "vb.counter")
  need_name(spec, "vb.counter")
  local self = { kind = "counter", name = spec.name, spec = spec, number = false }
  return registry.add("counter", spec.name, setmetatable(self, counter_class))
end

local function open_counter(self)
  if session.phase == "loading" or session.shared == nil then
    fault.raise("counter '%s' is for hooks and main, not for load time", self.name)
  end
  self.number = registry.number("counter", self.name)
end

--- Adds to a shared counter, atomically.
-- @function counter:add
-- @tparam ?number n 1 unless given
-- @treturn number the new value
function counter_methods.add(self, n)
  if not self.number then open_counter(self) end
  local value = C.vb_shared_counter_add(session.shared, self.number, n or 1)
  return value
end

--- The value of a shared counter.
-- @function counter:get
-- @treturn number
function counter_methods.get(self)
  if not self.number then open_counter(self) end
  local value = C.vb_shared_counter_get(session.shared, self.number)
  return value
end

return M
