-- libhdf5 is loaded by who opens a file in HDF5, and by nobody else.
local datasets = require "tests.support.dataset"
local process = require "tests.support.process"
local vbench = require "tests.support.vbench"

describe("libhdf5", function()
  local dir
  local soname = process.read(vbench.binary):match("libhdf5[%w_]*%.so[.%d]+")

  before_each(function() dir = datasets.new() end)
  after_each(function() dir:clean() end)
  teardown(vbench.clean)

  it("is not loaded when vbench starts", function()
    local loaded = process.capture(("LD_TRACE_LOADED_OBJECTS=1 '%s'"):format(vbench.binary))
    assert.matches("libluajit", loaded, 1, true)
    assert.is_nil(loaded:find("hdf5", 1, true))
  end)

  it("is named, with its package, where it is missing", function()
    if not soname then return pending("this vbench was built without HDF5") end
    dir:write("a.hdf5", "\137HDF\r\n\26\n")
    dir:write(soname, "") -- found before the one of the system, and no library
    local run = vbench.run { "dataset", "import", "a.hdf5", "-o", "out", cwd = dir.path,
      env = { LD_LIBRARY_PATH = dir.path } }
    assert.equal(1, run.code)
    assert.matches("a.hdf5: HDF5 needs the library " .. soname .. ", which cannot be loaded (",
      run.err, 1, true)
    assert.matches("install it (Debian: libhdf5-dev)", run.err, 1, true)
    assert.equal("a.hdf5 " .. soname, dir:files())
  end)
end)
