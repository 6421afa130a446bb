--- Schemas from what columns hold: how `vbench dataset import` infers them.
-- @module vbench.cli.dataset.infer
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

local LEAST_WIDTH, VARIABLE_ABOVE, TAG_MOST, DISTINCT_MOST = 64, 256, 64, 1000

-- The power of two at or above a length.
local function width(longest, least)
  local bytes = least
  while bytes < longest do bytes = bytes * 2 end
  return bytes
end

--- Reads a source to its end.
-- @tparam cdata source vb_source *, which is at its end then
-- @tparam[opt] boolean quiet no progress bar
-- @treturn {table,...} columns in the source's order: `name dtype dimensions present numbers
--   integers wide lists others longest spaces distinct negative padded`
function M.survey(source, quiet)
  local survey, err = ffi.gc(C.vb_survey_new(source), C.vb_survey_free), native.new_error()
  work.run(function() return work.check(C.vb_survey_step(survey, err), err) > 0 end,
    function()
      return "rows looked at", { rows = tonumber(source.row), done = tonumber(source.bytes_taken),
        total = tonumber(source.bytes) }
    end, quiet)
  local columns = {}
  for i = 0, C.vb_survey_count(survey) - 1 do
    local found, column = C.vb_survey_get(survey, i), {}
    for _, name in ipairs { "dtype", "dimensions", "present", "numbers", "integers", "wide",
      "lists", "others", "longest", "spaces", "distinct", "negative", "padded" } do
      column[name] = tonumber(found[name])
    end
    column.name = ffi.string(found.name)
    columns[#columns + 1] = column
  end
  return columns
end

local function numeric(column)
  if column.integers < column.numbers or column.wide == 0 then return "float64" end
  return column.negative > 0 and "int64" or "uint64" -- a double would not hold them
end

-- A word of few: what filters are made of.
local function is_tag(column, rows)
  return column.longest <= TAG_MOST and column.spaces == 0 and column.distinct < DISTINCT_MOST
    and column.distinct * 2 <= math.max(rows, 2)
end

local function text(column, rows, plain)
  return { type = not plain and is_tag(column, rows) and "tag" or "text",
    max_bytes = width(column.longest, LEAST_WIDTH),
    variable = column.longest > VARIABLE_ABOVE or column.padded > 0 }
end

--- The field that holds a column.
-- @tparam table column of `survey`; `scalar`: one value a row is a number, no vector
-- @tparam number rows of the source
-- @tparam table input of vbench.cli.dataset.inputs: the file
-- @treturn table `type`, and `dtype dimensions`, or `max_bytes variable`
-- @raise a failure for a column that no field can hold
function M.field(column, rows, input)
  if column.dtype >= 0 then
    local dtype = ffi.string(C.vb_dtype_name(column.dtype))
    if column.scalar then return { type = "numeric", dtype = dtype } end
    return { type = "vector", dtype = dtype, dimensions = column.dimensions }
  end
  if column.others > 0 then
    error(failure.new(failure.COULD_NOT_RUN, ("%s: column '%s' holds objects, or arrays that are "
      .. "no vectors of one length"):format(input.path, column.name),
      "--schema FILE says what to take; columns that it does not name are left out"), 0)
  end
  if column.lists > 0 and column.lists == column.present then
    return { type = "vector", dtype = "float32", dimensions = column.dimensions }
  elseif column.numbers > 0 and column.numbers == column.present then
    return { type = "numeric", dtype = numeric(column) }
  end
  return text(column, rows, input.format == "text")
end

--- The width of stored keys.
-- @tparam number longest key
-- @treturn number bytes
function M.key_width(longest)
  return width(math.max(longest, 1), 1)
end


return M
