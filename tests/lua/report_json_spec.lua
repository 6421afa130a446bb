local cjson = require "cjson"
local json = require "vbench.report.json"
local fixture = require "tests.lua.fixtures.report"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

describe("the JSON report", function()
  it("reads back as what it was", function()
    local report = fixture.report()
    assert.same(report, cjson.decode(json.render(report)))
  end)

  it("is what a strict reader in another language takes", function()
    local path = os.tmpname()
    assert.is_true(json.write(fixture.report(), path))
    local code = ("python3 -c 'import json,sys; json.load(open(\"%s\"), parse_constant=sys.exit)'")
    assert.equal(0, os.execute(code:format(path)))
    os.remove(path)
  end)

  it("has its keys in the order of the documents", function()
    local text = json.render(fixture.report())
    local last = 0
    for key in ("vbench format scenario options seed status exit_code phases"):gmatch("%S+") do
      local at = assert(text:find('\n  "' .. key .. '": ', 1, true), key)
      assert.is_true(at > last, key)
      last = at
    end
  end)

  it("begins with the name of what it describes", function()
    assert.equal('{"name": "x", "file": "x.lua", "sha256": "0"}\n',
      json.render { sha256 = "0", file = "x.lua", name = "x" })
    assert.equal('{"name": "x", "status": "ok", "clients": 1}\n',
      json.render { clients = 1, status = "ok", name = "x" })
  end)

  it("writes lists and objects that are empty as what they are", function()
    local text = json.render { phases = {}, tags = {}, x = { slowest = {}, metrics = {} } }
    assert.truthy(text:find('"phases": []', 1, true))
    assert.truthy(text:find('"tags": {}', 1, true))
    assert.truthy(text:find('"slowest": []', 1, true))
    assert.truthy(text:find('"metrics": {}', 1, true))
  end)

  it("writes integers as integers and other numbers with all their digits", function()
    assert.equal("9007199254740991\n", json.render(2 ^ 53 - 1))
    assert.equal("123456789012345\n", json.render(123456789012345))
    assert.equal("18446744073709551615\n", json.render(18446744073709551615ULL))
    assert.equal("0.1\n", json.render(0.1))
    assert.equal("0\n", json.render(-0.0))
    for _, value in ipairs { 1 / 3, 5e-324, 2 ^ 53 + 2, 1e300, -123.456789012345678 } do
      assert.equal(value, tonumber(json.render(value)))
    end
  end)

  it("never holds a NaN or an infinity", function()
    assert.equal('{"a": null, "b": null, "c": null}\n',
      json.render { a = 0 / 0, b = math.huge, c = -math.huge })
    assert.equal('{"rate": null}\n', json.render { rate = cjson.null })
  end)

  it("escapes what must be and repairs what is no text", function()
    assert.equal('"a\\"\\\\\\n/\\u0001 \195\188"\n', json.render('a"\\\n/\1 \195\188'))
    assert.equal('"x\239\191\189y\239\191\189"\n', json.render("x\255y\195"))
    assert.equal('"\239\191\189\239\191\189\239\191\189"\n', json.render("\237\160\128"))
  end)

  it("says which path cannot be written", function()
    local ok, message = json.write(fixture.report(), "/no/such/report.json")
    assert.is_nil(ok)
    assert.equal("/no/such/report.json: No such file or directory", message)
    ok, message = json.write(fixture.report(), "/dev/full")
    assert.is_nil(ok)
    assert.equal("/dev/full: No space left on device", message)
  end)

  it("leaves nothing but the report behind", function()
    local directory = os.tmpname()
    os.remove(directory)
    assert.equal(0, os.execute("mkdir " .. directory))
    assert.is_true(json.write({ seed = 1 }, directory .. "/r.json"))
    assert.equal('{"seed": 1}\n', read(directory .. "/r.json"))
    assert.is_true(json.write({ seed = 2 }, directory .. "/r.json"))
    local listing = io.popen("ls -A " .. directory)
    assert.equal("r.json\n", listing:read("*a"))
    listing:close()
    os.execute("rm -r " .. directory)
  end)
end)
