-- Encrypted connections: certificates, names, ciphers, clients' certificates, and what is said when
-- they cannot be.
local certificates = require "tests.support.certificates"
local process = require "tests.support.process"
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

local secret = "s3cr3t-pa55"

describe("TLS", function()
  local files, ca

  setup(function()
    files = certificates.new()
    ca = files:path "ca.pem"
    files:make("other", {})
    files:make("here", { by = "ca", names = "DNS:localhost,IP:127.0.0.1" })
    files:make("elsewhere", { by = "ca", names = "DNS:db.example" })
    files:make("client", { by = "ca", names = "DNS:client" })
    files:make("locked", { by = "ca", names = "DNS:client", passphrase = "open!" })
  end)
  teardown(function()
    files:remove()
    vbench.clean()
  end)

  -- A server that speaks nothing but TLS.
  local function start(options)
    options = options or {}
    local port, name = servers.free_port(), options.certificate or "here"
    local args = { "--port", "0", "--tls-port", port, "--tls-cert-file", files:path(name .. ".pem"),
      "--tls-key-file", files:path(name .. ".key"), "--tls-ca-cert-file", ca,
      "--tls-auth-clients", options.auth_clients or "no" }
    for _, word in ipairs(options.args or {}) do args[#args + 1] = word end
    return servers.start { path = options.path, port = port, args = args,
      password = options.password }
  end

  -- Sets 40 keys; `words` go behind, `more` are fields of the run.
  local function fill(server, words, more)
    local args = { "-p", server.port, "-t", "set", "-n", 40, "-c", 4, "-r", 100000, "--sequential",
      "--no-baseline" }
    for _, word in ipairs(words) do args[#args + 1] = word end
    for name, value in pairs(more or {}) do args[name] = value end
    return vbench.run(args)
  end

  local function expect_filled(server, words, more)
    server:clean()
    local run = fill(server, words, more)
    assert.equal(0, run.code, run.all)
    assert.equal(40, server:call("DBSIZE"))
    return run
  end

  local function expect_refused(server, words, text, more)
    server:clean()
    local run = fill(server, words, more)
    assert.equal(1, run.code, run.all)
    assert.matches(text, run.err, 1, true)
    assert.equal(0, server:call("DBSIZE"))
    return run
  end

  for _, installed in ipairs(servers.installed()) do
    it("is spoken with " .. installed.name .. ", #threads", function()
      local ok, server = pcall(start, { path = installed.path })
      if not ok and server:find("Bad directive", 1, true) then
        return pending(installed.name .. " was built without TLS")
      end
      assert.is_true(ok, server)
      expect_filled(server, { "--tls", "--cacert", ca })
      expect_filled(server, { "--tls", "--tls-ca-cert", ca, "-h", "localhost", "-P", 16, "-3",
        "--threads", 2 })
      server:stop()
    end)
  end

  describe("to a server that asks for no certificate", function()
    local server

    setup(function() server = start { password = secret } end)
    teardown(function() server:stop() end)
    before_each(function() server:clean() end)

    local function words(...)
      return { "-a", secret, ... }
    end

    it("carries control and data, and counts both", function()
      local script = vbench.scenario [[
        local incr = vb.command { "INCR", vb.key "n" }
        return vb.scenario {
          setup = function(ctl) ctl:call("SET", "n", "100") end,
          teardown = function(ctl) assert(ctl:call("GET", "n") == "600", "not all came") end,
          phases = { vb.phase { name = "count", run = incr, requests = 500, clients = 5 } } } ]]
      local phase = vbench.phase { script, "-p", server.port, "-a", secret, "--tls", "--cacert",
        ca }
      assert.equal(500, phase.requests)
      assert.equal(0, phase.errors)
      assert.equal("600", server:call("GET", "n"))
    end)

    it("carries values of 10 MB both ways", function()
      local run = vbench.report { "-p", server.port, "-a", secret, "--tls", "--cacert", ca, "-t",
        "set,get", "-n", 6, "-c", 2, "-P", 2, "-r", 2, "-d", 10000000, "--sequential" }
      assert.equal(0, run.code, run.all)
      assert.equal(10000000, server:call("STRLEN", server:call("KEYS", "*")[1]))
      assert.is_true(run.json.phases[2].bytes_received > 6e7)
    end)

    it("is asked for by rediss:// and valkeys:// URIs, whose password is not shown", function()
      for _, scheme in ipairs { "rediss", "valkeys" } do
        server:clean()
        local uri = ("%s://default:%s@127.0.0.1:%d/3"):format(scheme, secret, server.port)
        local run = vbench.report { "-u", uri, "--cacert", ca, "-t", "set", "-n", 40, "-c", 4, "-r",
          1000, "--sequential" }
        assert.equal(0, run.code, run.all)
        assert.matches("db3:keys=40", server:call("INFO", "keyspace"))
        assert.not_matches(secret, run.all .. process.read(run.file), 1, true)
      end
    end)

    it("trusts the system's CAs, of which ours is none", function()
      expect_refused(server, words("--tls"), "certificate (CN = ca) is refused")
      expect_filled(server, words("--tls"), { env = { SSL_CERT_FILE = ca } })
    end)

    it("trusts a file, or a hashed directory", function()
      files:capture("mkdir hashed && cp ca.pem hashed && openssl rehash hashed")
      expect_filled(server, words("--tls", "--cacertdir", files:path "hashed"))
      expect_refused(server, words("--tls", "--cacert", files:path "other.pem"),
        "name its CA with --cacert FILE, or check nothing with --insecure")
    end)

    it("checks nothing with --insecure", function()
      expect_filled(server, words("--tls", "--insecure"))
      expect_filled(server, words("--tls", "--tls-skip-verify", "--sni", "who.example"))
    end)

    it("checks the name of --sni, else the host", function()
      expect_filled(server, words("--tls", "--cacert", ca, "--sni", "localhost"))
      expect_refused(server, words("--tls", "--cacert", ca, "--tls-sni", "db.example"),
        '(CN = here) is not for "db.example"')
    end)

    it("is suggested for a port that speaks it", function()
      expect_refused(server, words(), "if that is its port for TLS: --tls")
    end)

    it("is told from other failures: a wrong password", function()
      expect_refused(server, { "-a", "no", "--tls", "--cacert", ca }, "WRONGPASS")
    end)
  end)

  it("refuses a certificate for another host, unless --sni names it", function()
    local server = start { certificate = "elsewhere" }
    expect_refused(server, { "--tls", "--cacert", ca }, '(CN = elsewhere) is not for "127.0.0.1"')
    expect_filled(server, { "--tls", "--cacert", ca, "--sni", "db.example" })
    server:stop()
  end)

  it("refuses a certificate that signs itself", function()
    local server = start { certificate = "other" }
    expect_refused(server, { "--tls", "--cacert", ca }, "(CN = other) is refused: self-signed")
    server:stop()
  end)

  it("shows the certificate of --cert to a server that wants one", function()
    local server = start { auth_clients = "yes" }
    local trust = { "--tls", "--cacert", ca }
    local run = expect_refused(server, trust, "it wants a certificate: --cert FILE --key FILE")
    assert.not_matches("--local", run.err, 1, true) -- somebody does listen
    local function with(name, one, two)
      return { trust[1], trust[2], trust[3], one, files:path(name .. ".pem"), two,
        files:path(name .. ".key") }
    end
    expect_filled(server, with("client", "--cert", "--key"))
    expect_filled(server, with("client", "--tls-cert", "--tls-key"))
    local env = { VBENCH_KEY_PASSPHRASE = "open!" }
    expect_filled(server, with("locked", "--cert", "--key"), { env = env })
    files:capture("cat client.pem client.key > both.pem")
    expect_filled(server, { "--tls", "--cacert", ca, "--cert", files:path "both.pem" })
    expect_refused(server, with("other", "--cert", "--key"), "it does not know the CA of the certi")
    server:stop()
  end)

  it("uses the ciphers that are asked for", function()
    local old = start { args = { "--tls-protocols", "TLSv1.2", "--tls-ciphers",
      "ECDHE-ECDSA-CHACHA20-POLY1305" } }
    local trust = { "--tls", "--cacert", ca }
    expect_filled(old, trust)
    expect_filled(old, { trust[1], trust[2], trust[3], "--tls-ciphers",
      "ECDHE-ECDSA-CHACHA20-POLY1305" })
    expect_refused(old, { trust[1], trust[2], trust[3], "--tls-ciphers",
      "ECDHE-ECDSA-AES128-GCM-SHA256" }, "no cipher is known to both")
    old:stop()
    local recent = start { args = { "--tls-ciphersuites", "TLS_AES_128_GCM_SHA256" } }
    expect_filled(recent, { trust[1], trust[2], trust[3], "--tls-ciphersuites",
      "TLS_AES_128_GCM_SHA256" })
    expect_refused(recent, { trust[1], trust[2], trust[3], "--tls-ciphersuites",
      "TLS_CHACHA20_POLY1305_SHA256" }, "no cipher is known to both")
    recent:stop()
  end)

  it("says when a port does not speak it", function()
    local plain = servers.start()
    expect_refused(plain, { "--tls", "--cacert", ca, "--connect-timeout", "300ms" },
      "no TLS handshake within 300 ms; is its port one for TLS?")
    plain:stop()
  end)

  it("closed half way through its handshake is told at once", function()
    local fake = servers.fake("hangup")
    local run = vbench.run { "-p", fake.port, "--tls", "--cacert", ca, "-t", "set", "-n", 10 }
    fake:stop()
    assert.equal(1, run.code, run.all)
    assert.matches("127.0.0.1:" .. fake.port, run.err, 1, true)
    assert.matches("closed", run.err)
    assert.is_true(run.seconds < 4 * vbench.slowness, run.seconds)
  end)

  it("closed half way through a load, without a word, loses nothing", function()
    local server, file = start(), files:path "cut.json"
    local script = vbench.one_phase([[
      local keys = vb.keyspace { prefix = "key:", size = 3000 }
      local set = vb.command { "SET", keys:sequential(), vb.bytes "20KB" } ]],
      "run = set, requests = 3000, clients = 5, pipeline = 4, retry = 100")
    local run = vbench.start { script, "-p", server.port, "--tls", "--cacert", ca, "--json", file,
      "--no-baseline" }
    process.wait_for(20, "the load", function() return server:call("DBSIZE") > 0 end)
    while run.process:running() do
      server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      process.sleep(0.05)
    end
    run:wait()
    local size = server:call("DBSIZE")
    server:stop()
    local phase = vbench.decode(process.read(file)).phases[1]
    assert.equal(0, run.code, run.all)
    assert.same({ 3000, 0, 3000 }, { phase.requests, phase.errors, size })
    assert.is_true(phase.connection_errors > 0)
  end)

  it("says what is wrong with files and names, before anything is connected to", function()
    local text = process.write(files:path "text", "no certificate\n")
    local key, cert = files:path "here.key", files:path "client.pem"
    local cases = {
      { { "--cacert", "/none" }, "--cacert /none: no such file or directory" },
      { { "--cacert", text }, text .. ": there is no certificate in PEM in it" },
      { { "--cacertdir", text }, text .. ": not a directory" },
      { { "--cert", cert, "--key", key }, "it does not belong to the certificate of --cert" },
      { { "--cert", cert, "--key", "/none" }, "--key /none: no such file or directory" },
      { { "--key", key }, "--key " .. key .. " was given without its certificate: --cert FILE" },
      { { "--cert", cert }, "--cert " .. cert .. " was given without --key FILE" },
      { { "--cert", files:path "locked.pem", "--key", files:path "locked.key" },
        "it has a passphrase: put that into VBENCH_KEY_PASSPHRASE" },
      { { "--tls-ciphers", "NONE" }, "--tls-ciphers NONE: OpenSSL has none of them" },
      { { "--tls-ciphersuites", "NONE" }, "--tls-ciphersuites NONE" },
      { { "--sni", "" }, "--sni: the name is empty" },
    }
    for _, case in ipairs(cases) do
      local run = vbench.run { "--tls", "-t", "ping", "-n", 1, "-p", 1, unpack(case[1]) }
      assert.equal(2, run.code, run.all)
      assert.matches(case[2], run.err, 1, true)
    end
  end)

  it("is not thought to be there when only its options are given", function()
    for _, words in ipairs { { "--cacert", ca }, { "--insecure" }, { "--sni", "a" } } do
      local run = vbench.run { "-t", "ping", "-n", 1, "-p", 1, unpack(words) }
      assert.equal(2, run.code, run.all)
      assert.matches(words[1] .. " is for TLS", run.err, 1, true)
      assert.matches("add --tls", run.err, 1, true)
    end
  end)

  it("changes nothing for check, which asks no server", function()
    local script = vbench.one_phase([[ local get = vb.command { "GET", vb.key "x" } ]],
      "run = get, requests = 1")
    local plain, encrypted = vbench.run { "check", script }, vbench.run { "check", script, "--tls" }
    assert.equal(0, encrypted.code, encrypted.all)
    assert.equal(plain.out, encrypted.out)
  end)

  describe("of a private server", function()
    it("comes with --local tls, and a certificate that is trusted", function()
      local script = vbench.scenario [[
        local get = vb.command { "GET", vb.key "x" }
        return vb.scenario { phases = { vb.phase { name = "a", run = get, requests = 10 } },
          setup = function(ctl)
            assert(ctl:call("CONFIG", "GET", "port")[2] == "0")
            assert(ctl:call("CONFIG", "GET", "tls-port")[2] ~= "0")
          end } ]]
      for _, words in ipairs { { "--local", "tls" }, { "--local=tls" } } do
        local phase = vbench.phase { script, unpack(words) }
        assert.equal(10, phase.requests)
      end
    end)

    it("is checked like any other", function()
      local run = vbench.run { "--local", "tls", "-t", "ping", "-n", 1, "--sni", "db.example" }
      assert.equal(1, run.code, run.all)
      assert.matches('(CN = vbench --local) is not for "db.example"', run.err, 1, true)
      run = vbench.run { "--local", "-t", "ping", "-n", 1, "--tls" }
      assert.equal(2, run.code, run.all)
      assert.matches("--local tls", run.err, 1, true)
    end)
  end)
end)
