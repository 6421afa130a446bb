--- What a run shows while it goes on and what it leaves: the live line, a table a phase, files.
-- @module vbench.console
local csv = require "vbench.report.csv"
local live = require "vbench.report.live"
local reports = require "vbench.report"
local terminal = require "vbench.report.terminal"
local text = require "vbench.report.text"

local M = {}

local Console = {}
Console.__index = Console

-- What stands on standard output when it is for people: { header, phase, verdict }.
local FORMS = { header = terminal.header, phase = terminal.phase, verdict = terminal.verdict }

--- Makes the console of a run, and opens the files that grow while it goes on.
-- @tparam table options general options: `quiet verbose no_color show_per_second csv csv_seconds
--   json csv_summary output output_format`
-- @tparam[opt] table forms what to show instead of vbench's own: `header(report, options)`,
--   `phase(phase, options)`, `verdict(report, options)` -> text; `title(phase)`, its name in CSV
-- @tparam[opt] table streams `out` and `err` (files), for specs
-- @treturn ?table with `:begin :second :phase :note :finish`
-- @treturn ?string what is wrong with a file
function M.new(options, forms, streams)
  streams = streams or {}
  local to_stderr = reports.takes_stdout(options)
  local out, err = streams.out or io.stdout, streams.err or io.stderr
  local ok, wrong = reports.check(options)
  if not ok then return nil, wrong end
  local self = setmetatable({
    options = options, forms = setmetatable(forms or {}, { __index = FORMS }),
    data = out, out = to_stderr and err or out, err = err, csv = options.csv,
    shown = { quiet = options.quiet, verbose = options.verbose, percentiles = options.percentiles,
              style = text.style { no_color = options.no_color, fd = to_stderr and 2 or 1 } },
    live = live.new {
      quiet = options.quiet, verbose = options.verbose, per_second = options.show_per_second,
      no_color = options.no_color, file = options.show_per_second and not to_stderr and out or err,
    },
  }, Console)
  if options.csv_seconds then
    local message
    self.seconds, message = csv.open_seconds(options.csv_seconds)
    if not self.seconds then return nil, "--csv-seconds: " .. message end
  end
  return self
end

-- Writes at once. A disk that is full is said once; a reader that went away is nobody's loss.
local function write(self, file, line)
  if line == "" or self.lost then return end
  local ok, message = file:write(line)
  if ok then ok, message = file:flush() end
  if ok or file == self.err then return end
  self.lost, self.failed = true, true
  if not message:find("Broken pipe", 1, true) then
    self.err:write("vbench: standard output: ", message, "\n")
  end
end

jit.off(write) -- as in vbench.report.files: compiled, a flush that fails may be taken for done

--- The run begins: its header.
-- @tparam table report without phases yet
function Console:begin(report)
  if self.csv then return write(self, self.data, csv.HEADER) end
  write(self, self.out, self.forms.header(report, self.shown))
end

--- A second of a phase has passed.
-- @tparam string name of the phase
-- @tparam cdata second vb_second
-- @tparam table entry the same, of the timeline
-- @tparam boolean beside whether it is a phase in the background: it has no live line
function Console:second(name, second, entry, beside)
  if not beside then self.live:update(name, second) end
  if not self.seconds then return end
  local ok, message = self.seconds:row(name, entry)
  if not ok then
    self:note("--csv-seconds: " .. message)
    self.seconds = nil
    self.failed = true
  end
end

--- A phase has ended.
-- @tparam table phase its result
function Console:phase(phase)
  self.live:clear()
  if self.options.idle then
    return self.csv or write(self, self.out, terminal.idle(phase, self.shown))
  end
  if self.csv then
    local title = self.forms.title and self.forms.title(phase) or nil
    return write(self, self.data, csv.tests(phase, title))
  end
  if not self.options.quiet then write(self, self.out, "\n") end
  write(self, self.out, self.forms.phase(phase, self.shown))
end

--- Says a line on standard error.
-- @tparam string line
function Console:note(line)
  self.live:clear()
  write(self, self.err, "vbench: " .. line .. "\n")
end

--- The run has ended: the verdict, and the files.
-- @tparam table report
-- @treturn boolean whether all files were written; what was wrong has been said
function Console:finish(report)
  self.live:clear()
  local verdict = not self.csv and self.forms.verdict(report, self.shown) or ""
  if verdict ~= "" then write(self, self.out, (self.options.quiet and "" or "\n") .. verdict) end
  if verdict == "" and report.status == "interrupted" and not self.options.idle then
    self:note("interrupted: results are those until then")
  end
  if self.seconds then self.seconds:close() end
  local problems = reports.write(report, self.options)
  for _, problem in ipairs(problems) do self:note(problem) end
  return #problems == 0 and not self.failed
end

return M
