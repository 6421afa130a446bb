--- What is known of the servers' commands: which arguments are keys, what reads, writes and blocks.
-- Compiled in for use without a server; `learn` takes what a server's COMMAND says.
-- @module vbench.commands
local M = {}

-- Flags and first, last, step of the keys (as in COMMAND: the command is 0, last counts from the
-- end when negative), then the commands. Flags: r reads, w writes, b blocks, - none of these.
local FIXED = {
  { "r", 1, 1, 1, [[get strlen getrange substr getbit bitcount bitpos bitfield_ro ttl pttl type
    dump expiretime pexpiretime hget hmget hgetall hkeys hvals hlen hexists hstrlen
    hrandfield hscan httl hpttl hexpiretime hpexpiretime lindex llen lpos lrange scard sismember
    smismember smembers srandmember sscan zcard zcount zlexcount zmscore zrange zrangebylex
    zrangebyscore zrank zrandmember zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore
    xlen xrange xrevrange xpending geodist geohash geopos georadius_ro georadiusbymember_ro
    geosearch sort_ro json.get json.type json.strlen json.arrlen json.objlen json.objkeys
    json.arrindex json.resp bf.exists bf.mexists bf.info bf.card cf.exists cf.count cms.query
    cms.info topk.query topk.list tdigest.quantile tdigest.cdf ts.get ts.range ts.revrange ts.info
    vsim vcard vdim vemb vlinks vinfo vrandmember vismember]] },
  { "w", 1, 1, 1, [[set setex psetex setnx getset getdel getex append incr incrby incrbyfloat decr
    decrby setrange setbit bitfield expire pexpire expireat pexpireat persist restore hset hsetnx
    hmset hdel hincrby hincrbyfloat hexpire hpexpire hexpireat hpexpireat hpersist hgetdel hgetex
    hsetex lpush rpush lpushx rpushx lpop rpop linsert lset lrem ltrim sadd srem spop zadd zincrby
    zrem zpopmin zpopmax zremrangebylex zremrangebyrank zremrangebyscore xadd xdel xtrim xack
    xclaim xautoclaim xsetid geoadd georadius georadiusbymember pfadd sort move json.set json.del
    json.forget json.numincrby json.nummultby json.strappend json.arrappend json.arrinsert
    json.arrpop json.arrtrim json.clear json.toggle json.merge bf.add bf.madd bf.reserve bf.insert
    cf.add cf.addnx cf.del cf.reserve cms.initbydim cms.initbyprob cms.incrby topk.add topk.reserve
    topk.incrby tdigest.create tdigest.add ts.add ts.create ts.incrby ts.decrby ts.alter ts.del vadd
    vrem vsetattr delifeq]] },
  { "r", 1, -1, 1, "exists mget touch sdiff sinter sunion pfcount watch" },
  { "r", 1, -2, 1, "json.mget" },
  { "w", 1, -1, 1, "del unlink sdiffstore sinterstore sunionstore pfmerge" },
  { "w", 1, -1, 2, "mset msetnx" },
  { "w", 1, -1, 3, "json.mset ts.madd" },
  { "w", 1, 2, 1, "rename renamenx copy lmove rpoplpush smove zrangestore geosearchstore" },
  { "r", 1, 2, 1, "lcs" },
  { "wb", 1, 2, 1, "blmove brpoplpush" },
  { "wb", 1, -2, 1, "blpop brpop bzpopmin bzpopmax" },
  { "w", 2, -1, 1, "bitop" },
  { "r", 2, 2, 1, "object memory xinfo" },
  { "w", 2, 2, 1, "xgroup" },
  { "b", 0, 0, 0, "wait waitaof" },
  { "-", 0, 0, 0, [[ping echo auth hello select dbsize info time command config client flushall
    flushdb keys scan randomkey publish spublish multi exec discard script function
    acl slowlog latency lastsave save bgsave cluster readonly readwrite module quit reset]] },
}

-- Keys behind their count: flags, place of the count, further keys before it.
local COUNTED = {
  { "w", 2, {}, "eval evalsha fcall" },
  { "r", 2, {}, "eval_ro evalsha_ro fcall_ro" },
  { "r", 1, {}, "zdiff zinter zunion zintercard sintercard" },
  { "w", 1, {}, "lmpop zmpop" },
  { "w", 2, { 1 }, "zdiffstore zinterstore zunionstore" },
  { "wb", 2, {}, "blmpop bzmpop" },
}

-- Keys in the first half of what follows the word STREAMS.
local STREAMS = { xread = "r", xreadgroup = "w" }

local function flags_of(text)
  return {
    readonly = text:find("r", 1, true) ~= nil, write = text:find("w", 1, true) ~= nil,
    blocking = text:find("b", 1, true) ~= nil,
  }
end

local function build()
  local all = {}
  for _, row in ipairs(FIXED) do
    for name in row[5]:gmatch("%S+") do
      local entry = flags_of(row[1])
      entry.first, entry.last, entry.step = row[2], row[3], row[4]
      all[name] = entry
    end
  end
  for _, row in ipairs(COUNTED) do
    for name in row[4]:gmatch("%S+") do
      all[name] = flags_of(row[1])
      all[name].count_at, all[name].besides = row[2], row[3]
    end
  end
  for name, flags in pairs(STREAMS) do
    all[name] = flags_of(flags)
    all[name].streams = true
  end
  return all
end

local known = build()

-- What blocks, of the commands compiled in: servers flag XREAD whether or not it is told to BLOCK.
local blocking = {}
for name, entry in pairs(known) do blocking[name] = entry.blocking or nil end

--- What is known of a command.
-- @tparam string name in any case
-- @treturn ?table `readonly`, `write`, `blocking`, and where its keys are: `first`, `last`, `step`;
--   or `count_at` (and `besides`); or `streams`. nil when the command is unknown.
function M.find(name)
  return known[name:lower()]
end

--- Takes what a server said of its commands; the places of keys that the compiled-in table reckons
-- from a count or a word stay, since COMMAND cannot say them.
-- @tparam table info COMMAND's reply: list of `{name, arity, flags, first, last, step, ...}`
function M.learn(info)
  for _, row in ipairs(info) do
    local name, entry = tostring(row[1]):lower(), {}
    local before = known[name]
    for _, flag in ipairs(row[3]) do entry[tostring(flag)] = true end
    local learnt = {
      readonly = entry.readonly or false, write = entry.write or false,
      blocking = entry.blocking or false, first = row[4], last = row[5], step = row[6],
    }
    if before and (before.count_at or before.streams or row[4] == 0) then
      for _, field in ipairs { "count_at", "besides", "streams", "first", "last", "step" } do
        learnt[field] = before[field]
      end
    end
    known[name] = learnt
  end
end

local function has_block(words)
  for _, word in ipairs(words) do
    if type(word) == "string" and word:upper() == "STREAMS" then return false end
    if type(word) == "string" and word:upper() == "BLOCK" then return true end
  end
  return false
end

--- Whether the server may hold the reply to a command back until there is something to reply.
-- @tparam table words the arguments, the command's word first; false for those that are not known
-- @treturn boolean
function M.blocks(words)
  local name = type(words[1]) == "string" and words[1]:lower()
  if STREAMS[name] then return has_block(words) end
  return blocking[name] or false
end

local function mark_fixed(entry, words, out)
  if entry.first == 0 then return end
  local last = entry.last < 0 and #words + 1 + entry.last or entry.last + 1
  for i = entry.first + 1, last, entry.step do out[i] = true end
end

local function mark_counted(entry, words, out)
  for _, place in ipairs(entry.besides) do out[place + 1] = true end
  local count = tonumber(words[entry.count_at + 1] or nil)
  for i = 1, count or 0 do out[entry.count_at + 1 + i] = true end
end

local function mark_streams(words, out)
  for i, word in ipairs(words) do
    if type(word) == "string" and word:upper() == "STREAMS" then
      for k = i + 1, i + math.floor((#words - i) / 2) do out[k] = true end
      return
    end
  end
end

--- Which arguments of a command are keys.
-- @tparam table words the arguments, the command's word first; false for those that are not known
-- @treturn table set of places, from 1 (the command's word); empty when the command is unknown
function M.keys(words)
  local out = {}
  local entry = type(words[1]) == "string" and M.find(words[1])
  if not entry then return out end
  if entry.streams then
    mark_streams(words, out)
  elseif entry.count_at then
    mark_counted(entry, words, out)
  else
    mark_fixed(entry, words, out)
  end
  return out
end

return M
