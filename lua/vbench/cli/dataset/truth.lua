--- Adds ground truth to a dataset: computes it, writes the dataset again with it.
-- @module vbench.cli.dataset.truth
local native = require "vbench.ffi"
local read = require "vbench.cli.dataset.read"
local schemas = require "vbench.cli.dataset.schemas"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

local WAIT_MS, CHUNK = 100, 2 ^ 22

--- What the two files of a dataset are named by.
-- @tparam string name BASE, BASE.yaml or BASE.bin
-- @treturn string BASE
function M.base(name)
  return (name:gsub("%.yaml$", ""):gsub("%.bin$", ""))
end

local function new_filter(schema, text)
  local out, err = ffi.new("vb_filter *[1]"), native.new_error()
  work.check(C.vb_filter_new(out, schema, text, err), err)
  return ffi.gc(out[0], C.vb_filter_free)
end

--- Makes sure that queries of a schema can be asked under conditions.
-- @tparam cdata schema vb_schema *
-- @tparam string text the conditions
-- @raise a failure
function M.check_filter(schema, text)
  new_filter(schema, text)
end

-- Starts and waits. What it needs is kept by the result: `truth`, `neighbors`, `filter`.
local function compute(dataset, options)
  local schema = C.vb_dataset_schema(dataset)
  local records = tonumber(schema.records)
  local choice, err = ffi.new("vb_truth_choice"), native.new_error()
  local filter = options.filter and new_filter(schema, options.filter)
  choice.field, choice.filter = options.field, filter
  choice.distance = options.metric and schemas.DISTANCES[options.metric] or C.VB_DISTANCE_NONE
  choice.threads, choice.neighbors = options.threads or 0, options.neighbors or 0
  local out, neighbors = ffi.new("vb_truth *[1]"), ffi.new("uint64_t[1]")
  C.vb_dataset_advise(dataset, C.VB_SECTION_RECORDS, C.VB_USE_LOAD)
  work.check(C.vb_truth_start_dataset(out, dataset, choice, neighbors, err), err)
  local truth = ffi.gc(out[0], C.vb_truth_free)
  native.or_free(function() C.vb_truth_free(ffi.gc(truth, nil)) end, function()
    work.run(function() return C.vb_truth_wait(truth, WAIT_MS) == 0 end, function()
      local done = tonumber(C.vb_truth_progress(truth))
      return "records compared", { done = done, total = records, rows = done }
    end, options.quiet)
  end)
  work.check(C.vb_dataset_check(dataset, err), err)
  return { truth = truth, neighbors = tonumber(neighbors[0]), filter = filter }
end

-- The metric that it was computed by is that of the field.
local function set_metric(schema, options)
  if not options.metric then return end
  for _, one in ipairs(schemas.fields(schema)) do
    local sought = one.name == options.field or not options.field and one.type == "vector"
      and C.vb_schema_queried(schema, one.index) ~= 0
    if sought then
      one.field.distance = schemas.DISTANCES[options.metric]
      return
    end
  end
end

local function new_schema(dataset, found, options)
  local schema = ffi.gc(C.vb_schema_copy(C.vb_dataset_schema(dataset)), C.vb_schema_free)
  schema.neighbors, schema.distances = found.neighbors, options.distances and 1 or 0
  schemas.set(schema, C.VB_SCHEMA_FILTER, found.filter and C.vb_filter_text(found.filter) or nil)
  set_metric(schema, options)
  return schema
end

-- The sections that stay as they are, piece by piece.
local function copy_sections(writer, dataset, quiet)
  local view, err = ffi.new("vb_view"), native.new_error()
  local total, done = 0, 0
  for section = C.VB_SECTION_RECORDS, C.VB_SECTION_QUERIES do
    C.vb_dataset_section(dataset, section, view)
    total = total + tonumber(view.length)
  end
  for section = C.VB_SECTION_RECORDS, C.VB_SECTION_QUERIES do
    C.vb_dataset_section(dataset, section, view)
    local at, length = 0, tonumber(view.length)
    work.run(function()
      local size = math.min(CHUNK, length - at)
      if size == 0 then return false end
      work.check(C.vb_writer_put(writer, section, view.data + at, size, err), err)
      at, done = at + size, done + size
      return true
    end, function() return "bytes written", { done = done, total = total, rows = done } end, quiet)
  end
end

local function write(base, dataset, found, options)
  local schema, out = new_schema(dataset, found, options), ffi.new("vb_writer *[1]")
  local err = native.new_error()
  work.check(C.vb_writer_new(out, base, schema, err), err)
  local writer = ffi.gc(out[0], C.vb_writer_free)
  copy_sections(writer, dataset, options.quiet)
  local count = tonumber(schema.queries) * found.neighbors
  work.check(C.vb_writer_ids(writer, C.vb_truth_ids(found.truth), count, err), err)
  if options.distances then
    work.check(C.vb_writer_put(writer, C.VB_SECTION_DISTANCES, C.vb_truth_distances(found.truth),
      count * ffi.sizeof("float"), err), err)
  end
  work.check(C.vb_dataset_check(dataset, err), err)
  work.check(C.vb_writer_finish(writer, err), err)
end

--- How many queries have fewer neighbours than asked for: a filter leaves few records, or there are
-- few.
local function short_queries(found, queries)
  local ids, short, none = C.vb_truth_ids(found.truth), 0, 0xffffffffffffffffULL
  for query = 1, queries do
    if ids[query * found.neighbors - 1] == none then short = short + 1 end
  end
  return short
end

--- Computes the exact nearest neighbours of a dataset's queries and writes them into it.
-- @tparam string name of the dataset: BASE, BASE.yaml or BASE.bin
-- @tparam table options `output` (another name), `field`, `metric`, `neighbors`, `distances`,
--   `filter` (text, of vb_filter_new), `threads`, `quiet`
-- @treturn table `base`, `queries`, `neighbors`, `short` (queries with fewer neighbours)
-- @raise a failure
function M.add(name, options)
  local dataset = read.open(name).handle
  local base = M.base(options.output or name)
  local err = native.new_error()
  work.check(C.vb_output_check(base .. ".bin", err), err) -- before hours of work, not behind them
  local queries = tonumber(C.vb_dataset_schema(dataset).queries)
  local found = compute(dataset, options)
  write(base, dataset, found, options)
  return { base = base, queries = queries, neighbors = found.neighbors,
    short = short_queries(found, queries) }
end

return M
