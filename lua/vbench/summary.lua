--- What a scenario is, in a sentence or two, from the text of its file. Needs nothing else, since
-- the build asks it too.
-- @module vbench.summary
local M = {}

--- The first paragraph of the comment at the top, else the description.
-- @tparam string text of a file
-- @treturn string one line; "" where there is neither
function M.of(text)
  local lines = {}
  for line in text:gmatch("([^\n]*)\n") do
    local words = line:match("^%-%-+%s*(.*%S)")
    if not words then break end
    lines[#lines + 1] = words
  end
  if #lines > 0 then return table.concat(lines, " ") end
  return text:match('description%s*=%s*"([^"\n]*)"') or ""
end

return M
