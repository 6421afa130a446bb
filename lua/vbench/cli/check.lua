--- `vbench check SCENARIO`: loads it without a server; prints its phases and the first commands as
-- they would be sent, which arguments are keys, and their slots.
-- @module vbench.cli.check
local coverage = require "vbench.coverage"
local declarations = require "vbench.declarations"
local argument = require "vbench.argument"
local engines = require "vbench.engine"
local failure = require "vbench.failure"
local fields = require "vbench.fields"
local native = require "vbench.ffi"
local params = require "vbench.param"
local phase_run = require "vbench.phase_run"
local phases_of = require "vbench.phase"
local plan = require "vbench.plan"
local prepare = require "vbench.cli.prepare"
local registry = require "vbench.registry"
local server = require "vbench.server"
local session = require "vbench.session"
local tracker_file = require "vbench.tracker_file"
local wrap = require "vbench.report.wrap"
local ffi, C = native.ffi, native.C

local M = {}

local SHOWN, LOOKED_AT = 3, 24 -- operations of a phase; of a mix, until each entry was seen
local WIDEST = 60              -- columns of an argument that are shown
local INDENT = 12              -- of what a request is

-- The requests in a text of RESP: lists of arguments.
local function requests_in(text)
  local list, at = {}, 1
  while at <= #text do
    local count, after = text:match("^%*(%d+)\r\n()", at)
    local words = {}
    at = after
    for i = 1, tonumber(count) do
      local length, from = text:match("^%$(%d+)\r\n()", at)
      words[i] = text:sub(from, from + length - 1)
      at = from + length + 2
    end
    list[#list + 1] = words
  end
  return list
end

local function shown_word(word)
  local text, whole = wrap.escaped(word, WIDEST, "[%c\127-\255]")
  if text ~= word:sub(1, #text) or text == "" or text:find("%s") then text = '"' .. text .. '"' end
  return wrap.together(whole and text or ("%s... (%d bytes)"):format(text, #word))
end

local function slot_of(key)
  return tonumber(C.vb_slot(key, #key))
end

-- What stands around a transaction: that it has no key says nothing.
local FRAME = { MULTI = true, EXEC = true }

-- A command as it is sent, and the keys in it with their slots.
local function show_request(out, left, words, marks)
  local shown, keys = {}, {}
  for i, word in ipairs(words) do
    shown[i] = shown_word(word)
    if marks:sub(i, i) == "k" then
      keys[#keys + 1] = wrap.together(("%s (slot %d)"):format(shown[i], slot_of(word)))
    end
  end
  out[#out + 1] = wrap.line(("  %-9s %s"):format(left, table.concat(shown, " ")), INDENT)
  if #words == 1 and FRAME[words[1]] then return end
  out[#out + 1] = wrap.line(("  %-9s %s"):format("", #keys == 0 and "no key"
    or (#keys == 1 and "key " or "keys ") .. table.concat(keys, ", ")), INDENT)
end

-- What `keys` says of each request: a letter an argument.
local function marks_of(keys)
  local list = {}
  for line in keys:gmatch("([^\n]*)\n") do list[#list + 1] = line end
  return list
end

local function show_operation(self, spec, n)
  local request, length = ffi.new("const char *[1]"), ffi.new("size_t[1]")
  local keys, keys_length = ffi.new("const char *[1]"), ffi.new("size_t[1]")
  local err = native.new_error()
  local status = C.vb_engine_show(self.engine.handle, spec, n, request, length, keys, keys_length,
    err)
  if status == C.VB_EINVAL then return nil, ffi.string(err.text) end
  if status ~= 0 then
    error(failure.new(engines.exit_code(status), ffi.string(err.text)), 0)
  end
  local requests = requests_in(ffi.string(request[0], length[0]))
  return requests, marks_of(ffi.string(keys[0], keys_length[0]))
end

-- Only of a mix is an operation worth showing late: the first of an entry.
local function first_words(requests)
  local words = {}
  for i, request in ipairs(requests) do words[i] = request[1] end
  return table.concat(words, " ")
end

-- What stands before a request: the operation's number, or when the step runs.
local function left_of(run, n, i)
  if i == 1 then return ("n=%d"):format(n) end
  local step = run.kind == "sequence" and run.spec.steps[i]
  local condition = step and step.condition
  if not condition then return "" end
  return type(condition) == "function" and "when true" or "when " .. condition
end

local function show_operations(self, out, phase, spec)
  local seen, last = {}, phase.run.kind == "mix" and LOOKED_AT or SHOWN
  for n = 0, math.min(last, tonumber(spec.requests) > 0 and tonumber(spec.requests) or last) - 1 do
    local requests, marks = show_operation(self, spec, n)
    local what = requests and first_words(requests) or marks
    if n < SHOWN or not seen[what] then
      for i, words in ipairs(requests or {}) do
        show_request(out, left_of(phase.run, n, i), words, marks[i])
      end
      if not requests then
        out[#out + 1] = wrap.line(("  n=%-7d %s"):format(n, marks), INDENT)
      end
    end
    -- Of a record that cannot be sent the next may be there; of a cursor that has ended, nothing.
    if not requests and not marks:find("is empty$") then return end
    seen[what] = true
  end
end

-- How an open loop's operations fall due, and what changes meanwhile.
local function add_schedule(parts, settings)
  if settings.rate > 0 then
    parts[#parts + 1] = ("%g/s%s"):format(settings.rate, settings.poisson and " (poisson)" or "")
  end
  if settings.burst > 0 then parts[#parts + 1] = ("burst %d"):format(settings.burst) end
  local ramp = settings.ramp
  if not ramp then return end
  local targets = {}
  for i = 1, ramp.count do targets[i] = ("%g"):format(ramp.stages[i - 1].target) end
  parts[#parts + 1] = ("%s to %s"):format(ramp.kind, table.concat(targets, ", "))
end

local function load_of(settings, phase)
  local parts = {}
  if settings.requests > 0 then parts[1] = ("%d requests"):format(settings.requests) end
  if settings.duration_s > 0 then parts[#parts + 1] = ("%g s"):format(settings.duration_s) end
  if phase.until_exhausted then parts[#parts + 1] = "until its ids are exhausted" end
  if settings.warmup_s > 0 then parts[#parts + 1] = ("warm-up %g s"):format(settings.warmup_s) end
  add_schedule(parts, settings)
  parts[#parts + 1] = ("%d clients"):format(settings.clients)
  parts[#parts + 1] = ("pipeline %d"):format(settings.pipeline)
  return table.concat(parts, ", ")
end

local function show_lane(self, out, lane, title)
  out[#out + 1] = "\n" .. wrap.line(("%s '%s': %s; %s"):format(title, lane.name,
    lane.phase.run.kind, load_of(lane.settings, lane.phase)), 4)
  for _, threshold in ipairs(lane.thresholds) do
    out[#out + 1] = wrap.line("  threshold " .. threshold.expr, INDENT)
  end
  show_operations(self, out, lane.phase, lane.compiled.spec)
  if phases_of.has_flows(lane.phase.run) then
    out[#out + 1] = "  what a flow sends then follows from the replies"
  end
end

local function show_phase(self, out, phase)
  local before, message = params.set(phase.params or {})
  if not before then error(failure.new(failure.USAGE, message), 0) end
  local lanes = phase_run.lanes(self, phase)
  for i, lane in ipairs(lanes) do
    show_lane(self, out, lane, i == 1 and "phase" or "  in its background")
  end
  params.set(before)
end

-- Of a scenario with a main function only its commands are known.
local function phases_for(scenario, out)
  if scenario.main then
    out[#out + 1] = "\nits main function decides which phases run; its commands:"
    local list = {}
    for _, kind in ipairs { "command", "flow" } do
      for _, name in ipairs(registry.names(kind)) do
        local run = registry.get(kind, name)
        if kind == "flow" or #argument.names_of(run.spec.arguments) == 0 then
          list[#list + 1] = phases_of.new { name = name, run = run }
        end
      end
    end
    return list
  end
  if type(scenario.phases) == "function" then
    return require("vbench.scenario").check_phases(scenario.phases())
  end
  return scenario.phases
end

local function new_engine()
  local canonical, environment = require("vbench.canonical").all(), session.environment()
  session.shared = session.shared or ffi.gc(C.vb_shared_new(), C.vb_shared_free)
  declarations.publish()
  local factory = ffi.gc(C.vb_script_factory_new(session.shared, environment, #environment,
    canonical, #canonical), C.vb_script_factory_free)
  -- It is never asked to connect.
  return engines.new {
    target = { endpoints = { { host = "127.0.0.1", port = 6379 } }, login = {} }, script = factory,
    connect_timeout_s = session.args.connect_timeout, hook_timeout_s = session.args.hook_timeout,
  }
end

local function check(state)
  local path, name = prepare.find(state)
  local options = prepare.enter(state, path, server.assumed(state.args.assume))
  local scenario = prepare.load(state)
  prepare.check_used(state, name)
  local out = { wrap.line(("%s: %s"):format(name, scenario.description or "no description"), 2) }
  tracker_file.check(options)
  coverage.check(options)
  local list = phases_for(scenario, out)
  if not scenario.main then
    plan.check_read(list, state.given)
    list = plan.select(list, options)
  end
  local self = {
    engine = new_engine(), options = options, given = state.given, session = session,
    compile = require("vbench.compile").phase,
  }
  local function free() self.engine:free() end
  native.or_free(free, function()
    for _, phase in ipairs(list) do show_phase(self, out, phase) end
  end)
  free()
  io.write(table.concat(out, "\n"), "\n")
  return 0
end

--- Checks a scenario and prints what it would do.
-- @tparam table state of vbench.cli.parse
-- @treturn number exit code
-- @raise a failure
function M.run(state)
  local ok, code = xpcall(check, failure.of, state)
  if not ok then error(code, 0) end
  return code
end

return M
