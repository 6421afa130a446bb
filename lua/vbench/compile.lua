--- From a phase to what the engine runs: a program of compiled commands, and the phase's numbers.
-- @module vbench.compile
local cursor = require "vbench.cursor"
local declarations = require "vbench.declarations"
local fields = require "vbench.fields"
local flow = require "vbench.flow"
local lower = require "vbench.lower"
local param = require "vbench.param"
local registry = require "vbench.registry"
local repeatable = require "vbench.repeatable"
local session = require "vbench.session"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local ENTRY = {
  command = C.VB_ENTRY_COMMAND, sequence = C.VB_ENTRY_SEQUENCE,
  transaction = C.VB_ENTRY_TRANSACTION, subscriber = C.VB_ENTRY_SUBSCRIBER,
}
local CONDITION = { hit = C.VB_WHEN_HIT, miss = C.VB_WHEN_MISS, ok = C.VB_WHEN_OK }

local function check(status, err)
  if status < 0 then error(ffi.string(err.text), 0) end
end

-- The shortest of the times after which cursors end the phase.
local function note_duration(self, command)
  for _, argument in ipairs(command.spec.arguments) do
    cursor.each(argument, function(spec)
      if spec.duration then self.duration = math.min(spec.duration, self.duration or math.huge) end
    end)
  end
end

-- What a command compiles to, once in a program.
local function compiled(self, command)
  local handle = self.handles[command]
  if handle then return handle end
  handle = lower.command(command, {
    seed = self.seed, keep = self.keep, claims = self.claims,
    first_function = self.first_functions[command.name],
  })
  self.handles[command] = handle
  note_duration(self, command)
  return handle
end

local function add_step(self, step)
  local condition, number = C.VB_ALWAYS, 0
  if type(step.condition) == "function" then
    condition, number = C.VB_WHEN_FUNCTION, self.first_condition + step.number - 1
  elseif step.condition then
    condition = CONDITION[step.condition]
  end
  check(C.vb_program_step(self.program, compiled(self, step.command), condition, number, self.err),
    self.err)
  if repeatable.command(step.command) then C.vb_program_repeatable_step(self.program) end
end

local function add_entry(self, weight, what)
  local now = param.resolve(weight)
  if type(now) ~= "number" then
    error(("the weight of '%s' is the param '%s', which is '%s': no number"):format(what.name,
      weight.name, tostring(now)), 0)
  end
  if what.kind == "flow" then
    check(C.vb_program_flow(self.program, now, what.name, flow.number(what), self.err), self.err)
    self.has_flows = true
    return
  end
  local name = what.kind == "transaction" and what.name or nil
  check(C.vb_program_entry(self.program, ENTRY[what.kind], now, name, self.err), self.err)
  local steps = what.spec.steps or { { command = what } }
  for _, step in ipairs(steps) do add_step(self, step) end
  local retries, whole = repeatable.operation(what)
  C.vb_program_retry(self.program, retries, whole and 1 or 0)
end

-- What a flow calls is known when it does: it may be any command that was declared.
local function add_callables(self)
  for _, name in ipairs(registry.names("command")) do
    local command = registry.get("command", name)
    check(C.vb_program_callable(self.program, compiled(self, command),
      repeatable.command(command) and 1 or 0, repeatable.operation(command), self.err), self.err)
  end
end

local function new_program(run, seed, keep)
  local handle = C.vb_program_new()
  if handle == nil then error("out of memory: a program", 0) end
  local first_functions, first_condition = declarations.first_numbers()
  local self = {
    program = ffi.gc(handle, C.vb_program_free), err = vbffi.new_error(), handles = {}, claims = {},
    seed = seed, keep = keep, first_functions = first_functions, first_condition = first_condition,
  }
  local entries = run.kind == "mix" and run.spec.entries or { { weight = 1, what = run } }
  for _, entry in ipairs(entries) do add_entry(self, entry.weight, entry.what) end
  if self.has_flows then add_callables(self) end
  check(C.vb_program_compile(self.program, self.err), self.err)
  return self.program, self.duration
end

local function row_names(program)
  local names = {}
  for row = 0, C.vb_program_rows(program) - 1 do
    names[row + 1] = ffi.string(C.vb_program_row_name(program, row))
  end
  return names
end

-- Rows of what only flows call, from 0: those that a phase did not use are not reported.
local function called_rows(program)
  local set = {}
  for row = 0, C.vb_program_rows(program) - 1 do
    if C.vb_program_row_is_called(program, row) ~= 0 then set[row] = true end
  end
  return set
end

--- Compiles a phase, params as they are now: set the phase's own with `param.set(phase.params)`
-- first.
-- @tparam phase phase
-- @tparam ?table context `seed` (the run's, unless given)
-- @treturn table `spec` (vb_phase_spec: its name, program and seed; `vbench.plan` fills in the
--   load), `program` (vb_program*), `names` (of the rows of statistics), `called` (set of the rows,
--   from 0, of what only flows call), `waits` (whether some commands block), `subscribes` (whether
--   its operations are messages), `duration_s` (of its cursors, or nil), `keep` (anchors: hold the
--   table while the phase runs)
-- @raise what is wrong, naming the phase or the command
function M.phase(phase, context)
  if fields.kind(phase) ~= "phase" then
    error(("a phase is made by vb.phase { ... }, not %s"):format(fields.describe(phase)), 0)
  end
  local seed, keep = context and context.seed or session.run.seed, { phase }
  local program, duration = new_program(phase.run, seed, keep)
  if phase.until_exhausted and C.vb_program_ends(program) == 0 and not duration then
    error(("phase '%s' runs until_exhausted, but no cursor of its commands ends: use " ..
      "keys:sequential(), or a :limit(n)"):format(phase.name), 0)
  end
  local spec = ffi.new("vb_phase_spec")
  spec.name, spec.program, spec.seed = phase.name, program, seed
  return {
    spec = spec, program = program, names = row_names(program), called = called_rows(program),
    keep = keep, waits = C.vb_program_waits(program) ~= 0,
    subscribes = phase.run.kind == "subscriber", duration_s = duration,
  }
end

return M
