--- The name that somebody probably meant.
-- @module vbench.nearest
local M = {}

-- Edits (insert, delete, replace, swap two neighbours) that make b of a; Damerau 1964, by rows.
local function distance(a, b)
  local above, row, two_above = {}, {}, nil
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    two_above, above, row = above, row, { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(above[j - 1] + (same and 0 or 1), above[j] + 1, row[j - 1] + 1)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], two_above[j - 2] + 1)
      end
    end
  end
  return row[#b]
end

--- Finds the name nearest to a misspelt one, whatever the case.
-- @tparam string word what was written
-- @tparam {string,...} list names that exist; the first of equally near ones is taken
-- @treturn ?string the name, nil when every one has more than a third of its letters off
function M.find(word, list)
  local best, least
  word = word:lower()
  for _, name in ipairs(list) do
    local off = distance(word, name:lower())
    if off * 3 <= math.max(#word, #name) and (not least or off < least) then
      best, least = name, off
    end
  end
  return best
end

--- The hint that goes behind "unknown X 'word'".
-- @tparam string word what was written
-- @tparam {string,...} list names that exist
-- @treturn string `; did you mean 'name'?`, "" when nothing is near
function M.hint(word, list)
  local name = M.find(word, list)
  return name and ("; did you mean '%s'?"):format(name) or ""
end

return M
