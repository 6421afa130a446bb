--- The files that an import reads: opened as sources, looked at.
-- @module vbench.cli.dataset.inputs
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

--- Tables of a dataset, by the names that importing has for them.
M.TABLES = {
  records = C.VB_TABLE_RECORDS, queries = C.VB_TABLE_QUERIES, neighbors = C.VB_TABLE_NEIGHBORS,
  distances = C.VB_TABLE_DISTANCES,
}

local NOT_KNOWN = 0xffffffffffffffffULL

local Input = {}
Input.__index = Input

--- Opens a file.
-- @tparam string path
-- @tparam[opt] string format when the name and the start of the file do not tell
-- @tparam[opt="records"] string table which of those that it may hold
-- @treturn table an input: `path format source columns values` (whether its only column is of
--   values)
-- @raise a failure that names the file
function M.open(path, format, table)
  local options, out = ffi.new("vb_source_options", { table = M.TABLES[table or "records"] }),
    ffi.new("vb_source *[1]")
  local text = format and ffi.new("char[?]", #format + 1, format)
  options.format = text
  local err = native.new_error()
  work.check(C.vb_source_open(out, path, options, err), err)
  local self = setmetatable({ path = path, asked = format, table = table }, Input)
  self.source = ffi.gc(out[0], C.vb_source_close)
  if format then
    self.format = format:lower()
  else
    self.format = ffi.string(C.vb_source_format_of(path))
  end
  self:look()
  return self
end

--- Reads what is known of the columns.
function Input:look()
  self.columns = {}
  for i = 0, tonumber(self.source.column_count) - 1 do
    local column = self.source.columns[i]
    self.columns[i + 1] = { name = ffi.string(column.name), dtype = column.dtype,
      dimensions = tonumber(column.dimensions),
      scalar = self.format == "npy" and column.dimensions == 1 }
  end
  local first = self.columns[1]
  self.values = #self.columns == 1 and first.dtype >= 0
  self.single = self.values or self.format == "text"
  self.rows = self.source.rows ~= NOT_KNOWN and tonumber(self.source.rows) or nil
end

--- Finds out what text columns hold, by reading the file once and opening it again.
-- @tparam boolean quiet no progress bar
-- @treturn {table,...} as of vbench.cli.dataset.infer
function Input:survey(quiet)
  if not self.surveyed then
    local columns = self.values and self.columns
      or require("vbench.cli.dataset.infer").survey(self.source, quiet)
    self.surveyed = columns
    if not self.values then
      self.rows = tonumber(self.source.row)
      if self.source.bytes == 0 and self.rows > 0 then
        error(failure.new(failure.COULD_NOT_RUN, ("%s: has to be read twice to find out what its "
          .. "columns hold, and a pipe can be read once"):format(self.path),
          "write it to a file first, or say what it holds by --schema"), 0)
      end
      local again = M.open(self.path, self.asked, self.table)
      self.source = again.source
    end
  end
  return self.surveyed
end

--- The column of a name; the only one where that has no name, or the file is for it.
-- @tparam string name
-- @tparam[opt] boolean alone whether the file is for this alone
-- @treturn string the column's name
-- @raise a failure that names the columns there are
function Input:column(name, alone)
  if self.single or alone and #self.columns == 1 and self.format ~= "jsonl" then
    return self.columns[1].name
  end
  if self.format == "jsonl" then return name end
  local names = {}
  for i, column in ipairs(self.columns) do
    if column.name == name then return name end
    names[i] = column.name
  end
  error(failure.new(failure.COULD_NOT_RUN, ("%s: has no column '%s'%s; it has %s"):format(self.path,
    name, require("vbench.nearest").hint(name, names), table.concat(names, ", "))), 0)
end

--- Gives the source away: who took it frees it.
function Input:release()
  ffi.gc(self.source, nil)
end

return M
