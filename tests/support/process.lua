--- Processes for tests: started with their own files for output, signalled, waited for with a
-- deadline. Everything here blocks; nothing outlives the test process but what it detaches itself.
local ffi = require "ffi"
local C = ffi.C

ffi.cdef [[
int fork(void); int execvp(const char *file, const char *const argv[]); void _exit(int code);
int waitpid(int pid, int *status, int options); int kill(int pid, int signal); int setsid(void);
int open(const char *path, int flags, ...); int dup2(int from, int to); int close(int fd);
int usleep(unsigned microseconds); int clock_gettime(int clock, int64_t *time); int getpid(void);
int prctl(int option, unsigned long value); int chdir(const char *path);
void *signal(int number, void *handler);
]]

local M = {}

local signals = { HUP = 1, INT = 2, KILL = 9, USR1 = 10, TERM = 15, CONT = 18, STOP = 19 }
local WNOHANG, O_READ, O_WRITE, DEATHSIG = 1, 0, 0x241, 1

--- Seconds of the monotonic clock.
-- @treturn number
function M.now()
  local time = ffi.new("int64_t[2]")
  C.clock_gettime(1, time)
  return tonumber(time[0]) + tonumber(time[1]) / 1e9
end

--- Waits.
-- @tparam number seconds
function M.sleep(seconds)
  C.usleep(seconds * 1e6)
end

--- Calls fn until it gives something true, or raises after the deadline.
-- @tparam number seconds the deadline
-- @tparam string what what is waited for, for the message
-- @tparam function fn
-- @return what fn gave
function M.wait_for(seconds, what, fn)
  local deadline = M.now() + seconds
  repeat
    local value = fn()
    if value then return value end
    M.sleep(0.01)
  until M.now() > deadline
  error("waited " .. seconds .. " s for " .. what, 2)
end

--- The bytes of a file, or nil when there is none.
-- @tparam string path
-- @treturn ?string
function M.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

--- Writes a file.
-- @tparam string path
-- @tparam string text
-- @treturn string the path
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  return path
end

--- What a shell command prints; raises when it fails.
-- @tparam string command
-- @treturn string without the last newline
function M.capture(command)
  local pipe = assert(io.popen(command .. "; echo .$?", "r"))
  local text = pipe:read("*a")
  pipe:close()
  local out, code = text:match("^(.*)%.(%d+)\n$")
  if code ~= "0" then error(command .. ": " .. tostring(out), 2) end
  return (out:gsub("\n$", ""))
end

--- Makes a private directory; remove it with `remove`.
-- @tparam ?boolean memory true: in memory, where the machine has a place for that
-- @treturn string
function M.directory(memory)
  local parent = memory and M.capture("test -w /dev/shm && echo /dev/shm || echo /tmp") or "/tmp"
  return M.capture("mktemp -d " .. parent .. "/vbench-test-XXXXXX")
end

--- Removes what `directory` made.
-- @tparam string path
function M.remove(path)
  assert(path:match("^/tmp/vbench%-test%-%w+$") or path:match("^/dev/shm/vbench%-test%-%w+$"), path)
  os.execute("rm -rf " .. path)
end

--- Whether a process is there (zombies are not).
-- @tparam number pid
-- @treturn boolean
function M.alive(pid)
  local state = (M.read("/proc/" .. pid .. "/stat") or ""):match("%) (%a)")
  return state ~= nil and state ~= "Z"
end

local Process = {}
Process.__index = Process

-- A child is signalled perhaps before it has become its program: it must not answer with LuaJIT's
-- own handler, which raises an error.
C.signal(signals.INT, nil)

local function become(argv, options)
  C.prctl(DEATHSIG, 9)
  if options.session then C.setsid() end
  if options.cwd then C.chdir(options.cwd) end
  local files = { [0] = options.stdin or "/dev/null", options.stdout, options.stderr }
  for fd = 0, 2 do
    local file = C.open(files[fd], fd == 0 and O_READ or O_WRITE, ffi.new("int", 420))
    if file < 0 then C._exit(126) end
    if file ~= fd then
      C.dup2(file, fd)
      C.close(file)
    end
  end
  C.execvp(argv[0], argv)
  C._exit(127)
end

--- Starts a program. It dies with the test process.
-- @tparam {string,...} args the program and its arguments; numbers are written out
-- @tparam table options `stdin stdout stderr` files, `cwd`, `session` (a session of its own)
-- @return a process: `pid`, `:signal(name)`, `:wait(seconds)`, `:running()`
function M.start(args, options)
  local strings = {}
  for i = 1, #args do strings[i] = tostring(args[i]) end
  local argv = ffi.new("const char *[?]", #strings + 1, strings)
  argv[#strings] = nil
  local pid = C.fork()
  if pid == 0 then become(argv, options) end
  if pid < 0 then error("cannot fork") end
  return setmetatable({ pid = pid, strings = strings }, Process)
end

function Process:running()
  if self.done then return false end
  local status = ffi.new("int[1]")
  if C.waitpid(self.pid, status, WNOHANG) == 0 then return true end
  local raw = status[0]
  self.done = true
  self.signalled = raw % 128
  self.code = self.signalled == 0 and math.floor(raw / 256) % 256 or 128 + self.signalled
  return false
end

--- Sends a signal by name ("INT").
function Process:signal(name)
  if not self.done then C.kill(self.pid, assert(signals[name])) end
end

--- Waits for the end; after the deadline kills it and gives nil. Sets `peak_kb`, the most memory
-- that it was seen to take.
-- @tparam number seconds
-- @treturn ?number the exit code, 128 + the signal's number when a signal ended it
function Process:wait(seconds)
  local deadline = M.now() + seconds
  while self:running() do
    if M.now() > deadline then
      self:signal("KILL")
      while self:running() do M.sleep(0.01) end
      return nil
    end
    local peak = (M.read("/proc/" .. self.pid .. "/status") or ""):match("VmHWM:%s*(%d+)")
    self.peak_kb = tonumber(peak) or self.peak_kb
    M.sleep(0.003)
  end
  return self.code
end

return M
