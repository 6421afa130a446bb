--- `vbench dataset subset`: a smaller dataset, with its own ground truth.
-- @module vbench.cli.dataset.subset
local copies = require "vbench.cli.dataset.copy"
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local read = require "vbench.cli.dataset.read"
local C = native.C

local M = {}

M.summary = "make a smaller dataset, its ground truth recomputed"
M.usage = "[options] DATASET -o BASE"
M.about = [[
Takes the first records of a dataset, or a random sample of them in their order, and all its
queries; their nearest neighbours are computed again among the records that are left. Stored keys
stay with their records, generated ones follow the new numbers.]]
M.example = [[
vbench dataset subset datasets/sift --records 100k -o datasets/sift-small
vbench dataset subset datasets/sift --records 100k --sample --seed 7 -o datasets/sift-sample]]

M.options = read.options {
  { "-n/--records", type = "count", least = 1, metavar = "N", help = "records to take" },
  { "--sample", type = "flag", help = "take them at random, instead of the first" },
  { "--seed", type = "count", least = 0, metavar = "N", help = "of the sample (default: 1)" },
  { "--queries", type = "count", least = 1, metavar = "N",
    help = "take the first queries only" },
  { "--no-ground-truth", type = "flag", help = "leave ground truth out" },
  { "-o/--output", type = "path", metavar = "BASE", help = "write BASE.yaml and BASE.bin" },
  { "-q/--quiet", type = "flag", help = "no progress" },
}

local function check(args, dataset)
  if not args.records then failure.usage("subset needs --records N") end
  if args.seed and not args.sample then failure.usage("--seed was given without --sample") end
  if args.records > dataset.count then
    failure.usage("--records %d: %s has %d", args.records, dataset.name, dataset.count)
  elseif args.queries and args.queries > dataset.query_count then
    failure.usage("--queries %d: %s has %d", args.queries, dataset.name, dataset.query_count)
  elseif dataset.neighbors > 0 and not args.no_ground_truth and not dataset:queried_vector() then
    failure.usage("%s: its queries hold no vector, so their neighbours among fewer records cannot "
      .. "be found; --no-ground-truth leaves them out", dataset.name)
  end
end

-- Selection sampling: each record is taken with the share that is wanted of those left, so that
-- every choice is equally likely, in one pass (Knuth, The Art of Computer Programming 2, 3.4.2,
-- algorithm S).
local function sampler(args, count)
  math.randomseed(args.seed or 1)
  local wanted, left = args.records, count
  return function()
    local take = math.random() * left < wanted
    left = left - 1
    if take then wanted = wanted - 1 end
    return take
  end
end

local function fill(copy, args, queries, dataset)
  if args.sample then
    local taken = sampler(args, dataset.count)
    copy:each(dataset.count, function(record)
      if taken() then copy:record(record) end
    end)
  else
    copy:each(args.records, function(record) copy:record(record) end)
  end
  copy:queries(queries, false)
  copy:finish()
end

--- Makes it.
-- @tparam table args values of `options`
-- @tparam {string,...} operands the dataset
-- @treturn number exit code
-- @raise a failure
function M.run(args, operands)
  local dataset = read.operand("subset", args, operands)
  check(args, dataset)
  local base, queries = copies.output("subset", args), args.queries or dataset.query_count
  local function make(to)
    fill(copies.new(dataset, to, function(schema)
      schema.neighbors, schema.distances = 0, 0
      C.vb_schema_set(schema, C.VB_SCHEMA_FILTER, nil, nil)
    end, args.quiet), args, queries, dataset)
  end
  local truth = dataset.neighbors > 0 and not args.no_ground_truth
  if truth then
    copies.with_truth(base, copies.truth_options(dataset, args.records, args.quiet), make)
  else
    make(base)
  end
  print(("%s.yaml, %s.bin: %d of %d records, %d queries%s"):format(base, base, args.records,
    dataset.count, queries, truth and ", ground truth recomputed" or ""))
  return 0
end

return M
