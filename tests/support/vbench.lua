--- Runs the real program for the tests: its output, exit code and reports.
-- The program is $VBENCH (default build/vbench). It sees a clean environment: a home of its own, no
-- LUA_PATH of the test runner, no password of the person who runs the tests.
local cjson = require("cjson").new()
local accounting = require "tests.support.accounting"
local process = require "tests.support.process"

cjson.decode_invalid_numbers(false)

local M = {}

local root = process.capture("pwd")
local binary = os.getenv("VBENCH") or "build/vbench"
if binary:sub(1, 1) ~= "/" then binary = root .. "/" .. binary end

--- The program, and the directory of the sources.
M.binary, M.root = binary, root
--- How much slower than a plain build this one is (sanitizers), for deadlines.
M.slowness = binary:find("asan", 1, true) and 6 or binary:find("tsan", 1, true) and 20 or 1

local directory = process.directory()
local serial = 0

--- A path in a directory of this spec file, for reports and such.
-- @tparam string name
-- @treturn string
function M.path(name)
  serial = serial + 1
  return ("%s/%d-%s"):format(directory, serial, name)
end

--- Writes a scenario: `local vb = require "vbench"` is before it.
-- @tparam string text
-- @tparam ?string name of the file (default scenario.lua)
-- @treturn string its path
function M.scenario(text, name)
  return process.write(M.path(name or "scenario.lua"), 'local vb = require "vbench" ' .. text)
end

--- Writes a scenario of one phase whose body is given: `run` and the fields of the phase.
-- @tparam string before declarations
-- @tparam string fields of the phase
-- @treturn string its path
function M.one_phase(before, fields)
  return M.scenario(before .. '\nreturn vb.scenario { description = "a test", phases = { ' ..
    'vb.phase { name = "one", ' .. fields .. " } } }")
end

--- Removes the files; every spec file calls it at its end.
function M.clean()
  process.remove(directory)
end

local Run = {}
Run.__index = Run

local function environment(options)
  local args = { "env", "-i", "HOME=" .. directory, "PATH=" .. os.getenv("PATH"),
    "TMPDIR=" .. (options.tmpdir or "/tmp"), "LC_ALL=C",
    "ASAN_OPTIONS=" .. (os.getenv("ASAN_OPTIONS") or "detect_leaks=0") }
  local lua = os.getenv("VBENCH_LUA_PATH") -- for development: files instead of what is linked in
  if lua then args[#args + 1] = "VBENCH_LUA_PATH=" .. lua end
  for name, value in pairs(options.env or {}) do args[#args + 1] = name .. "=" .. value end
  for _, word in ipairs(options.under or {}) do args[#args + 1] = word end
  return args
end

--- Starts vbench.
-- @tparam table args its arguments; also `env`, `stdin` (text), `cwd`, `under` (a program before it
-- with arguments, that executes it), `timeout` (seconds, 20), `stdout` (a file)
-- @return a run: `pid`, `:signal(name)`, `:wait()` which gives itself with `code out err all`
function M.start(args)
  local self = setmetatable({}, Run)
  local line = environment(args)
  line[#line + 1] = args.program or binary
  for _, word in ipairs(args) do line[#line + 1] = word end
  self.out_file, self.err_file = args.stdout or M.path("out"), M.path("err")
  self.timeout = (args.timeout or 20) * M.slowness
  self.process = process.start(line, {
    stdin = args.stdin and process.write(M.path("stdin"), args.stdin),
    stdout = self.out_file, stderr = self.err_file, cwd = args.cwd or directory, session = true,
  })
  self.pid, self.began = self.process.pid, process.now()
  return self
end

function Run:signal(name)
  self.process:signal(name)
end

--- What it has printed until now, both streams.
function Run:output()
  return (process.read(self.out_file) or "") .. (process.read(self.err_file) or "")
end

--- Waits for the end; raises when it hangs or crashes. Sets `code out err all seconds peak_kb`.
function Run:wait()
  self.code = self.process:wait(self.timeout)
  self.seconds, self.peak_kb = process.now() - self.began, self.process.peak_kb
  self.out = self.out_file ~= "/dev/full" and process.read(self.out_file) or ""
  self.err = process.read(self.err_file) or ""
  self.all = self.out .. self.err
  if not self.code then error("vbench hangs; it printed: " .. self.all, 2) end
  if self.code == 139 or self.code == 134 then error("vbench crashed: " .. self.all, 2) end
  return self
end

--- Runs vbench to its end.
-- @tparam table args as for `start`
-- @return `code out err all seconds`
function M.run(args)
  return M.start(args):wait()
end

--- Runs vbench with `--json FILE` and reads the file into `json`.
-- @tparam table args as for `start`; `--no-baseline` is added unless `baseline`
-- @return as `run`, with `json` (nil when there is no file) and `file`
function M.report(args)
  local file = M.path("report.json")
  table.insert(args, 1, "--json")
  table.insert(args, 2, file)
  if not args.baseline then table.insert(args, 3, "--no-baseline") end
  local run = M.start(args):wait()
  run.file = file
  local text = process.read(file)
  if text and text ~= "" then run.json = M.decode(text) end
  return run
end

--- Runs vbench with a report and raises unless it ends well.
-- @return the report's first phase, the run
function M.phase(args)
  local run = M.report(args)
  if run.code ~= 0 or not run.json then
    error(("vbench ended with %d: %s"):format(run.code, run.all), 2)
  end
  return run.json.phases[1], run
end

--- Reads JSON strictly (no NaN, no Infinity). Raises when it is a report that does not add up.
-- @tparam string text
function M.decode(text)
  local value = cjson.decode(text)
  if type(value) ~= "table" or not value.phases then return value end
  local faults = accounting.faults(value)
  if #faults > 0 then error("the report does not add up: " .. table.concat(faults, "; "), 2) end
  return value
end

--- The null of a decoded report.
M.null = cjson.null

--- The row of a phase of a JSON report for a command, transaction or flow; nil: it has none.
function M.command_row(phase, name)
  for _, row in ipairs(phase.commands) do
    if row.name == name then return row end
  end
end

return M
