--- A worker's script state: loads the scenario again, for its hooks. Called by src/script/.
-- @module vbench.worker
local canonical = require "vbench.canonical"
local declarations = require "vbench.declarations"
local plain = require "vbench.plain"
local session = require "vbench.session"
local vbffi = require "vbench.ffi"

local M = {}

-- Runs a function with print and io.write silent: what a script prints while it loads is said by
-- main alone.
local function silently(fn)
  local print_before, write_before = print, io.write
  local files = io.stdout
  rawset(_G, "print", function() end)
  io.write = function() return files end
  local results = { pcall(fn) }
  rawset(_G, "print", print_before)
  io.write = write_before
  if not results[1] then error(results[2], 0) end
  return results[2], results[3]
end

local function load_scenario(path)
  local scenario, failed = silently(function()
    local loaded, message = require("vbench.loader").load(path)
    return loaded, message
  end)
  if scenario then return scenario end
  local text = type(failed) == "table" and failed.message or tostring(failed)
  error(text, 0)
end

local function hooks_of(scenario, index)
  local thread, t = scenario.thread or {}, { index = index, state = {} }
  local init = thread.init and function() thread.init(t) end
  local done = thread.done and function()
    local text = plain.write(thread.done(t), "what thread.done returned")
    return text
  end
  return init or nil, done or nil
end

--- Loads the script in a worker's state.
-- @tparam string environment from session.environment() of main
-- @tparam number index of the worker, from 0
-- @tparam userdata shared the run's vb_shared
-- @treturn string the canonical text of what was declared
-- @treturn table list of `{fn=, what=}` in the order of function numbers
-- @treturn ?function thread.init, ready to be called
-- @treturn ?function thread.done, which returns Lua source of plain data
-- @raise what the script raises
function M.boot(environment, index, shared)
  local given = plain.read(environment)
  package.path, package.cpath = given.package_path, given.package_cpath
  session.enter {
    role = "worker", worker = index, shared = vbffi.ffi.cast("vb_shared *", shared),
    args = given.args, given = given.given, datasets = given.datasets,
    script_args = given.script_args, run = given.run, server = given.server,
    param_values = given.param_values, path = given.path,
  }
  math.randomseed(given.run.seed + index)
  local scenario = load_scenario(given.path)
  declarations.finish()
  local init, done = hooks_of(scenario, index)
  return canonical.all(), declarations.functions(), init, done
end

return M
