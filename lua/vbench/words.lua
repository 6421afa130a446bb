--- Splits texts into words as a shell would, without escapes and expansion.
-- @module vbench.words
local M = {}

--- Splits a text at blanks; '...' and "..." hold blanks together.
-- @tparam string text e.g. `SET "a key" __data__`
-- @treturn ?{string,...} the words; nil when a quote is not closed
-- @treturn ?string message
function M.split(text)
  local words, word, at = {}, nil, 1
  while at <= #text do
    local char = text:sub(at, at)
    if char == "'" or char == '"' then
      local close = text:find(char, at + 1, true)
      if not close then return nil, ("the quote %s is not closed"):format(char) end
      word = (word or "") .. text:sub(at + 1, close - 1)
      at = close
    elseif char:find("%s") then
      words[#words + 1] = word
      word = nil
    else
      word = (word or "") .. char
    end
    at = at + 1
  end
  words[#words + 1] = word
  return words
end

return M
