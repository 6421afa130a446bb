--- Writes a dataset from another one: what subset and extend share.
-- @module vbench.cli.dataset.copy
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

local BATCH = 4096

local Copy = {}
Copy.__index = Copy

--- Where the output goes.
-- @tparam string command
-- @tparam table args its options: `output`
-- @treturn string base
-- @raise a failure when it is not given
function M.output(command, args)
  if args.output then return (args.output:gsub("%.yaml$", ""):gsub("%.bin$", "")) end
  failure.usage("%s writes another dataset: give -o BASE", command)
end

--- Begins a dataset.
-- @tparam table from of vbench.cli.dataset.read
-- @tparam string base to write to
-- @tparam function change what differs in the schema: gets a copy of it
-- @tparam[opt] boolean quiet no progress
-- @treturn table a copy: `schema`, `base`, `from`
-- @raise a failure
function M.new(from, base, change, quiet)
  local schema = ffi.gc(C.vb_schema_copy(from.schema), C.vb_schema_free)
  change(schema)
  local out, err = ffi.new("vb_writer *[1]"), native.new_error()
  work.check(C.vb_writer_new(out, base, schema, err), err)
  local self = setmetatable({ from = from, base = base, schema = schema, err = err,
    writer = ffi.gc(out[0], C.vb_writer_free), view = ffi.new("vb_view"), quiet = quiet }, Copy)
  C.vb_dataset_section(from.handle, C.VB_SECTION_RECORDS, self.view)
  self.records, self.record_size = self.view.data, tonumber(from.layout.record_size)
  C.vb_dataset_advise(from.handle, C.VB_SECTION_RECORDS, C.VB_USE_LOAD)
  return self
end

function Copy:check(status)
  return work.check(status, self.err)
end

--- Appends a stored key, if the schema has them.
-- @tparam number record of the old dataset
-- @tparam[opt=""] string suffix behind it
function Copy:key(record, suffix)
  if self.schema.keys == 0 then return end
  C.vb_dataset_key(self.from.handle, record, self.view)
  if suffix and self.view.length > 0 then
    local text = ffi.string(self.view.data, self.view.length) .. suffix
    self:check(C.vb_writer_key(self.writer, text, #text, self.err))
  else
    self:check(C.vb_writer_key(self.writer, self.view.data, self.view.length, self.err))
  end
end

--- Appends a record as it is, with its key.
-- @tparam number record of the old dataset
function Copy:record(record)
  self:check(C.vb_writer_put(self.writer, C.VB_SECTION_RECORDS,
    self.records + record * self.record_size, self.record_size, self.err))
  self:key(record)
end

--- Calls a function for each number from 0, in batches with a progress bar between.
-- @tparam number count
-- @tparam function each gets the number
function Copy:each(count, each)
  local at = 0
  work.run(function()
    local last = math.min(at + BATCH, count)
    for number = at, last - 1 do each(number) end
    at = last
    self.from:check()
    return at < count
  end, function() return "records", { done = at, total = count, rows = at } end, self.quiet)
end

--- Appends queries, and what is known of their neighbours when it stays true.
-- @tparam number count the first so many
-- @tparam boolean neighbors whether to take their neighbours too
function Copy:queries(count, neighbors)
  local sections = { [C.VB_SECTION_QUERIES] = self.from.query_count }
  if neighbors then
    sections[C.VB_SECTION_TRUTH], sections[C.VB_SECTION_DISTANCES] = self.from.query_count,
      self.from.query_count
  end
  for section, all in pairs(sections) do
    C.vb_dataset_section(self.from.handle, section, self.view)
    if all > 0 and self.view.length > 0 then
      self:check(C.vb_writer_put(self.writer, section, self.view.data,
        self.view.length / all * count, self.err))
    end
  end
end

--- Gives the dataset its names.
function Copy:finish()
  self.from:check()
  self:check(C.vb_writer_finish(self.writer, self.err))
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- A name beside the output that no dataset has.
local function free_name(base)
  local number, name = 1, base .. ".part"
  while exists(name .. ".yaml") or exists(name .. ".bin") do
    number, name = number + 1, ("%s.part%d"):format(base, number)
  end
  return name
end

--- Makes a dataset without ground truth under a name of its own, computes the ground truth into the
-- one that was asked for, and removes the first, whatever happens.
-- @tparam string base
-- @tparam table options of vbench.cli.dataset.truth's `add`
-- @tparam function make gets the base to write to
-- @treturn table what vbench.cli.dataset.truth's `add` gives
-- @raise a failure
function M.with_truth(base, options, make)
  local between = free_name(base)
  local ok, made = pcall(function()
    make(between)
    options.output = base
    return require("vbench.cli.dataset.truth").add(between, options)
  end)
  os.remove(between .. ".yaml")
  os.remove(between .. ".bin")
  if not ok then error(made, 0) end
  return made
end

--- How the neighbours of a dataset were sought, to seek those of another in the same way.
-- @tparam table from of vbench.cli.dataset.read
-- @tparam number most neighbours that there can be
-- @tparam[opt] boolean quiet no progress
-- @treturn table options of vbench.cli.dataset.truth's `add`
function M.truth_options(from, most, quiet)
  return {
    neighbors = math.min(from.neighbors, most), distances = from.schema.distances ~= 0,
    filter = from.schema.filter ~= nil and ffi.string(from.schema.filter) or nil, quiet = quiet,
  }
end

return M
