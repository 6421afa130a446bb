-- Files under 600 lines, lines of at most 100 columns, C functions of at most 80 lines with a
-- median under 12. Functions are found by their form, which clang-format guarantees.
local source = require("source")

local MAX_FILE, MAX_COLUMNS, MAX_FUNCTION, MAX_MEDIAN = 600, 100, 80, 12
local found, lengths = {}, {}

local function columns(line)
  return #line:gsub("[\128-\191]", "") -- bytes that continue a UTF-8 character have no width
end

local function note(path, start, length)
  lengths[#lengths + 1] = length
  if length > MAX_FUNCTION then
    found[#found + 1] = ("%s:%d: a function of %d lines (%d)")
      :format(path, start, length, MAX_FUNCTION)
  end
end

-- At the left margin, a line that opens a parameter list starts a function when the brace follows
-- before any semicolon.
local function functions(path, lines)
  local start, head
  for n, line in ipairs(lines) do
    if not start and line:find("^[%a_].*%(") then head = n end
    if not start and head and line:find("%) {$") then
      start = head
    elseif not start and head and line:find("%) { .*}$") then
      note(path, head, n - head + 1)
      head = nil
    elseif not start and line:find(";$") then
      head = nil
    elseif start and line == "}" then
      note(path, start, n - start + 1)
      start, head = nil, nil
    end
  end
end

for _, path in ipairs(source.sources()) do
  local lines = source.lines(path)
  if #lines >= MAX_FILE then
    found[#found + 1] = ("%s: %d lines (under %d)"):format(path, #lines, MAX_FILE)
  end
  for n, line in ipairs(lines) do
    if columns(line) > MAX_COLUMNS and not line:find("https?://") then
      found[#found + 1] = ("%s:%d: %d columns (%d)")
        :format(path, n, columns(line), MAX_COLUMNS)
    end
  end
  if path:find("^src/.*%.c$") then functions(path, lines) end
end

table.sort(lengths)
local median = lengths[math.ceil(#lengths / 2)]
if median and median >= MAX_MEDIAN then
  found[#found + 1] = ("src: the median function has %d lines (under %d)")
    :format(median, MAX_MEDIAN)
end
source.finish(found)
