--- Keyspaces in the report for people: a line for each whose keys are tracked.
-- @module vbench.report.keyspaces
local text = require "vbench.report.text"

local M = {}

local function is_number(value)
  return type(value) == "number"
end

local function counts(one)
  local line = ("%s before, %s after"):format(text.plural(one.before, "key"), text.count(one.after))
  if not is_number(one.added) or not is_number(one.removed) then return line end
  return ("%s (%s added, %s removed)"):format(line, text.count(one.added), text.count(one.removed))
end

local function coverage(parts, one)
  local of = one.coverage
  if type(of) == "table" then
    parts[#parts + 1] = ("%s of the reference ids there"):format(text.percent(of.ratio))
    if of.missing > 0 then parts[#parts + 1] = text.count(of.missing) .. " missing" end
  end
  if (one.backfilled or 0) > 0 then
    parts[#parts + 1] = text.count(one.backfilled) .. " backfilled"
  end
end

local function protection(parts, one)
  if (one.protected or 0) == 0 then return end
  parts[#parts + 1] = text.count(one.protected) .. " protected"
  if one.skipped_protected > 0 then
    parts[#parts + 1] = text.plural(one.skipped_protected, "delete") .. " of them not sent"
  end
end

local function scan(parts, one)
  if type(one.scan) ~= "table" then return end
  parts[#parts + 1] = ("scanned: %s found, %s new, %s stale"):format(text.count(one.scan.found),
    text.count(one.scan.new), text.count(one.scan.stale))
end

-- Parts with commas between, on as few lines as they fit on.
local function wrapped(out, line, parts)
  for i, part in ipairs(parts) do
    local joined = line .. (i == 1 and " " or ", ") .. part
    if #joined > text.WIDTH and i > 1 then
      out[#out + 1] = line .. ","
      joined = "    " .. part
    end
    line = joined
  end
  out[#out + 1] = text.cut(line, text.WIDTH)
end

--- What is said about the keyspaces of a phase.
-- @tparam {table,...} list `keyspaces` of the JSON report
-- @treturn {string,...} a line for each, and what does not fit on it
function M.lines(list)
  local out = {}
  for _, one in ipairs(list) do
    local parts = { counts(one) }
    coverage(parts, one)
    protection(parts, one)
    scan(parts, one)
    wrapped(out, ("  keyspace '%s':"):format(text.plain(one.name)), parts)
  end
  return out
end

return M
