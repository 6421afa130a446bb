--- `vbench dataset synth`: makes a dataset of records that are drawn.
-- @module vbench.cli.dataset.synth
local copy = require "vbench.cli.dataset.copy"
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local plans = require "vbench.cli.dataset.synth_plan"
local truth = require "vbench.cli.dataset.truth"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

M.summary = "make a dataset of records that are drawn"
M.usage = "[options] BASE"
M.about = [[
Makes BASE.yaml and BASE.bin of records that are drawn: vectors in clusters, tags by weights,
numbers of a distribution, texts of words by Zipf's law, bytes; queries of the same kind, and their
exact nearest neighbours. The same seed gives the same bytes. Fields stand in the order vectors,
texts, tags, numbers, blobs; or --schema says what they are, and the options what they are drawn
from.]]
M.example = [[
vbench dataset synth datasets/points --vector embedding=64 --records 100k --queries 1000
vbench dataset synth datasets/shop --vector v=32 --tag "kind=book:5,film:2,game" \
    --numeric price=uniform:1:100:2 --text about=5-20 --keys item: --records 20k \
    --queries 100 --query-fields v,kind,price --filter="kind price<="
vbench dataset synth datasets/carts --type set --text member=1-2 --members 1-8]]

M.options = {
  { "-n/--records", type = "count", least = 1, metavar = "N",
    help = "records (default: the schema's, else 10000)" },
  { "--queries", type = "count", metavar = "N", help = "queries (default: the schema's, else 0)" },
  { "--seed", type = "count", metavar = "N", default = "1", help = "of what is drawn" },
  { "--schema", type = "path", metavar = "FILE", help = "fields, keys and queries of it" },
  { "--vector", type = "pair", many = "list", metavar = "NAME=DIMENSIONS[:DTYPE]",
    help = "a vector field, float32 unless said; again for others, as all of these" },
  { "--clusters", type = "count", least = 1, most = 1048576, metavar = "N", default = "16",
    help = "centres that vectors lie around" },
  { "--noise", type = "text", metavar = "X", default = "0.35",
    help = "deviation from a centre, in those of the centres themselves" },
  { "--metric", type = "choice", choices = { "l2", "cosine", "ip" }, metavar = "NAME",
    help = "distance of the vectors; with cosine they have length 1 (default: l2)" },
  { "--text", type = "pair", many = "list", metavar = "NAME=LEAST-MOST[:BYTES]",
    help = "a text of so many words, and how much room it has" },
  { "--words", type = "path", many = "list", metavar = "[NAME=]FILE",
    help = "words for texts, or for the text of that name, the most frequent first (default: "
      .. "those of a made-up language)" },
  { "--tag", type = "pair", many = "list", metavar = "NAME=VALUE[:WEIGHT],...",
    help = "a tag, and how frequent each of its values is" },
  { "--numeric", type = "pair", many = "list", metavar = "NAME[:DTYPE]=SPREAD",
    help = "a number: uniform:LEAST:GREATEST, normal:MEAN:DEVIATION or exponential:MEAN, each "
      .. "with :DECIMALS behind it if it is to be rounded" },
  { "--blob", type = "pair", many = "list", metavar = "NAME=LEAST-MOST", help = "so many bytes" },
  { "--type", type = "choice", choices = { "string", "hash", "set", "list", "zset" },
    metavar = "NAME", default = "hash",
    help = "what a record is: a string's field is 'value', a zset's are 'score' and 'value'" },
  { "--members", type = "text", metavar = "LEAST-MOST",
    help = "members of a set, list or zset (default: 1-10)" },
  { "--keys", type = "text", metavar = "PREFIX",
    help = "store keys: the prefix and eight letters and digits" },
  { "--key-pattern", type = "text", metavar = "TEXT",
    help = "pattern of keys that are not stored, as vec:{HASHTAG}:%012d" },
  { "--query-fields", type = "words", metavar = "NAMES",
    help = "what queries hold (default: the vectors, where there are some)" },
  { "-k/--neighbors", type = "count", least = 1, most = 65536, metavar = "N", default = "100",
    help = "nearest neighbours of each query" },
  { "--filter", type = "optional", without = "*", metavar = "CONDITIONS",
    help = "seek them under each query's own tags and numbers, as ground-truth does" },
  { "--distances", type = "flag", help = "write the distances too" },
  { "--no-ground-truth", type = "flag", help = "compute no neighbours" },
  { "--description", type = "text", metavar = "TEXT", help = "for the schema" },
  { "-q/--quiet", type = "flag", help = "no progress, no notes" },
}

local AT_ONCE = 256

-- What a field is drawn from: the options', and for a text what its field can hold.
local function draw_of(field, args, files)
  local draw, words = field.draw, files[field.name] or files[1]
  if field.type == "vector" then
    local noise = tonumber(args.noise)
    if not noise then failure.usage("option --noise: '%s' is no number", args.noise) end
    return { clusters = args.clusters, noise = noise }
  elseif field.type == "text" and (next(draw) or words) then
    return { words = words, least = draw.least or 1,
      most = draw.most or math.max(1, math.min(12, math.floor((field.max_bytes + 1) / 7))) }
  end
  return next(draw) and draw
end

local function new_synth(plan, args)
  local out, err = ffi.new("vb_synth *[1]"), native.new_error()
  work.check(C.vb_synth_new(out, plan.schema, args.seed, err), err)
  local synth = ffi.gc(out[0], C.vb_synth_free)
  local files, anchors = plans.words(args.words or {}, plan.schema), {}
  for _, field in ipairs(plan.fields) do
    local draw = draw_of(field, args, files)
    if draw then
      local from
      from, anchors[#anchors + 1] = plans.field(draw)
      work.check(C.vb_synth_set(synth, field.index, from, err), err)
    end
  end
  if plan.members then
    work.check(C.vb_synth_members(synth, plan.members[1], plan.members[2], err), err)
  end
  return synth
end

-- Fills a section, some entries a step.
local function fill(writer, section, count, what, quiet, put)
  local done = 0
  work.run(function()
    local last = math.min(done + AT_ONCE, count)
    for n = done, last - 1 do put(n) end
    done = last
    return done < count
  end, function() return what, { done = done, total = count, rows = done } end, quiet)
  return C.vb_writer_count(writer, section)
end

local function room(writer, section, size, err)
  local to = C.vb_writer_room(writer, section, size, err)
  if to == nil then error(failure.new(failure.COULD_NOT_RUN, ffi.string(err.text)), 0) end
  return to
end

local function write(base, plan, args)
  local synth = new_synth(plan, args)
  local out, err = ffi.new("vb_writer *[1]"), native.new_error()
  work.check(C.vb_writer_new(out, base, plan.schema, err), err)
  local writer = ffi.gc(out[0], C.vb_writer_free)
  local record, query = C.vb_writer_record_bytes(writer), C.vb_writer_query_bytes(writer)
  fill(writer, C.VB_SECTION_RECORDS, plan.records, "records", args.quiet, function(n)
    C.vb_synth_record(synth, n, room(writer, C.VB_SECTION_RECORDS, record, err))
  end)
  if plan.schema.keys ~= 0 then
    local letters, prefix = ffi.new("char[9]"), args.keys or "key:"
    fill(writer, C.VB_SECTION_KEYS, plan.records, "keys", args.quiet, function(n)
      C.vb_synth_key(synth, n, letters)
      local key = prefix .. ffi.string(letters)
      work.check(C.vb_writer_key(writer, key, #key, err), err)
    end)
  end
  local queries = tonumber(plan.schema.queries)
  if queries > 0 then
    fill(writer, C.VB_SECTION_QUERIES, queries, "queries", args.quiet, function(n)
      C.vb_synth_query(synth, n, room(writer, C.VB_SECTION_QUERIES, query, err))
    end)
  end
  work.check(C.vb_writer_finish(writer, err), err)
end

-- Under its name the dataset appears with its neighbours, or not at all.
local function write_with_truth(base, plan, args)
  local options = { neighbors = args.neighbors, filter = args.filter, distances = args.distances,
    quiet = args.quiet }
  local made = copy.with_truth(base, options, function(between) write(between, plan, args) end)
  if made.short > 0 and not args.quiet then
    work.note("%d of %d queries have fewer than %d neighbours", made.short, made.queries,
      made.neighbors)
  end
  return (", %d neighbours each"):format(made.neighbors)
end

--- Makes the dataset.
-- @tparam table args values of `options`
-- @tparam {string,...} operands its name
-- @treturn number exit code
-- @raise a failure
function M.run(args, operands)
  if #operands ~= 1 then failure.usage("synth makes one dataset, not %d", #operands) end
  local base = truth.base(operands[1])
  local plan = plans.make(args, base)
  if args.filter then truth.check_filter(plan.schema, args.filter) end
  local queries = tonumber(plan.schema.queries)
  local text = ("%s.yaml, %s.bin: %d records"):format(base, base, plan.records)
  if queries > 0 then text = ("%s, %d queries"):format(text, queries) end
  if plan.neighbors then
    text = text .. write_with_truth(base, plan, args)
  else
    write(base, plan, args)
  end
  print(text)
  return 0
end

return M
