--- What else of this host makes numbers worse than the server is: cores that it shares with the
-- workers, time that other machines took (steal), a network at its limit.
-- @module vbench.host_watch
local M = {}

local function read(path)
  local file = io.open(path, "r")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

-- "0-2,5" as a set.
local function set_of(list)
  local set = {}
  for from, to in list:gmatch("(%d+)%-?(%d*)") do
    for core = tonumber(from), tonumber(to) or tonumber(from) do set[core] = true end
  end
  return set
end

-- Cores that a process may run on; nil when it is not of this host.
local function allowed(pid, root)
  local status = read(("%s/%s/status"):format(root, pid))
  local list = status and status:match("Cpus_allowed_list:%s*([%d,-]+)")
  return list and set_of(list)
end

local function size_of(...)
  local all, count = {}, 0
  for i = 1, select("#", ...) do
    for core in pairs((select(i, ...))) do all[core] = true end
  end
  for _ in pairs(all) do count = count + 1 end
  return count
end

--- Whether servers on this host have to share cores with the workers: together they may use fewer
-- cores than there are workers and servers.
-- @tparam number threads workers
-- @tparam ?{number,...} pins cores that the workers are bound to
-- @tparam {number,...} pids of the servers that are on this host
-- @tparam[opt] string root for specs: of the process table, "/proc"
-- @treturn boolean
function M.shares_cores(threads, pins, pids, root)
  root = root or "/proc"
  local ours = pins and set_of(table.concat(pins, ",")) or allowed("self", root)
  local sets = { ours }
  for _, pid in ipairs(pids) do sets[#sets + 1] = allowed(pid, root) end
  if not ours or #sets == 1 then return false end
  return size_of(unpack(sets)) < threads + #sets - 1
end

--- What the cores of this host have done since it started.
-- @tparam[opt] string path for specs: "/proc/stat"
-- @treturn table `steal`, `all`: ticks; both 0 where the system does not tell
function M.ticks(path)
  local line = (read(path or "/proc/stat") or ""):match("^cpu%s+([^\n]*)") or ""
  local at, all, steal = 0, 0, 0
  for ticks in line:gmatch("%d+") do
    at = at + 1
    if at <= 8 then all = all + tonumber(ticks) end -- guests are in user time already
    if at == 8 then steal = tonumber(ticks) end
  end
  return { steal = steal, all = all }
end

--- The share of time that other machines took between two `ticks`.
-- @tparam table before
-- @tparam table after
-- @treturn number 0 to 1
function M.steal(before, after)
  local all = after.all - before.all
  return all > 0 and math.max(0, after.steal - before.steal) / all or 0
end

--- What the network interfaces have carried since they were up; the loopback apart, which has no
-- limit of its own.
-- @tparam[opt] string path for specs: "/proc/net/dev"
-- @treturn table name -> `{received, sent}` in bytes
function M.carried(path)
  local out = {}
  for name, fields in (read(path or "/proc/net/dev") or ""):gmatch("%s*([^%s:]+):([^\n]*)") do
    local numbers = {}
    for number in fields:gmatch("%d+") do numbers[#numbers + 1] = tonumber(number) end
    if name ~= "lo" and #numbers >= 9 then out[name] = { numbers[1], numbers[9] } end
  end
  return out
end

-- Bytes a second; nil where the interface does not tell (virtual ones mostly).
local function speed_of(name, root)
  local megabits = tonumber((read(("%s/%s/speed"):format(root, name)) or ""):match("^%d+"))
  return megabits and megabits > 0 and megabits * 1e6 / 8 or nil
end

--- The interface that came nearest to its limit between two `carried`, in the fuller direction.
-- @tparam table before
-- @tparam table after
-- @tparam number seconds between them
-- @tparam[opt] string root for specs: "/sys/class/net"
-- @treturn ?table `interface`, `share` (1 is its limit); nil where none tells its speed
function M.network(before, after, seconds, root)
  local most
  for name, now in pairs(after) do
    local speed, was = speed_of(name, root or "/sys/class/net"), before[name]
    if speed and was and seconds > 0 then
      local share = math.max(now[1] - was[1], now[2] - was[2]) / seconds / speed
      if not most or share > most.share then most = { interface = name, share = share } end
    end
  end
  return most
end

return M
