--- What has to hold in every JSON report, whatever ran: nothing is counted twice, nothing is lost.
-- `tests/support/vbench.lua` looks at each report that an integration test makes.
local bit = require "bit"
local ffi = require "ffi"

ffi.cdef "int uncompress(uint8_t *to, unsigned long *size, const char *from, unsigned long length);"
local zlib = ffi.load "z"

local M = {}

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

-- Of the phase and of each command; what the phase counts is the sum.
local SUMMED = words [[operations errors retries gave_up timeouts empty hits misses bytes_sent
  bytes_received unknown conflicts raced dropped]]
local ORDER = words "min p50 p90 p95 p99 p999 p9999 max"
local TIMES = words "latency_us response_us lateness_us wait_us age_us invalidation_us"

local DIGITS = {}
for i = 0, 63 do
  DIGITS[("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):byte(i + 1)] = i
end

local function from_base64(text)
  local out, held, bits = {}, 0, 0
  for i = 1, #text do
    local digit = DIGITS[text:byte(i)]
    if not digit then break end
    held, bits = bit.band(held * 64 + digit, 0xffff), bits + 6
    if bits >= 8 then
      bits = bits - 8
      out[#out + 1] = string.char(bit.band(bit.rshift(held, bits), 255))
    end
  end
  return table.concat(out)
end

-- The sum of the ZigZag LEB128 numbers of HdrHistogram's V2 encoding; negative ones are gaps.
local function sum_of_counts(data, from, to)
  local sum, value, scale, bytes = 0, 0, 1, 0
  for i = from, to - 1 do
    local byte = data[i]
    bytes = bytes + 1
    local last = byte < 128 or bytes == 9
    value = value + (bytes == 9 and byte or byte % 128) * scale
    scale = scale * 128
    if last then
      if value % 2 == 0 then sum = sum + value / 2 end
      value, scale, bytes = 0, 1, 0
    end
  end
  return sum
end

--- How many values a histogram of a report holds.
-- @tparam string text base64 of HdrHistogram V2, deflated
-- @treturn number
function M.histogram_count(text)
  local packed = from_base64(text)
  local size = ffi.new("unsigned long[1]", 16 * 1024 * 1024)
  local data = ffi.new("uint8_t[?]", size[0])
  assert(zlib.uncompress(data, size, packed:sub(9), #packed - 8) == 0, "a histogram that is none")
  return sum_of_counts(data, 40, tonumber(size[0]))
end

local function is_value(value)
  return type(value) ~= "userdata" and value ~= nil -- userdata: null
end

local function sum(rows, key)
  local total = 0
  for _, row in ipairs(rows) do total = total + row[key] end
  return total
end

-- Whether the numbers of some of the rows make up `wanted`.
local function some_make(rows, key, wanted, from)
  if wanted == 0 then return true end
  for i = from or 1, #rows do
    local value = rows[i][key]
    if value > 0 and value <= wanted and some_make(rows, key, wanted - value, i + 1) then
      return true
    end
  end
  return false
end

local function check_times(row, complain)
  for _, name in ipairs(TIMES) do
    local times = row[name]
    if is_value(times) then
      for i = 2, #ORDER do
        local low, high = times[ORDER[i - 1]], times[ORDER[i]]
        if low and low > high then complain("%s: %s above %s", name, ORDER[i - 1], ORDER[i]) end
      end
      local some = times.min
      if some and (times.mean < times.min or times.mean > times.max) then
        complain("%s: its mean is out of it", name)
      end
    end
  end
end

local function check_errors(row, complain)
  local kinds = 0
  for _, kind in pairs(row.errors_by_kind) do kinds = kinds + kind.count end
  if kinds ~= row.errors then complain("%d errors, by kind %d", row.errors, kinds) end
  local timeouts = (row.errors_by_kind.timeout or { count = 0 }).count
  if timeouts > row.timeouts then complain("%d errors in %d timeouts", timeouts, row.timeouts) end
  if row.unknown > row.errors then complain("%d unknown, %d errors", row.unknown, row.errors) end
end

-- Times of a row: of each request, but for those within transactions and messages of subscribers.
local function check_histogram(row, alone, complain)
  if not is_value(row.histogram) then return end
  local count = M.histogram_count(row.histogram)
  if (count == 0) == is_value(row.latency_us) then complain("%d values and its times", count) end
  if count > row.requests then complain("%d values of %d requests", count, row.requests) end
  if alone and count ~= row.requests and not is_value(row.wait_us) and row.bytes_sent > 0 then
    complain("%d values of %d requests", count, row.requests)
  end
end

local function check_row(row, alone, complain)
  check_errors(row, complain)
  check_times(row, complain)
  check_histogram(row, alone, complain)
end

local function check_commands(phase, complain)
  local commands = phase.commands
  for _, key in ipairs(SUMMED) do
    local of_commands = sum(commands, key)
    if of_commands ~= phase[key] then
      complain("%s: %s, its commands %s", key, phase[key], of_commands)
    end
  end
  -- Transactions and runs of flows stand beside the commands that they are made of.
  local beside = sum(commands, "requests") - phase.requests
  if beside < 0 or not some_make(commands, "requests", beside) then
    complain("requests: %d, its commands %d", phase.requests, phase.requests + beside)
  end
  for _, row in ipairs(commands) do
    check_row(row, beside == 0, function(format, ...)
      complain("%s: " .. format, row.name, ...)
    end)
  end
end

local function check_parts(phase, complain)
  for _, part in ipairs { "timeline", "nodes" } do
    for _, key in ipairs { "requests", "errors" } do
      local of_part = sum(phase[part], key)
      if of_part ~= phase[key] then
        complain("%s: %s, its %s %s", key, phase[key], part, of_part)
      end
    end
  end
  local before = 0
  for _, second in ipairs(phase.timeline) do
    if second.t_s < before then complain("the timeline goes back to %s", second.t_s) end
    before = second.t_s
  end
end

-- Each operation that ended has had an answer, an error or a conflict, or had nothing to send.
local function check_operations(phase, complain)
  local ends = phase.requests + phase.errors + phase.conflicts + phase.empty
  for _, keyspace in ipairs(phase.keyspaces) do ends = ends + (keyspace.skipped_protected or 0) end
  if phase.operations > ends then complain("%d operations, %d ends", phase.operations, ends) end
end

-- asked = ended + waiting at the end + dropped; the rates are rounded to a thousandth.
local function check_schedule(phase, complain)
  if not is_value(phase.rate) then return end
  local sent = phase.sent_rate * phase.duration_s
  local slack = 0.01 + 0.001 * phase.duration_s + 1e-6 * phase.sent_rate
  if math.abs(sent - phase.operations) > slack then
    complain("%.3f sent of the schedule, %d operations", sent, phase.operations)
  end
  local unanswered = is_value(phase.unanswered) and phase.unanswered or 0
  if unanswered < phase.backlog_at_end then
    complain("%d unanswered, %d waiting", unanswered, phase.backlog_at_end)
  end
end

--- What does not hold in a report.
-- @tparam table report as `--json` writes it, decoded
-- @treturn {string,...} empty when all is well
function M.faults(report)
  local faults = {}
  for _, phase in ipairs(report.phases) do
    local function complain(format, ...)
      faults[#faults + 1] = ("phase '%s': "):format(phase.name) .. format:format(...)
    end
    check_row(phase, false, complain)
    check_commands(phase, complain)
    check_parts(phase, complain)
    check_operations(phase, complain)
    check_schedule(phase, complain)
  end
  return faults
end

return M
