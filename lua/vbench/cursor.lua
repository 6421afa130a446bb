--- Cursors: keyspaces as streams of ids.
-- @api vbench.cursor
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local session = require "vbench.session"
local units = require "vbench.units"

local M = {}

local methods = {}
local class = object.class("cursor", methods)
local SIZE_MAX, OVERLAP_MAX = 2 ^ 53, 1024
local PART, ABOVE_0 = { min = 0, max = 1 }, { above = 0, max = 1 }

--- Calls a function for each thing of one kind in an argument of a command.
-- @param value the argument: such a thing, what holds some, or anything else
-- @tparam string wanted "cursor", "field"
-- @tparam function visit gets its spec, and the thing
-- @local
function M.each_of(value, wanted, visit)
  local kind = fields.kind(value)
  if kind == wanted then return visit(value.spec, value) end
  if kind == "json" then return M.each_of(value.spec.document, wanted, visit) end
  local parts = kind == "concat" and value.spec.parts or kind == "array" and value.spec
    or kind == "object" and value.spec or {}
  for _, part in ipairs(parts) do
    M.each_of(kind == "object" and part[2] or part, wanted, visit)
  end
end

--- Calls a function for each cursor in an argument of a command.
-- @param value the argument: a cursor, what holds some, or anything else
-- @tparam function visit gets the cursor's spec
-- @local
function M.each(value, visit)
  M.each_of(value, "cursor", visit)
end

--- Methods of cursors; most may stand straight on a keyspace.
-- @local
M.methods = methods
--- Those that may not: they say how ids are written.
-- @local
M.LAST = { value = true, times = true }

--- A cursor of its spec.
-- @tparam table spec `keyspace`, `order`, and what its methods set
-- @treturn cursor
-- @local
function M.new(spec)
  return setmetatable({ kind = "cursor", spec = spec }, class)
end

-- A changed copy: cursors never change, so that one may stand in several commands.
local function changed(self, changes)
  local spec = object.copy(self.spec)
  if spec.current then
    fault.raise("keys:current() repeats an id that was drawn: it has no order, range or count")
  end
  for name, value in pairs(changes) do spec[name] = value end
  if changes.order and not changes.filter then spec.ordered = true end
  local ordered = spec.order == "sequential" or spec.order == "shuffled"
  if spec.claim and not ordered then
    fault.raise("claim takes the missing ids one after the other: in order, or shuffled")
  end
  if spec.filter == "ratio" and ordered then
    fault.raise("existing_ratio draws at random: not sequential, not shuffled")
  end
  return M.new(spec)
end

local function scatters(options, method)
  local given = fields.read(options or {}, { scatter = "boolean" }, method)
  return given.scatter ~= false
end

--- Ids in order: operation n gives the n-th. Ends after the last one unless `:wrap()`.
-- @function cursor:sequential
-- @treturn cursor
function methods.sequential(self)
  return changed(self, { order = "sequential" })
end

--- Ids with equal probability, with replacement, endless.
-- @function cursor:uniform
-- @treturn cursor
function methods.uniform(self)
  return changed(self, { order = "uniform" })
end

methods.random = methods.uniform

--- Each id once, in an order that the seed decides; then it ends. Without a table, at any size.
-- With `:wrap()`, or a `:limit(n)` above the number of ids, it goes round, each time in another
-- order.
-- @function cursor:shuffled
-- @treturn cursor
function methods.shuffled(self)
  return changed(self, { order = "shuffled" })
end

--- Ids by Zipf's law, with replacement, endless; O(1) at any size.
-- @function cursor:zipfian
-- @tparam ?number skew exponent above 0, 0.99 unless given
-- @tparam ?table options `scatter` (true): spread the ranks over the ids by a seeded permutation;
--   false: the lowest ids are the hot ones
-- @treturn cursor
function methods.zipfian(self, skew, options)
  return changed(self, {
    order = "zipfian", scatter = scatters(options, "zipfian"),
    skew = object.number(skew == nil and 0.99 or skew, "the skew of zipfian", { above = 0 }),
  })
end

--- Mostly the newest ids, with replacement, endless: P(k) ~ exp(-lambda k) for k ids behind the
-- highest one.
-- @function cursor:exponential
-- @tparam ?number lambda above 0, 0.1 unless given: half of all draws are of the newest seven
-- @treturn cursor
function methods.exponential(self, lambda)
  return changed(self, {
    order = "exponential",
    lambda = object.number(lambda == nil and 0.1 or lambda, "the lambda of exponential",
      { above = 0 }),
  })
end

--- Mostly ids around one, with replacement, endless. What falls past the ends is drawn again.
-- @function cursor:normal
-- @tparam ?number mean as a part of the ids, 0 to 1; 0.5 unless given
-- @tparam ?number deviation as a part of them, above 0 to 1; 0.1 unless given
-- @treturn cursor
function methods.normal(self, mean, deviation)
  return changed(self, {
    order = "normal",
    mean = object.number(mean == nil and 0.5 or mean, "the mean of normal", PART),
    deviation = object.number(deviation == nil and 0.1 or deviation, "the deviation of normal",
      ABOVE_0),
  })
end

-- A part of the ids, and how probable it is.
local function of_part(order, share, probability)
  return {
    order = order,
    share = object.number(share, ("the share of ids of %s"):format(order), ABOVE_0),
    probability = object.number(probability, ("the probability of %s"):format(order), PART),
  }
end

--- A hot part of the ids, the others seldom; with replacement, endless.
-- @function cursor:hotspot
-- @tparam ?number share of the ids that is hot, above 0 to 1; 0.2 unless given
-- @tparam ?number probability that one of them is drawn, 0 to 1; 0.8 unless given
-- @tparam ?table options `scatter` (true): the hot ids are spread over all by a seeded permutation;
--   false: they are the lowest ones
-- @treturn cursor
function methods.hotspot(self, share, probability, options)
  local changes = of_part("hotspot", share == nil and 0.2 or share,
    probability == nil and 0.8 or probability)
  changes.scatter = scatters(options, "hotspot")
  return changed(self, changes)
end

--- The newest ids most often, the others seldom; with replacement, endless.
-- @function cursor:latest
-- @tparam ?number share of the ids, from the highest down, that is recent; 0.1 unless given
-- @tparam ?number probability that one of them is drawn, 0 to 1; 0.9 unless given
-- @treturn cursor
function methods.latest(self, share, probability)
  return changed(self, of_part("latest", share == nil and 0.1 or share,
    probability == nil and 0.9 or probability))
end

--- As a cache of web pages is read: `:zipfian(0.99)`.
-- @function cursor:web_cache
-- @treturn cursor
function methods.web_cache(self)
  local made = methods.zipfian(self, 0.99)
  return made
end

--- As sessions are read, mostly the newest: `:exponential(0.1)`.
-- @function cursor:session_store
-- @treturn cursor
function methods.session_store(self)
  local made = methods.exponential(self, 0.1)
  return made
end

--- Only ids from `first` up to, but not including, `last`.
-- @function cursor:range
-- @tparam number first
-- @tparam number last
-- @treturn cursor
function methods.range(self, first, last)
  object.number(first, "the start of a range", { min = 0, integer = true })
  object.number(last, "the end of a range", { min = 1, integer = true, max = SIZE_MAX })
  local size = self.spec.keyspace.ids
  if type(first) == "number" and type(last) == "number" and first >= last then
    fault.raise("the range %d to %d holds no id: the end is not part of it", first, last)
  end
  if type(last) == "number" and last > size then
    fault.raise("the range ends at %d, past the %d ids of keyspace '%s'", last, size,
      self.spec.keyspace.name)
  end
  return changed(self, { first = first, last = last })
end

-- In random order unless another one is asked for.
local function filtered(self, changes)
  if self.spec.filter or self.spec.claim then
    fault.raise("a cursor has one of existing, missing, existing_ratio and claim, once")
  end
  if not self.spec.ordered then changes.order = "uniform" end
  local made = changed(self, changes)
  return made
end

--- Only ids whose keys exist, as far as is known: at random, unless an order follows. An id that is
-- removed is not drawn from then on. When none exists, the phase ends.
-- @function cursor:existing
-- @treturn cursor
function methods.existing(self)
  local made = filtered(self, { filter = "existing" })
  return made
end

--- Only ids whose keys do not exist, and that nobody has claimed: at random, unless an order
-- follows.
-- @function cursor:missing
-- @treturn cursor
function methods.missing(self)
  local made = filtered(self, { filter = "missing" })
  return made
end

--- Existing ids with a probability, else missing ones; at random.
-- @function cursor:existing_ratio
-- @tparam number ratio 0 to 1
-- @treturn cursor
function methods.existing_ratio(self, ratio)
  local made = filtered(self, {
    filter = "ratio", ratio = object.number(ratio, "the ratio of existing_ratio", PART),
  })
  return made
end

--- Missing ids, each of which is handed out once to all threads together; the lowest first, unless
-- `:shuffled()` follows. Goes on where the claims of the keyspace are. It ends when none is
-- missing; with `:wrap()` a round begins then, in which every id is handed out once, whether it
-- exists or not. What a command does not use, since it failed, is handed out once more.
-- @function cursor:claim
-- @treturn cursor
function methods.claim(self)
  if self.spec.filter then
    fault.raise("a cursor has one of existing, missing, existing_ratio and claim, once")
  end
  return changed(self, { claim = true })
end

local function set_of(self, set, method)
  if fields.kind(set) ~= "reference_set" then
    fault.raise("cursor:%s takes a reference set, not %s", method, fields.describe(set))
  end
  if self.spec.only or self.spec.except then
    fault.raise("a cursor has one of only and except, once; make one set of both before")
  end
  return set
end

--- Only ids of a reference set.
-- @function cursor:only
-- @tparam reference_set set
-- @treturn cursor
function methods.only(self, set)
  return changed(self, { only = set_of(self, set, "only") })
end

--- Only ids that are not of a reference set.
-- @function cursor:except
-- @tparam reference_set set
-- @treturn cursor
function methods.except(self, set)
  return changed(self, { except = set_of(self, set, "except") })
end

--- A random part of the ids, evenly spread; the same part in every phase of the run.
-- @function cursor:sample
-- @tparam number part above 0 to 1
-- @treturn cursor
function methods.sample(self, part)
  return changed(self, { sample = object.number(part, "the sample of a cursor", ABOVE_0) })
end

--- A share of the ids: for clients that divide the work among them.
-- @function cursor:partition
-- @tparam number|string i which one, from 1; or "slots": each thread has the ids whose keys are in
--   its share of the hash slots, thread t of n those from t * 16384 / n on
-- @tparam ?number n how many shares there are, of equal size; not with "slots"
-- @treturn cursor
function methods.partition(self, i, n)
  if i == "slots" and n == nil then
    return changed(self, { by_slots = true, part = false, parts = false })
  elseif type(i) == "string" then
    fault.raise("partition takes the number of a share and how many there are, or \"slots\" alone")
  end
  object.number(n, "the number of shares of a cursor", { min = 1, max = 2 ^ 31, integer = true })
  object.number(i, "the share of a cursor", { min = 1, max = 2 ^ 31, integer = true })
  if type(i) == "number" and type(n) == "number" and i > n then
    fault.raise("a cursor's share is number %d of %d: shares are 1 to %d", i, n, n)
  end
  return changed(self, { part = i, parts = n, by_slots = false })
end

--- Ids that several clients meet at: each is drawn `n` times in a row, so that operations at the
-- same time contend for it.
-- @function cursor:overlapping
-- @tparam ?number n 1 to 1024; the clients of the command line (50) unless given, at most 1024
-- @treturn cursor in order, or shuffled; not of existing or missing ids, and not of claims
function methods.overlapping(self, n)
  local clients = math.min(session.args.clients or 50, OVERLAP_MAX)
  return changed(self, { overlap = object.number(n or clients, "overlapping of a cursor",
    { min = 1, max = OVERLAP_MAX, integer = true }) })
end

--- At most `n` ids in all, in a run of a phase.
-- @function cursor:limit
-- @tparam number|string n a count, such as 1000 or "10k"
-- @treturn cursor
function methods.limit(self, n)
  local count, message = n, nil
  if type(n) == "string" then count, message = units.count(n) end
  if message then fault.raise("the limit of a cursor: %s", message) end
  return changed(self, {
    limit = object.number(count, "the limit of a cursor",
      { min = 1, integer = true, max = SIZE_MAX }),
  })
end

--- Ends the phase after a time, from its start; until then it starts over at its end.
-- @function cursor:duration
-- @tparam number|string time such as 2.5 (seconds) or "30s"
-- @treturn cursor
function methods.duration(self, time)
  local seconds, message = units.duration(time)
  if not seconds then fault.raise("the duration of a cursor: %s", message) end
  object.number(seconds, "the duration of a cursor", { above = 0 })
  return changed(self, { duration = seconds, wrap = true })
end

--- Starts over at the end instead of ending.
-- @function cursor:wrap
-- @treturn cursor
function methods.wrap(self)
  return changed(self, { wrap = true })
end

--- Draws of its own: other numbers than a like cursor with another seed gives.
-- @function cursor:seed
-- @tparam number n whole
-- @treturn cursor
function methods.seed(self, n)
  return changed(self, { seed = object.number(n, "the seed of a cursor", { integer = true }) })
end

--- Several ids, each an argument.
-- @function cursor:times
-- @tparam number|table n how many, or `{min=, max=}`: drawn for each operation
-- @tparam ?string slot "same_slot": all of the slot of the first one
-- @treturn cursor
function methods.times(self, n, slot)
  if slot ~= nil and slot ~= "same_slot" then
    fault.raise("times takes \"same_slot\" as its second argument, not %s",
      type(slot) == "string" and ("'%s'"):format(slot) or fields.describe(slot))
  end
  local from, to = n, n
  if type(n) == "table" and not fields.kind(n) then
    local given = fields.read(n, { min = "count", max = "count" }, "times", { params = true })
    from, to = given.min or 1, given.max
    if to == nil then fault.raise("times takes a number or { min =, max = }: max is missing") end
  end
  local range = { min = 1, integer = true, max = 2 ^ 20 }
  object.number(from, "the least of times", range)
  object.number(to, "the number of times", range)
  if type(from) == "number" and type(to) == "number" and from > to then
    fault.raise("times: min %d is above max %d", from, to)
  end
  return changed(self, { times_min = from, times_max = to, same_slot = slot ~= nil })
end

--- As data and not as a key: the member of a sorted set, a field.
-- @function cursor:value
-- @treturn cursor
function methods.value(self)
  local spec = object.copy(self.spec)
  spec.as_value = true
  return M.new(spec)
end

return M
