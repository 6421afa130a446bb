--- `vbench dataset ground-truth`: exact nearest neighbours for a dataset's queries.
-- @module vbench.cli.dataset.ground_truth
local failure = require "vbench.failure"
local truth = require "vbench.cli.dataset.truth"
local work = require "vbench.cli.dataset.work"

local M = {}

M.summary = "compute the exact nearest neighbours of a dataset's queries"
M.usage = "[options] DATASET"
M.about = [[
Compares every query with every record and writes the nearest ones into the dataset: ids of
records, nearest first, those at the same distance by their number. Distances are l2 the root of
the sum of squares, cosine 1 - cosine, ip 1 - inner product.

With --filter a query's neighbours are sought among the records that its own tags and numbers ask
for. CONDITIONS are names with blanks or commas between: NAME for a tag that both share, or a number
that is equal; NAME< NAME<= NAME> NAME>= for a number in the record that is less than the query's,
and so on. --filter alone takes every tag and number of the queries.]]
M.example = [[
vbench dataset ground-truth datasets/products --neighbors 50
vbench dataset ground-truth datasets/products --filter="category price<=" -o datasets/filtered]]

M.options = {
  { "-k/--neighbors", type = "count", least = 1, most = 65536, metavar = "N",
    help = "neighbours of each query (default: as many as the dataset has, else 100)" },
  { "--metric", type = "choice", choices = { "l2", "cosine", "ip" }, metavar = "NAME",
    help = "distance, which becomes the field's (default: the field's)" },
  { "--field", type = "text", metavar = "NAME",
    help = "vector to compare (default: the first one that the queries have)" },
  { "--distances", type = "flag", help = "write the distances too" },
  { "--filter", type = "optional", without = "*", metavar = "CONDITIONS",
    help = "seek under each query's own tags and numbers" },
  { "--threads", type = "count", least = 1, most = 512, metavar = "N",
    help = "threads (default: the cores)" },
  { "-o/--output", type = "path", metavar = "BASE",
    help = "write another dataset and leave this one (default: the dataset itself)" },
  { "-q/--quiet", type = "flag", help = "no progress, no notes" },
}

--- Computes.
-- @tparam table args values of `options`
-- @tparam {string,...} operands the dataset
-- @treturn number exit code
-- @raise a failure
function M.run(args, operands)
  if #operands ~= 1 then failure.usage("ground-truth takes one dataset, not %d", #operands) end
  local made = truth.add(operands[1], args)
  if made.short > 0 and not args.quiet then
    work.note("%d of %d queries have fewer than %d neighbours", made.short, made.queries,
      made.neighbors)
  end
  print(("%s.yaml, %s.bin: %d neighbours of each of %d queries%s"):format(made.base, made.base,
    made.neighbors, made.queries, args.distances and ", with distances" or ""))
  return 0
end

return M
