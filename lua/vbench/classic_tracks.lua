--- `--keyspace-tracker`: what the commands of the built-in scenario say about which keys exist.
-- @module vbench.classic_tracks
local vb = require "vbench"
local failure = require "vbench.failure"
local registry = require "vbench.registry"

local M = {}

-- What a good answer says of the keys of a command. Not here: what may leave a key or not (LPOP).
local WORDS = {
  add = [[set setex psetex getset append incr incrby incrbyfloat decr decrby setrange setbit mset
    hset hmset hincrby hincrbyfloat lpush rpush sadd zadd zincrby xadd pfadd geoadd json.set]],
  remove = "del unlink getdel",
  observe = [[get getex strlen exists hget hgetall hmget hlen lrange llen smembers scard zrange
    zcard xlen fcall mget]],
}

local EFFECT = {}
for effect, words in pairs(WORDS) do
  for word in words:gmatch("%S+") do EFFECT[word] = effect end
end

--- What a command does to the keys that it names.
-- @tparam string word its first
-- @treturn ?string "add", "remove", "observe"; nil when it is unknown, or nobody asked
function M.of(word)
  return vb.args.keyspace_tracker and EFFECT[word:lower()] or nil
end

-- What only matters where keys are tracked.
local function check_untracked()
  local args = vb.args
  local flag = args.tracker_file and "--tracker-file"
    or args.tracker_init == "scan" and "--tracker-init scan"
    or args.workload_snapshot and "--workload-snapshot"
  if flag then
    failure.usage("%s: the classic tests know which keys exist with --keyspace-tracker", flag)
  end
end

--- Refuses the option where no command tracks, and without it those that rely on it.
-- @raise a failure of exit code 2
function M.check()
  if not vb.args.keyspace_tracker then
    check_untracked()
    return
  end
  for _, name in ipairs(registry.names("command")) do
    if registry.get("command", name).spec.tracks then return end
  end
  failure.usage("--keyspace-tracker: none of the commands says which of the keys that it draws "
    .. "exist: set, get, incr, mset, fcall and schema-load do, and SET key:__rand_int__ behind --")
end

return M
