local loader = require "vbench.loader"
local process = require "tests.support.process"
local session = require "vbench.session"

local here = process.capture("pwd")

local function absolute(path)
  return path:sub(1, 1) == "/" and path or here .. "/" .. path
end

describe("the loader", function()
  local directory, package_path

  before_each(function()
    directory, package_path = process.directory(), package.path
    session.enter { role = "plain" }
  end)

  after_each(function()
    process.remove(directory)
    package.path = package_path
  end)

  local function write(name, text)
    process.capture(("mkdir -p '%s'"):format((directory .. "/" .. name):match("^(.*)/")))
    return process.write(directory .. "/" .. name, text)
  end

  local function failing(text)
    local path = write("x.lua", text)
    session.enter { role = "plain", path = path }
    local scenario, failed = loader.load(path)
    assert.is_nil(scenario)
    return failed, path
  end

  it("loads a scenario", function()
    local path = write("x.lua", [[ local vb = require "vbench"
      return vb.scenario { description = "d", main = function() end } ]])
    assert.equal("d", loader.load(path).description)
  end)

  it("finds libraries beside the script, then in lib/ beside it", function()
    write("lib/one.lua", "return 'lib'")
    write("lib/spec_two/init.lua", "return 'two'")
    write("spec_three.lua", "return 'beside'")
    write("lib/spec_three.lua", "return 'lib'")
    local path = write("x.lua", [[ local vb = require "vbench"
      return vb.scenario { main = function() end, description = require "spec_two" ..
        require "spec_three" } ]])
    assert.equal("twobeside", loader.load(path).description)
  end)

  it("says where a script is wrong", function()
    local failed, path = failing "\nlocal x = = 3"
    assert.matches(path .. ":2: unexpected symbol near '='", failed.message, 1, true)
    assert.is_nil(failed.traceback)
    local ok, again = loader.check_syntax(path)
    assert.is_nil(ok)
    assert.equal(failed.message, again.message)
  end)

  it("gives a traceback when it says more than the message", function()
    local failed = failing("local function a() error('broken') end\n" ..
      "local function b() a() return 1 end\nb()")
    assert.matches("x.lua:1: broken", failed.message)
    assert.matches("x.lua:1\n.*x.lua:2\n.*x.lua:3", failed.traceback)
    assert.is_nil(failing("error('broken')").traceback)
  end)

  it("names a library that is not there, and where it was looked for", function()
    local failed = failing 'local other = require "no.such.library"'
    assert.matches("x.lua:1: module 'no.such.library' not found", failed.message)
    assert.is_nil(failed.message:find("\n"))
    assert.matches("VBENCH_PATH", failed.hint)
  end)

  it("hints at likely mistakes", function()
    assert.matches('require "vbench"', failing("vb.command {}").hint, 1, true)
  end)

  it("needs a scenario at the end", function()
    assert.matches("gives nothing, not a scenario", failing("local x = 3").message)
    assert.matches("gives a number, not a scenario", failing("return 3").message)
    assert.matches("return vb.scenario", failing("return {}").hint)
  end)

  it("finds paths, and names among the scenarios", function()
    local path = write("x.lua", "return 1")
    assert.equal(path, loader.find(path))
    local found, message = loader.find("/nonexistent/x.lua")
    assert.is_nil(found)
    assert.matches("/nonexistent/x.lua", message, 1, true)
    found, message = loader.find("chekc", { "check" })
    assert.is_nil(found)
    assert.matches("no scenario 'chekc'; did you mean 'check'?", message, 1, true)
  end)

  it("lists what it finds with the first comment of each", function()
    write("spec-listed.lua", "-- What it teaches.\nreturn vb.scenario {}")
    write("no-scenario.lua", "-- A library.\nreturn {}")
    local text = process.capture(("cd '%s' && env VBENCH_CDEF='%s' VBENCH_LIBRARY='%s' " ..
      "LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' luajit -e '%s'"):format(directory,
      absolute(os.getenv "VBENCH_CDEF"), absolute(os.getenv "VBENCH_LIBRARY"), here, here,
      'for _, one in ipairs(require("vbench.loader").list()) do ' ..
      "print(one.name, one.path, one.summary) end"))
    assert.matches("spec%-listed\t%./spec%-listed.lua\tWhat it teaches.", text)
    assert.is_nil(text:find("no-scenario", 1, true))
  end)
end)
