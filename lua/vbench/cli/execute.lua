--- Runs a scenario against a server, from the command line to the exit code.
-- @module vbench.cli.execute
local config = require "vbench.cli.config"
local failure = require "vbench.failure"
local fields = require "vbench.fields"
local nearest = require "vbench.nearest"
local options = require "vbench.cli.options"
local prepare = require "vbench.cli.prepare"
local registry = require "vbench.registry"
local reports = require "vbench.report"
local server = require "vbench.server"
local session = require "vbench.session"

local M = {}

local function usage(message)
  error(failure.new(failure.USAGE, message), 0)
end

-- Before anything is asked of a server: a run whose results cannot be kept is not begun.
local function check_files(args)
  local ok, message = reports.check(args)
  if ok and args.save_config then
    ok, message = reports.check_writable(args.save_config)
    if not ok then message = "--save-config: " .. message end
  end
  if not ok then usage(message) end
end

local function start_local(args, given)
  if not args["local"] then
    if args.local_args then usage("--local-args was given without --local") end
    return nil
  end
  for _, name in ipairs { "host", "port", "socket", "uri" } do
    if given[name] then usage(("--%s names a server, and --local starts one"):format(name)) end
  end
  local local_server = require "vbench.local_server"
  local spec = args["local"]:lower()
  if not local_server.SPECS[spec] then
    usage(("--local: there is no private server '%s'; there are: standalone, tls"):format(spec))
  end
  local ok, place = pcall(local_server.start, { spec = spec, args = args.local_args })
  if not ok then error(failure.new(failure.COULD_NOT_RUN, tostring(place)), 0) end
  return place
end

-- COMMAND's reply is long: it is asked for only when a word is unknown here.
local function learn_commands(ctl)
  local commands = require "vbench.commands"
  for _, name in ipairs(registry.names("command")) do
    local word = registry.get("command", name).spec.arguments[1]
    if type(word) == "string" and not commands.find(word) then
      return server.learn(ctl, commands)
    end
  end
end

local function forms_of(path)
  return path == prepare.CLASSIC and require("vbench.classic").forms or nil
end

-- Which options a scenario has is known when it is loaded, and that takes the server: without one,
-- a misspelt general option (--locl) would be told as a server that is not there and nothing else.
local function open_server(state, target)
  local ok, ctl, said = pcall(server.open, state.args, target)
  if ok then return ctl, said end
  local failed, general = ctl, fields.names(options.names)
  for _, given in ipairs(fields.names(state.script_args)) do
    local near = nearest.find(given, general)
    if near then
      failed.hint = ("%s\n  --%s is left for the scenario: there is a general option --%s"):format(
        failed.hint or "", given, near):gsub("^\n  ", "")
    end
  end
  error(failed, 0)
end

local function run_against(state, path, name, place)
  local target = server.target(state.args, state.given, place)
  local ctl, said = open_server(state, target)
  local ok, code = xpcall(function()
    local args = prepare.enter(state, path, said)
    local scenario = prepare.load(state)
    prepare.check_used(state, name)
    learn_commands(ctl)
    local run = require("vbench.run").new {
      scenario = scenario, session = session, options = args, given = state.given,
      target = target, ctl = ctl, name = name, forms = forms_of(path),
    }
    if state.args.save_config then config.save(state.args.save_config, state) end
    return run:execute()
  end, failure.of)
  if ok then return code end
  ctl:close()
  error(code, 0)
end

--- Runs what the command line names.
-- @tparam table state of vbench.cli.parse
-- @treturn number exit code
-- @raise a failure
function M.run(state)
  local path, name = prepare.find(state)
  check_files(state.args)
  prepare.ask_password(state)
  local place = start_local(state.args, state.given)
  local ok, code = pcall(run_against, state, path, name, place)
  if place then place:stop() end
  if not ok then error(code, 0) end
  return code
end

return M
