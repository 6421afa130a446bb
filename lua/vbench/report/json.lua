--- A report as JSON: strict, in the order of the documents, a line for what is flat.
--
-- lua-cjson escapes the strings; numbers are written here, since it has 14 digits at most and
-- knows no empty array.
-- @module vbench.report.json
local cjson = require "cjson"
local files = require "vbench.report.files"

local M = {}

-- Keys in the order in which a person reads them; others follow by name.
local ORDER = {}
for key in ([[name description vbench format title tags scenario options seed started_at host server
    baseline status exit_code file sha256 libraries version redis_version mode modules resp
    addresses config cores cpu kernel ping_us get_miss_us address role zone slots clients threads
    pipeline rate sent_rate dropped backlog_at_end
    duration_s t_s operations ops_per_s requests sent qps errors open_connections errors_by_kind
    retries gave_up timeouts connection_errors reconnects lost_connections empty redirects hits
    misses bytes_sent bytes_received latency_us response_us lateness_us wait_us age_us
    invalidations invalidation_us
    count sum min mean stddev p50 p90 p95 p99 p999
    p9999 max exact_to mean_us p50_us p99_us max_us recall histogram unknown conflicts raced
    unanswered slowest unknown_operations
    pushes_by_kind quality
    commands keyspaces nodes timeline client server_change thresholds metrics expr value ok
    before after added removed protected skipped_protected coverage existing missing ratio
    backfilled scan found new stale out_of_range seconds keys_per_s
    command id node at phases optimizer]]):gmatch("%S+") do
  ORDER[#ORDER + 1] = key
  ORDER[key] = #ORDER
end

-- What is a list also when there is nothing in it.
local LISTS = {}
for key in ([[libraries modules addresses phases slowest unknown_operations commands keyspaces nodes
    timeline thresholds]]):gmatch("%S+") do
  LISTS[key] = true
end

-- The length of the UTF-8 character at `at`, nil when there is none (RFC 3629: no overlong forms,
-- no surrogates).
local function character(text, at)
  local a, b = text:byte(at, at + 1)
  local length = a < 0x80 and 1 or a >= 0xc2 and a < 0xe0 and 2 or a >= 0xe0 and a < 0xf0 and 3
    or a >= 0xf0 and a < 0xf5 and 4
  if not length or length == 1 then return length end
  if not text:find("^" .. ("[\128-\191]"):rep(length - 1), at + 1) then return nil end
  if a == 0xe0 and b < 0xa0 or a == 0xed and b > 0x9f then return nil end
  if a == 0xf0 and b < 0x90 or a == 0xf4 and b > 0x8f then return nil end
  return length
end

local function valid_utf8(text)
  if not text:find("[\128-\255]") then return text end
  local parts, at = {}, 1
  while at <= #text do
    local length = character(text, at)
    parts[#parts + 1] = length and text:sub(at, at + length - 1) or "\239\191\189"
    at = at + (length or 1)
  end
  return table.concat(parts)
end

local function string_text(text)
  return (cjson.encode(valid_utf8(text)):gsub("\\/", "/"))
end

-- The fewest digits that read back as the same number; null for what is none.
local function number_text(value)
  if value ~= value or value == math.huge or value == -math.huge then return "null" end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return (("%.0f"):format(value):gsub("^%-0$", "0"))
  end
  for digits = 15, 16 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then return text end
  end
  return ("%.17g"):format(value)
end

local function before(a, b)
  local x, y = ORDER[a] or math.huge, ORDER[b] or math.huge
  if x ~= y then return x < y end
  return tostring(a) < tostring(b)
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, before)
  return keys
end

local function is_list(value, name)
  if next(value) == nil then return LISTS[name] or false end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  return count == #value
end

local function is_flat(value)
  for _, item in pairs(value) do
    if type(item) == "table" and next(item) ~= nil then return false end
  end
  return true
end

local encode

-- A list or object on one line when it holds only scalars, else an entry a line.
local function encode_table(value, name, indent)
  if next(value) == nil and name and name:find("_us$") then return "null" end -- times of nothing
  local parts, list = {}, is_list(value, name)
  local inner = indent .. "  "
  if list then
    for i, item in ipairs(value) do parts[i] = encode(item, nil, inner) end
  else
    for i, key in ipairs(sorted_keys(value)) do
      parts[i] = string_text(tostring(key)) .. ": " .. encode(value[key], key, inner)
    end
  end
  local open, close = list and "[" or "{", list and "]" or "}"
  if #parts == 0 or is_flat(value) then return open .. table.concat(parts, ", ") .. close end
  return open .. "\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. indent .. close
end

-- 64-bit integers come from C.
local function cdata_text(value)
  local digits = tostring(value):match("^(%-?%d+)U?LL$")
  return digits or error("a report holds data, not " .. tostring(value))
end

function encode(value, name, indent)
  local kind = type(value)
  if value == nil or value == cjson.null then return "null" end
  if kind == "table" then return encode_table(value, name, indent) end
  if kind == "string" then return string_text(value) end
  if kind == "number" then return number_text(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "cdata" then return cdata_text(value) end
  error(("a report holds data, not a %s (%s)"):format(kind, tostring(name)))
end

--- Makes the JSON text of a report, or of any plain data.
-- @tparam table report plain data; NaN and infinite numbers become null
-- @treturn string JSON, ending in a newline
function M.render(report)
  return encode(report, nil, "") .. "\n"
end

--- Writes a report to a file, whole or not at all.
-- @tparam table report plain data
-- @tparam string path the file; `-` is standard output
-- @treturn ?boolean true
-- @treturn ?string what went wrong, with the path
function M.write(report, path)
  return files.write(path, M.render(report))
end

return M
