--- `vbench dataset import`: makes a dataset from other files.
-- @module vbench.cli.dataset.import
local copies = require "vbench.cli.dataset.copy"
local failure = require "vbench.failure"
local inputs = require "vbench.cli.dataset.inputs"
local native = require "vbench.ffi"
local plans = require "vbench.cli.dataset.plan"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

M.summary = "make a dataset from other files"
M.usage = "[options] FILE"
M.about = [[
Makes a dataset from other files: JSON Lines, CSV and TSV with a header, .fvecs .bvecs .ivecs,
.fbin .u8bin .i8bin .ibin, .npy, plain text (a line a record), HDF5 in the layout of
ann-benchmarks, and the old format of one file. What their columns become is said by --schema, or
found out by --infer; files of vectors need neither.]]
M.example = [[
vbench dataset import glove-100-angular.hdf5 -o datasets/glove
vbench dataset import products.csv --infer --key-field sku -o datasets/products
vbench dataset import --schema articles.yaml articles.jsonl -o datasets/articles
vbench dataset import --field embedding=base.fvecs --field content=c.txt --keys k.txt \
    --queries query.fvecs --ground-truth groundtruth.ivecs --metric l2 -o datasets/sift]]

local DTYPES = { "float32", "float16", "float64", "int8", "uint8", "int32", "int64", "uint32",
  "uint64", "binary" }

M.options = {
  { "--schema", type = "path", metavar = "FILE", help = "the schema of what is made" },
  { "--infer", type = "flag", help = "find out a schema by reading the file once before" },
  { "--input", type = "path", metavar = "FILE", help = "another way to name the file" },
  { "--format", type = "choice", metavar = "NAME", help = "format of the file",
    choices = { "jsonl", "csv", "tsv", "text", "fvecs", "bvecs", "ivecs", "fbin", "u8bin", "i8bin",
      "ibin", "npy", "hdf5", "legacy" } },
  { "-o/--output", type = "path", metavar = "BASE",
    help = "write BASE.yaml and BASE.bin (default: the name of the file, in this directory)" },
  { "--field", type = "pair", many = "list", metavar = "NAME=FILE",
    help = "take a field from a file of its own; again for others" },
  { "--vectors", type = "path", metavar = "FILE", help = "the same for the first vector field" },
  { "--text", type = "path", metavar = "FILE", help = "the same for the first text field" },
  { "--keys", type = "path", metavar = "FILE", help = "keys, one for each record" },
  { "--key-field", type = "text", metavar = "NAME",
    help = "column of the file that holds the keys (default: key, where keys are stored)" },
  { "--key-pattern", type = "text", metavar = "TEXT",
    help = "pattern of keys that are not stored, as vec:{HASHTAG}:%012d" },
  { "--queries", type = "path", metavar = "FILE", help = "queries" },
  { "--ground-truth", type = "path", metavar = "FILE",
    help = "nearest neighbours of the queries: ids of records" },
  { "--distances", type = "path", metavar = "FILE", help = "their distances" },
  { "--no-ground-truth", type = "flag",
    help = "leave ground truth out, and compute none for an HDF5 file that lacks it" },
  { "--max-neighbors", type = "count", least = 1, most = 65536, metavar = "N", default = "100",
    help = "neighbours to keep of each query" },
  { "--metric", type = "choice", choices = { "l2", "cosine", "ip" }, metavar = "NAME",
    help = "distance of the vectors" },
  { "--dtype", type = "choice", choices = DTYPES, metavar = "NAME",
    help = "type of the vectors that are written" },
  { "--truncate", type = "flag", help = "cut texts and clamp numbers that do not fit" },
  { "--strict", type = "flag", help = "a value that is missing is an error" },
  { "-q/--quiet", type = "flag", help = "no progress, no notes" },
}

local function new_import(base, schema, args)
  local out, err = ffi.new("vb_import *[1]"), native.new_error()
  local options = ffi.new("vb_import_options", { args.truncate and 1 or 0, args.strict and 1 or 0 })
  work.check(C.vb_import_new(out, base, schema, options, err), err)
  return ffi.gc(out[0], C.vb_import_free)
end

local function add(import, one)
  local err, which = native.new_error(), inputs.TABLES[one.table]
  local number = work.check(C.vb_import_add(import, which, one.input.source, err), err)
  one.input:release()
  for _, binding in ipairs(one.bindings) do
    work.check(C.vb_import_bind(import, which, number, binding.column, binding.target, err), err)
  end
end

local WHAT = { [0] = "records", "queries", "rows of neighbours", "rows of distances" }

local function fill(import, quiet)
  local err = native.new_error()
  local done, total, rows = ffi.new("uint64_t[1]"), ffi.new("uint64_t[1]"), ffi.new("uint64_t[1]")
  work.run(function() return work.check(C.vb_import_step(import, err), err) > 0 end, function()
    local at = C.vb_import_progress(import, done, total, rows)
    return WHAT[at] or WHAT[0], { done = tonumber(done[0]), total = tonumber(total[0]),
      rows = tonumber(rows[0]) }
  end, quiet)
  work.check(C.vb_import_finish(import, err), err)
end

local function losses(import, which, target)
  local missing, truncated = ffi.new("uint64_t[1]"), ffi.new("uint64_t[1]")
  C.vb_import_losses(import, which, target, missing, truncated)
  return tonumber(missing[0]), tonumber(truncated[0])
end

-- What was left empty and what was cut, target by target.
local function tell_losses(import, plan)
  for _, one in ipairs(plan.inputs) do
    for _, binding in ipairs(one.bindings) do
      local missing, truncated = losses(import, inputs.TABLES[one.table], binding.target)
      if missing > 0 then
        work.note("%s: %d %s have no %s", one.input.path, missing, one.table, binding.name)
      end
      if truncated > 0 then
        work.note("%s: cut in %d %s to make it fit: %s", one.input.path, truncated, one.table,
          binding.name)
      end
    end
  end
end

local function tell_made(import, plan, neighbors)
  local writer = C.vb_import_writer(import)
  local schema = C.vb_writer_schema(writer)
  local out = { ("%s, %s: %s records of %s bytes"):format(plan.output .. ".yaml",
    plan.output .. ".bin", tostring(tonumber(schema.records)),
    tostring(tonumber(C.vb_writer_record_bytes(writer)))) }
  if schema.queries > 0 then out[#out + 1] = ("%d queries"):format(tonumber(schema.queries)) end
  if neighbors > 0 then out[#out + 1] = ("%d neighbours each"):format(neighbors) end
  print(table.concat(out, ", "))
end

-- The notes of the plan, which are known before; and the count of the schema, which was a guess.
local function tell_notes(import, plan)
  local records = tonumber(C.vb_writer_schema(C.vb_import_writer(import)).records)
  for _, note in ipairs(plan.notes) do work.note("%s", note) end
  if plan.given_records and plan.given_records ~= records then
    work.note("%s: records.count says %d; the dataset has %d", plan.schema_path,
      plan.given_records, records)
  end
end

--- Imports.
-- @tparam table args values of `options`
-- @tparam {string,...} operands the file
-- @treturn number exit code
-- @raise a failure
function M.run(args, operands)
  if #operands > 1 then
    failure.usage("more than one file: %s, %s; --field, --keys and --queries name others",
      operands[1], operands[2])
  elseif operands[1] and args.input then
    failure.usage("--input and %s both name the file", operands[1])
  end
  args.input = operands[1] or args.input
  local plan, import = plans.make(args), nil
  local function make(to)
    import = new_import(to, plan.schema, args)
    for _, one in ipairs(plan.inputs) do add(import, one) end
    fill(import, args.quiet)
  end
  if plan.exact then
    copies.with_truth(plan.output, { neighbors = plan.exact, quiet = args.quiet }, make)
  else
    make(plan.output)
  end
  if not args.quiet then
    tell_notes(import, plan)
    tell_losses(import, plan)
  end
  tell_made(import, plan, plan.exact or tonumber(plan.schema.neighbors))
  return 0
end

return M
