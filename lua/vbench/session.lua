--- What this Lua state is, and what it was told: one table a state.
--
-- Fields: `role` ("main", "worker", "plain" under luajit or busted), `args` (general options by
-- name), `given` (set of those that were given), `datasets` (name -> number of main's dataset),
-- `script_args` (the script's, name -> text), `run` {id, started, seed}, `server` (what the
-- server said of itself), `param_values` (name -> value, given before the run), `params` (name ->
-- value of now; vbench.param keeps it), `path` (of the scenario), `shared` (vb_shared*, nil when
-- there is none), `worker` (index from 0; nil in main), `phase` ("loading", "running"), `declared`
-- (of vbench.registry), `used` (set of the names in vb.args that the script has asked for).
-- @module vbench.session
local fault = require "vbench.fault"
local plain = require "vbench.plain"

local M = {}

local DEFAULT_SEED = 20240229

local function start_over()
  M.role = "plain"
  M.args, M.script_args, M.server, M.param_values = {}, {}, {}, {}
  M.given, M.datasets = {}, {}
  M.run = { id = "plain", started = 0, seed = DEFAULT_SEED }
  M.path, M.shared, M.worker = nil, nil, nil
  M.phase = "loading"
  M.declared, M.params, M.used = {}, {}, {}
  fault.set_scenario(nil)
end

start_over()

--- Starts the state over: nothing is declared, and the phase is "loading".
-- @tparam ?table fields any of role, args, script_args, run, server, param_values, path, shared,
--   worker; what is not given is that of a plain state
function M.enter(fields)
  start_over()
  for name, value in pairs(fields or {}) do M[name] = value end
  fault.set_scenario(M.path)
end

--- The scenario is loaded: from here on nothing can be declared.
function M.loaded()
  M.phase = "running"
end

--- What a worker's state needs to load the same script: for `vbench.worker`.
-- @treturn string Lua source of plain data
function M.environment()
  return plain.write({
    args = M.args, given = M.given, datasets = M.datasets,
    script_args = M.script_args, run = M.run, server = M.server,
    param_values = M.param_values, path = M.path,
    package_path = package.path, package_cpath = package.cpath,
  }, "the environment of workers")
end

return M
