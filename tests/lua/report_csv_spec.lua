local csv = require "vbench.report.csv"
local fixture = require "tests.lua.fixtures.report"
local report = require "vbench.report"

local function read(path)
  local file = assert(io.open(path))
  local all = file:read("*a")
  file:close()
  return all
end

-- What Python's csv module reads of a text, as rows of fields.
local function parsed(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  local code = "import csv, sys, json;"
    .. " print(json.dumps(list(csv.reader(open(sys.argv[1]), strict=True))))"
  local pipe = io.popen(("python3 -c '%s' %s"):format(code, path))
  local rows = require("cjson").decode(pipe:read("*a"))
  pipe:close()
  os.remove(path)
  return rows
end

describe("CSV as redis-benchmark writes it", function()
  it("has its header and its lines", function()
    assert.equal('"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",'
      .. '"p99_latency_ms","max_latency_ms"\n', csv.HEADER)
    assert.equal('"SET","100000.00","0.301","0.151","0.286","0.452","0.678","12.512"\n',
      csv.tests(fixture.fill(), "SET"))
  end)

  it("has a line more for each of several commands", function()
    local rows = parsed(csv.tests(fixture.read()))
    assert.same({ "read", "read get", "read set" }, { rows[1][1], rows[2][1], rows[3][1] })
    assert.equal("20000.01", rows[3][2])
  end)

  it("has empty fields where nothing succeeded", function()
    assert.equal('"X","0.00","","","","","",""\n', csv.tests(fixture.without_success(), "X"))
  end)

  it("quotes what a title holds", function()
    assert.equal('SET k"e,y ?', parsed(csv.tests(fixture.fill(), 'SET k"e,y \n'))[1][1])
  end)
end)

describe("CSV a second", function()
  it("has a row a second, there as soon as it is written", function()
    local path = os.tmpname()
    local out = assert(csv.open_seconds(path))
    local phase = fixture.fill()
    assert.is_true(out:row("fill", phase.timeline[1]))
    local header = "phase,t_s,requests,sent,errors,open_connections,mean_us,p50_us,p99_us,max_us\n"
    assert.equal(header .. "fill,1,99000,99050,0,50,300.5,290,650.25,12000\n", read(path))
    assert.is_true(out:row('a "b", c', phase.timeline[2]))
    out:close()
    out:close()
    assert.same({ 'a "b", c', "2", "0", "12", "12", "49", "", "", "", "" }, parsed(read(path))[3])
    os.remove(path)
  end)

  it("names the path that cannot be written", function()
    local out, message = csv.open_seconds("/no/such/x.csv")
    assert.is_nil(out)
    assert.equal("/no/such/x.csv: No such file or directory", message)
    out, message = csv.open_seconds("/dev/full")
    assert.is_nil(out)
    assert.equal("/dev/full: No space left on device", message)
  end)

  it("notices a full disk also when writing has become hot", function()
    local files = require "vbench.report.files"
    local fine, full = files.stream("/dev/null"), files.stream("/dev/full")
    local taken
    for round = 1, 20 do
      for i = 1, 400 do
        local stream = (i == 400 or round == 1 and i > 300) and full or fine
        taken = stream:write("row\n")
        if stream == full then assert.is_nil(taken) end
      end
    end
  end)
end)

describe("the CSV summary", function()
  it("has a row a phase and command under the names of the metrics", function()
    local rows = parsed(csv.summary(fixture.report()))
    local at = {}
    for i, name in ipairs(rows[1]) do at[name] = i end
    assert.equal(1 + 2 + 3, #rows)
    for _, row in ipairs(rows) do assert.equal(#rows[1], #row) end
    assert.same({ "read", "set" }, { rows[6][at.phase], rows[6][at.command] })
    assert.equal("20.52", rows[6][at.p99_ms])
    assert.equal("0.875", rows[5][at.hit_rate])
    assert.equal("", rows[6][at.hit_rate])
    assert.equal("3.456", rows[4][at.cpu_us_per_request])
    assert.equal("", rows[4][at.response_p99_us])
  end)

  it("marks a client that was the limit", function()
    local phase = fixture.fill()
    phase.client.bound = true
    local text = csv.summary { phases = { phase, fixture.fill() } }
    local found = {}
    for row in text:gmatch("[^\n]+") do
      local cells = {}
      for cell in (row .. ","):gmatch("([^,]*),") do cells[#cells + 1] = cell end
      found[#found + 1] = cells[10]
    end
    assert.equal("client_bound", found[1])
    assert.equal("1", found[2])
    assert.equal("0", found[#found])
  end)

  it("has no latency where nothing succeeded", function()
    local rows = parsed(csv.summary { phases = { fixture.without_success() } })
    for i, name in ipairs(rows[1]) do
      if name:find("_ms$") then assert.equal("", rows[2][i], name) end
    end
  end)
end)

describe("the files of a run", function()
  it("are checked before it", function()
    assert.is_true(report.check {})
    assert.is_true(report.check { json = "-", csv_summary = "/dev/null" })
    local _, message = report.check { csv_summary = "/no/such/x" }
    assert.equal("--csv-summary: /no/such/x: No such file or directory", message)
    _, message = report.check { json = "-", csv_summary = "-" }
    assert.equal("--json and --csv-summary both go to -", message)
    _, message = report.check { csv = true, json = "-" }
    assert.equal("--csv and --json both go to -", message)
    assert.is_true(report.check { csv = true, json = "/dev/null" })
  end)

  it("take standard output from people", function()
    assert.is_false(report.takes_stdout { json = "x" })
    assert.is_true(report.takes_stdout { json = "-" })
    assert.is_true(report.takes_stdout { csv = true })
  end)

  it("are all tried", function()
    local path = os.tmpname()
    local problems = report.write(fixture.report(), {
      json = "/no/such/a", csv_summary = "/no/such/b", output = path, output_format = "csv",
    })
    assert.same({
      "/no/such/a: No such file or directory", "/no/such/b: No such file or directory",
    }, problems)
    assert.equal(1 + 1 + 3, #parsed(read(path)))
    os.remove(path)
  end)
end)
