--- `req`, what argument functions and reply hooks are given: `n`, `id`, `sub`, `query`,
-- `thread`, `connection` (numbers; -1 where there is none) and `rng`, random numbers that are a
-- function of the run's seed, the phase, n and the place in the command.
-- @api vbench.request
local bit = require "bit"
local vbffi = require "vbench.ffi"

local M = {}

local STEP, MIX1, MIX2 = 0x9e3779b97f4a7c15ULL, 0xbf58476d1ce4e5b9ULL, 0x94d049bb133111ebULL
local UNIT = 2 ^ -53

-- As vb_rng_next in base/random.h (splitmix64; Steele, Lea, Flood 2014), the high 53 bits.
local function draw(rng)
  local x = rng.state + STEP
  rng.state = x
  x = bit.bxor(x, bit.rshift(x, 30)) * MIX1
  x = bit.bxor(x, bit.rshift(x, 27)) * MIX2
  x = bit.bxor(x, bit.rshift(x, 31))
  return tonumber(bit.rshift(x, 11))
end

local methods = {}

--- A whole number from `a` to `b`, both inclusive, all equally likely.
-- @function rng:int
-- @tparam number a
-- @tparam number b from a, at most 2^53 - 1 above it
-- @treturn number
function methods.int(rng, a, b)
  if not (a <= b) then error("rng:int(a, b) takes a range with a <= b", 2) end
  return a + math.floor(draw(rng) * UNIT * (b - a + 1))
end

--- A number from 0 up to, but not including, 1.
-- @function rng:float
-- @treturn number
function methods.float(rng)
  return draw(rng) * UNIT
end

--- 53 random bits.
-- @function rng:next
-- @treturn number a whole number from 0 to 2^53 - 1
function methods.next(rng)
  return draw(rng)
end

-- A type takes its methods once in a process; busted loads modules anew for each file of specs.
pcall(vbffi.ffi.metatype, "vb_rng", { __index = methods })

return M
