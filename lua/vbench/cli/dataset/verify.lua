--- `vbench dataset verify`: checks a dataset's bytes against its schema.
-- @module vbench.cli.dataset.verify
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local read = require "vbench.cli.dataset.read"
local work = require "vbench.cli.dataset.work"
local ffi, C = native.ffi, native.C

local M = {}

M.summary = "check a dataset's bytes against its schema"
M.usage = "[options] DATASET"
M.about = [[
Reads every record, key, query and neighbour: lengths and counts against the schema, texts against
their encoding, numbers for NaN, ids against the number of records, stored keys against each other
(in at most 512 MB: more than some 40 million keys are read several times); then recomputes the
ground truth of some queries by brute force. Exit code 1 when something is wrong.]]
M.example = "vbench dataset verify datasets/products --sample 20"

M.options = read.options {
  { "--sample", type = "count", least = 0, metavar = "N", default = "100",
    help = "queries whose ground truth is recomputed, spread over all; 0: none" },
  { "--threads", type = "count", least = 1, most = 512, metavar = "N",
    help = "threads for that (default: the cores)" },
  { "-q/--quiet", type = "flag", help = "no progress" },
}

local FINDINGS = {
  [0] = "lengths over max_bytes", "member counts over max_members", "texts not in their encoding",
  "numbers that are NaN or infinite", "ids that cannot be", "distances out of order",
  "keys that another record has",
}
local TOLERANCE, RUNS = 1e-5, 8

local function check_bytes(dataset, quiet)
  local verify, err = C.vb_verify_new(dataset.handle), native.new_error()
  if verify == nil then
    error(failure.new(failure.COULD_NOT_RUN, dataset.name .. ": out of memory"), 0)
  end
  ffi.gc(verify, C.vb_verify_free)
  local total = tonumber(C.vb_verify_total(verify))
  work.run(function() return work.check(C.vb_verify_step(verify, err), err) > 0 end, function()
    local done = tonumber(C.vb_verify_done(verify))
    return "checked", { done = done, total = total, rows = done }
  end, quiet)
  return verify
end

local function tell_bytes(verify)
  local wrong = false
  for finding = 0, C.VB_FINDINGS - 1 do
    local count = tonumber(C.vb_verify_count(verify, finding))
    if count > 0 then
      wrong = true
      print(("%d %s"):format(count, FINDINGS[finding]))
      for i = 0, math.huge do
        local text = C.vb_verify_example(verify, finding, i)
        if text == nil then break end
        print("  " .. ffi.string(text))
      end
    end
  end
  local empty = tonumber(C.vb_verify_empty(verify))
  if empty > 0 then
    print(("%d records have no members or an empty key, and cannot be sent"):format(empty))
  end
  return wrong
end

-- --- ground truth ------------------------------------------------------------------------------

local function filter_of(dataset)
  if dataset.schema.filter == nil then return nil end
  local out, err = ffi.new("vb_filter *[1]"), native.new_error()
  work.check(C.vb_filter_new(out, dataset.schema, dataset.schema.filter, err), err)
  return ffi.gc(out[0], C.vb_filter_free)
end

-- The exact neighbours of queries that follow each other: one pass over the records.
local function compute(dataset, field, run, threads, filter)
  local choice, err = ffi.new("vb_truth_choice"), native.new_error()
  choice.field, choice.threads, choice.filter = field.name, threads or 0, filter
  choice.neighbors, choice.first_query = dataset.neighbors, run.first
  choice.queries = run.count
  local out = ffi.new("vb_truth *[1]")
  work.check(C.vb_truth_start_dataset(out, dataset.handle, choice, nil, err), err)
  local truth = ffi.gc(out[0], C.vb_truth_free)
  native.or_free(function() C.vb_truth_free(ffi.gc(truth, nil)) end, function()
    while C.vb_truth_wait(truth, 100) == 0 do
      if work.interrupted() then error(failure.new(failure.INTERRUPTED, "interrupted"), 0) end
    end
  end)
  return truth
end

local DISTANCE = {}

function DISTANCE.l2(a, b)
  local sum = 0
  for i = 1, #a do sum = sum + (tonumber(a[i]) - tonumber(b[i])) ^ 2 end
  return math.sqrt(sum)
end

local function products(a, b)
  local dot, left, right = 0, 0, 0
  for i = 1, #a do
    local x, y = tonumber(a[i]), tonumber(b[i])
    dot, left, right = dot + x * y, left + x * x, right + y * y
  end
  return dot, left, right
end

function DISTANCE.cosine(a, b)
  local dot, left, right = products(a, b)
  return left * right > 0 and 1 - dot / math.sqrt(left * right) or 1
end

function DISTANCE.ip(a, b)
  return 1 - products(a, b)
end

local function bits(value)
  local out = {}
  for _, byte in ipairs(value[1]) do
    for bit = 7, 0, -1 do out[#out + 1] = math.floor(byte / 2 ^ bit) % 2 end
  end
  return out
end

local function components(value)
  return value.dtype == "binary" and bits(value) or value[1]
end

-- Another record at the same distance may stand there: which of equal ones is nearest, nobody says.
local function check_query(dataset, field, query, want, far)
  local metric = ffi.string(C.vb_distance_name(field.field.distance))
  local have, of_query = dataset:neighbors_of(query), components(dataset:query(query, field))
  for rank = 0, dataset.neighbors - 1 do
    local id = have[rank + 1]
    local other = id ~= nil and want[rank] ~= id or id == nil and far[rank] < math.huge
    if other then
      local distance = id and DISTANCE[metric](of_query, components(dataset:field(id, field)))
        or math.huge
      local off = math.abs(distance - far[rank])
      if off > TOLERANCE * math.max(1, math.abs(far[rank])) then
        return ("query %d: neighbour %d is %s at %.6g, the nearest is %s at %.6g"):format(query,
          rank, id and tostring(id) or "none", distance, tostring(want[rank]):gsub("ULL", ""),
          far[rank])
      end
    end
  end
end

-- A few runs of queries, spread over all.
local function runs_of(sample, queries)
  local list, count = {}, math.min(RUNS, sample)
  for i = 0, count - 1 do
    local size = math.floor((i + 1) * sample / count) - math.floor(i * sample / count)
    list[i + 1] = { first = math.floor(i * queries / count), count = size }
  end
  return list
end

local function check_run(dataset, field, run, threads, filter, wrong)
  local truth = compute(dataset, field, run, threads, filter)
  local want, far = C.vb_truth_ids(truth), C.vb_truth_distances(truth)
  for i = 0, run.count - 1 do
    local at = i * dataset.neighbors
    wrong[#wrong + 1] = check_query(dataset, field, run.first + i, want + at, far + at)
  end
end

local function check_truth(dataset, args)
  local field, filter = dataset:queried_vector(), filter_of(dataset)
  local sample = math.min(args.sample, dataset.query_count)
  local wrong, at = {}, 0
  if not field or dataset.neighbors == 0 or sample == 0 then return wrong, 0 end
  local runs = runs_of(sample, dataset.query_count)
  work.run(function()
    at = at + 1
    check_run(dataset, field, runs[at], args.threads, filter, wrong)
    return at < #runs
  end, function()
    local rows = math.floor(at * sample / #runs)
    return "queries recomputed", { done = at, total = #runs, rows = rows }
  end, args.quiet)
  return wrong, sample
end

local function tell_truth(wrong, sample)
  if #wrong == 0 then return false end
  print(("ground truth of %d of %d queries is not that of brute force"):format(#wrong, sample))
  for i = 1, math.min(#wrong, 5) do print("  " .. wrong[i]) end
  return true
end

--- Checks.
-- @tparam table args values of `options`
-- @tparam {string,...} operands the dataset
-- @treturn number exit code: 1 when something is wrong
-- @raise a failure
function M.run(args, operands)
  local dataset = read.operand("verify", args, operands)
  local excess = tonumber(C.vb_dataset_excess(dataset.handle))
  if excess > 0 then
    work.note("%s: has %d bytes behind what the schema speaks of", dataset.name, excess)
  end
  local wrong = tell_bytes(check_bytes(dataset, args.quiet))
  local sample = 0
  if not wrong then
    local bad
    bad, sample = check_truth(dataset, args)
    wrong = tell_truth(bad, sample)
  end
  if wrong then return failure.COULD_NOT_RUN end
  print(("%s: %d records%s are good%s"):format(dataset.name, dataset.count,
    dataset.query_count > 0 and (" and %d queries"):format(dataset.query_count) or "",
    sample > 0 and ("; ground truth of %d recomputed"):format(sample) or ""))
  return 0
end

return M
