-- `cmake --install` puts a whole vbench anywhere.
local process = require "tests.support.process"

local library = os.getenv("VBENCH_LIBRARY") or "build/libvbench.so"
local build = library:match("^(.*)/[^/]*$")

describe("what cmake --install puts under a prefix", function()
  local prefix

  setup(function()
    prefix = process.directory()
    process.capture(("cmake --install '%s' --prefix '%s/opt' >/dev/null"):format(build, prefix))
  end)

  teardown(function() process.remove(prefix) end)

  it("is found by pkg-config where it was put", function()
    local config = ("PKG_CONFIG_PATH='%s/opt/lib/pkgconfig' pkg-config "):format(prefix)
    local found = process.capture(config .. "--variable=cdef vbench")
    assert.matches("vb_status_name", process.read(found))
    local directory = process.capture(config .. "--variable=libdir vbench")
    assert.truthy(process.read(directory .. "/libvbench.so"))
    assert.matches("%-lvbench", process.capture(config .. "--libs vbench"))
  end)

  it("has a program that needs nothing but itself, from any directory", function()
    local moved = prefix .. "/elsewhere"
    process.capture(("cp '%s/opt/bin/vbench' '%s'"):format(prefix, moved))
    assert.matches("^vbench %d+%.%d+%.%d+$",
      process.capture(("cd / && env -i LUA_CPATH=/nowhere '%s' version"):format(moved)))
  end)

  it("gives plain luajit the Lua modules and the library", function()
    local share = prefix .. "/opt/share/vbench"
    assert.equal("EINVAL", process.capture(
      ([[cd / && env -i PATH="$PATH" LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' VBENCH_CDEF='%s' \
      VBENCH_LIBRARY='%s' luajit -e '
        local native = require "vbench.ffi"
        print(native.ffi.string(native.C.vb_status_name(native.C.VB_EINVAL)))']]):format(share,
        share, share .. "/vbench.cdef", prefix .. "/opt/lib/libvbench.so")))
  end)

  it("comes with its man page and completions", function()
    local share = prefix .. "/opt/share"
    assert.matches("\\-\\-pipeline", process.read(share .. "/man/man1/vbench.1"), 1, true)
    for _, file in ipairs { "bash-completion/completions/vbench", "zsh/site-functions/_vbench",
      "fish/vendor_completions.d/vbench.fish" } do
      assert.matches("pipeline", process.read(share .. "/" .. file))
    end
  end)

  it("comes with small datasets, and with what makes them", function()
    local datasets = prefix .. "/opt/share/vbench/datasets"
    process.capture(("'%s/opt/bin/vbench' dataset verify '%s/products'"):format(prefix, datasets))
    for _, name in ipairs { "products", "datasets/products", "products.yaml" } do
      process.capture(("cd / && '%s/opt/bin/vbench' dataset verify %s"):format(prefix, name))
    end
    assert.is_false(pcall(process.capture,
      ("cd / && '%s/opt/bin/vbench' dataset verify x/products 2>&1"):format(prefix)))
    process.capture(("mkdir '%s/made' && '%s/make.sh' '%s/made'"):format(prefix, datasets, prefix))
    assert.equal(process.read(datasets .. "/products.bin"),
      process.read(prefix .. "/made/products.bin"))
  end)

  it("comes with its licence", function()
    assert.matches("BSD 3%-Clause", process.read(prefix .. "/opt/share/doc/vbench/LICENSE"))
  end)

  it("goes below DESTDIR for who makes packages", function()
    process.capture(("DESTDIR='%s/staged' cmake --install '%s' --prefix /usr >/dev/null")
      :format(prefix, build))
    assert.truthy(process.read(prefix .. "/staged/usr/bin/vbench"))
    assert.truthy(process.read(prefix .. "/staged/usr/share/vbench/vbench.cdef"))
  end)
end)
