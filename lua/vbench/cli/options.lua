--- The general options: one table for everything that needs them.
-- It feeds parsing, `--help`, completions, the man page, `--config` and `vb.args`.
--
-- An option has `long` (without dashes), `short` (without the dash), `also` (second names), `type`
-- (of vbench.cli.values; "flag" takes no value), `metavar`, `default` (as it is typed), `shown`
-- (what help says where the default is reckoned), `without` (what it is without a value, which
-- stands behind "=") and `words` (values that stand behind a space as well), `help`, `many`
-- ("list": given again it adds; "map": name=value), `least` and `most`, `choices`, `read_by`
-- ("script": only a scenario that asks for it has a use for it), `read_as` (what such a scenario
-- asks for, where it is not the option's name), `private` (in no saved
-- configuration: hosts, secrets).
-- @module vbench.cli.options
local M = {}

local function option(group, names, fields)
  local short, long = names:match("^%-(%w)/%-%-([%w-]+)$")
  if not short then short, long = names:match("^%-(%w)$"), names:match("^%-%-([%w-]+)$") end
  fields.group, fields.short, fields.long = group, short, long
  fields.name = fields.name or (long or short):gsub("-", "_")
  fields.also = fields.also or {}
  return fields
end

local function group(title, rows)
  local list = {}
  for i, row in ipairs(rows) do list[i] = option(title, row[1], row) end
  return { title = title, options = list }
end

--- Completes the rows of a table of options that stands elsewhere.
-- @tparam {table,...} rows as those below, each with its names first
-- @treturn {table,...} copies with `name`, `short`, `long`, `also`
function M.rows(rows)
  local copies = {}
  for i, row in ipairs(rows) do
    copies[i] = {}
    for key, value in pairs(row) do copies[i][key] = value end
  end
  return group(nil, copies).options
end

--- Groups of options, in the order of help: `title`, `options`.
M.groups = {
  group("server", {
    { "-h/--host", type = "text", many = "list", metavar = "HOST", default = "127.0.0.1",
      private = true, help = "name or address, also as HOST:PORT; again for several servers" },
    { "-p/--port", type = "count", least = 1, most = 65535, metavar = "PORT", default = "6379",
      private = true, help = "port" },
    { "-s/--socket", type = "path", metavar = "PATH", private = true, help = "unix socket" },
    { "-u/--uri", type = "text", many = "list", metavar = "URI", private = true,
      help = "valkey://, redis://, unix://, with TLS valkeys://, rediss://" },
    { "-a/--auth", type = "text", metavar = "PASSWORD", private = true,
      help = "password; better VBENCH_AUTH in the environment, or --askpass" },
    { "--user", type = "text", metavar = "NAME", private = true, help = "user of the ACL" },
    { "--askpass", type = "flag", private = true, help = "ask for the password on the terminal" },
    { "--dbnum", type = "count", metavar = "N", default = "0", help = "database" },
    { "-3", name = "resp3", type = "flag", help = "speak RESP3" },
    { "--enable-tracking", type = "flag",
      help = "client-side caching: count invalidations (with RESP3)" },
    { "-4", name = "ipv4", type = "flag", private = true, help = "IPv4 only" },
    { "-6", name = "ipv6", type = "flag", private = true, help = "IPv6 only" },
    { "--local", type = "optional", metavar = "SPEC", without = "standalone",
      words = { "standalone", "tls" }, private = true,
      help = "run a private valkey-server or redis-server meanwhile; tls: with TLS" },
    { "--local-args", type = "text", metavar = "TEXT", private = true,
      help = "options for it: \"--maxmemory 100mb\"" },
    { "--timeout", type = "duration", metavar = "TIME", default = "10s",
      help = "longest wait for a reply; 0s is no limit" },
    { "--connect-timeout", type = "duration", metavar = "TIME", default = "5s",
      help = "longest wait for a connection" },
    { "--max-reply", type = "size", least = 1, metavar = "SIZE", default = "64MB",
      help = "longest reply that is taken; a longer one closes the connection" },
  }),
  group("TLS", {
    { "--tls", type = "flag", private = true, help = "encrypt all connections" },
    { "--insecure", also = { "tls-skip-verify" }, type = "flag", private = true,
      help = "do not check the server's certificate" },
    { "--cacert", also = { "tls-ca-cert" }, type = "path", metavar = "FILE", private = true,
      shown = "the system's", help = "CAs to trust, in PEM" },
    { "--cacertdir", type = "path", metavar = "DIR", private = true,
      help = "directory of them, hashed by openssl rehash" },
    { "--cert", also = { "tls-cert" }, type = "path", metavar = "FILE", private = true,
      help = "certificate to show the server, in PEM" },
    { "--key", also = { "tls-key" }, type = "path", metavar = "FILE", private = true,
      shown = "in --cert", help = "its key; a passphrase goes into VBENCH_KEY_PASSPHRASE" },
    { "--sni", also = { "tls-sni" }, type = "text", metavar = "NAME", private = true,
      shown = "the host", help = "name of the server to ask for and to check" },
    { "--tls-ciphers", type = "text", metavar = "LIST", help = "ciphers of TLS 1.2" },
    { "--tls-ciphersuites", type = "text", metavar = "LIST", help = "ciphers of TLS 1.3" },
  }),
  group("load", {
    { "-c/--clients", type = "count", least = 1, metavar = "N", default = "50",
      help = "connections in all" },
    { "--threads", type = "count", most = 512, metavar = "N",
      shown = "cores, at most clients / 16; half the cores for a server on this host",
      help = "worker threads; 0 is the default" },
    { "-P/--pipeline", type = "count", least = 1, metavar = "N", default = "1",
      help = "requests in flight on each connection" },
    { "-n/--requests", type = "count", metavar = "N", shown = "100000, unless --duration is given",
      help = "requests in all; 0 is no limit" },
    { "--duration", type = "duration", metavar = "TIME", help = "how long a phase takes" },
    { "--warmup", type = "duration", metavar = "TIME", default = "0s",
      help = "time before it that is not counted" },
    { "--rate", also = { "rps" }, type = "rate", metavar = "N", default = "0",
      help = "operations a second, an open loop; 0 is a closed one" },
    { "--arrivals", type = "choice", choices = { "constant", "poisson" }, metavar = "NAME",
      default = "constant", help = "they fall due at equal intervals, or at random" },
    { "--burst", type = "count", least = 1, metavar = "N", shown = "--backlog",
      help = "operations that may wait in all; those due beyond are dropped" },
    { "--backlog", type = "count", least = 1, metavar = "N", default = "1m",
      help = "operations that may wait in a thread" },
    { "--reconnect", type = "count", most = 4294967295, metavar = "N", default = "0",
      help = "close and reopen each connection every N operations; 0 is never" },
    { "-l/--loop", also = { "loop-mode" }, type = "flag", help = "again and again until Ctrl-C" },
    { "-I/--idle", type = "flag", help = "open the connections and keep them idle" },
    { "--seed", type = "count", metavar = "N", default = "20240229",
      help = "of all that is random" },
    { "--max-errors", type = "percent", metavar = "SHARE", default = "1%",
      help = "more than that share of errors is exit code 4" },
    { "--pin", type = "cores", metavar = "CORES", help = "cores for the workers in turn: 0,2-5" },
    { "--hook-timeout", type = "duration", metavar = "TIME", default = "5s",
      help = "longest time in one call of a script's function" },
  }),
  group("data", {
    { "-r/--keyspace", also = { "keyspacelen" }, type = "count", least = 1, metavar = "N",
      default = "1000000", read_by = "script", help = "different keys" },
    { "-d/--data-size", also = { "datasize" }, type = "size", most = 2 ^ 29,
      metavar = "SIZE", default = "3",
      read_by = "script", help = "bytes of a value" },
    { "--key-prefix", type = "text", metavar = "TEXT", default = "key:", read_by = "script",
      help = "what keys begin with" },
    { "--sequential", type = "flag", read_by = "script", read_as = "iteration",
      help = "take each key in turn" },
    { "--iteration", type = "iteration", metavar = "ORDER", default = "random",
      read_by = "script",
      help = "order of keys: sequential, shuffled, random, zipfian:0.99, ..." },
    { "--tracker-init", type = "choice", choices = { "cold", "scan" }, metavar = "HOW",
      default = "cold", help = "which keys exist at first: none is known, or ask the server" },
    { "--tracker-file", type = "path", metavar = "FILE",
      help = "which keys exist, from the last run and for the next" },
    { "--keyspace-tracker", type = "flag", read_by = "script",
      help = "track which keys exist also in classic tests and loads of datasets" },
    { "--reference-set-check", type = "flag",
      help = "say before a phase how many of the keys that it relies on exist" },
    { "--reference-set-min", type = "percent", metavar = "SHARE", shown = "95%",
      help = "where fewer exist the phase is not started: exit code 3" },
    { "--reference-set-backfill", type = "flag",
      help = "load those that are missing from the dataset, before the phase" },
    { "--protect-reference-set", type = "flag",
      help = "never send a command that deletes one of them" },
    { "--workload-snapshot", type = "flag",
      help = "count the keys that each phase adds and removes, by their ids" },
    { "--expiry-range", type = "range", metavar = "A-B", read_by = "script",
      help = "seconds that keys which are set live" },
    { "-x", type = "flag", read_by = "script",
      help = "take the last argument of -- COMMAND from standard input" },
  }),
  group("dataset", {
    { "--dataset", type = "path", metavar = "BASE", read_by = "script",
      help = "dataset to use: BASE.yaml and BASE.bin" },
    { "--schema", type = "path", metavar = "FILE", read_by = "script",
      help = "its schema, where the two are named apart" },
    { "--data", type = "path", metavar = "FILE", read_by = "script", help = "its data" },
    { "--query-field", type = "text", metavar = "NAME", read_by = "script",
      shown = "its first vector", help = "field that __d_vec_ph__ stands for" },
  }),
  group("scenario", {
    { "-t/--tests", type = "words", many = "list", metavar = "A,B", read_by = "script",
      help = "tests of the built-in scenario: set,get" },
    { "--parallel", type = "text", metavar = "LIST", read_by = "script",
      help = "tests in one phase, weighted: \"get:80,set:20\"" },
    { "--composite", type = "text", metavar = "LIST", read_by = "script",
      help = "tests in a row, each with its requests: \"set:10000,get:50000\"" },
    { "--command", type = "command", metavar = "TEXT", read_by = "script",
      help = "a command to send, as behind --" },
    { "--phases", type = "words", many = "list", metavar = "A,B", help = "only these phases" },
    { "--skip", type = "words", many = "list", metavar = "A,B", help = "not these phases" },
    { "--param", type = "pair", many = "map", metavar = "NAME=V", help = "value of a vb.param" },
    { "--assume", type = "choice", choices = { "none", "redis8", "valkey-search" },
      metavar = "NAME", default = "none", help = "server that `check` takes for granted" },
    { "--yes", type = "flag", private = true,
      help = "allow what destroys data or changes settings of a server" },
  }),
  group("output", {
    { "-q/--quiet", type = "flag", help = "one line a phase" },
    { "-v/--verbose", type = "flag", help = "more: slowest operations, tracebacks" },
    { "-o/--output", type = "path", metavar = "FILE", help = "report in --output-format" },
    { "--output-format", type = "choice", choices = { "text", "json", "csv" }, metavar = "NAME",
      default = "text", help = "of -o" },
    { "--json", type = "path", metavar = "FILE", help = "report as JSON; - is standard output" },
    { "--csv", type = "flag", help = "results as redis-benchmark's CSV on standard output" },
    { "--csv-seconds", type = "path", metavar = "FILE", help = "a row a second and phase" },
    { "--csv-summary", type = "path", metavar = "FILE", help = "a row a phase and command" },
    { "--percentiles", also = { "show-percentiles" }, type = "numbers", least = 0, most = 100,
      metavar = "A,B", help = "more percentiles in the reports: 99.5,99.95" },
    { "--precision", type = "count", least = 1, most = 4, metavar = "N", default = "3",
      help = "significant digits of latencies" },
    { "--threshold", type = "text", many = "list", metavar = "EXPR",
      help = "judges every phase: \"p99_ms < 2\"; not met is exit code 3" },
    { "--title", type = "text", metavar = "TEXT", help = "of the report" },
    { "--tag", type = "pair", many = "map", metavar = "K=V", help = "kept in the report" },
    { "--no-baseline", type = "flag", help = "do not measure the round trip first" },
    { "--no-color", type = "flag", help = "no colour" },
    { "--show-per-second", type = "flag", help = "a line a second" },
    { "--config", type = "path", metavar = "FILE", private = true,
      help = "options from a file: \"name: value\" lines" },
    { "--save-config", type = "path", metavar = "FILE", private = true,
      help = "write the options there, without secrets and hosts" },
  }),
}

--- Flags of other tools that are taken and change nothing: long name -> what is said.
M.idle = {
  search = "the commands say by themselves what they search",
  ["enable-placeholders"] = "placeholders are always filled",
}

local function named(ours)
  return ("vbench calls it %s"):format(ours)
end

local function absent(ours)
  return ("vbench calls it %s, which this version does not have"):format(ours)
end

--- Flags of neighbour tools: as typed -> what to do instead.
M.neighbours = {
  ["--test-time"] = named "--duration", ["--key-maximum"] = named "--keyspace",
  ["--key-minimum"] = "keys begin at 0; how many there are is --keyspace",
  ["--rate-limiting"] = named "--rate", ["--cluster-mode"] = absent "--cluster",
  ["--ratio"] = 'write the weights of a mix: --parallel "set:1,get:10"',
  ["--key-pattern"] = named "--iteration", ["--key-stddev"] = named "--iteration",
  ["--hide-histogram"] = "vbench prints no histogram; --quiet prints one line",
  ["--data-size-range"] = "write a scenario with vb.bytes { min =, max = }",
  ["--run-count"] = absent "--repeat", ["--server"] = named "--host",
  ["--authenticate"] = named "--auth", ["--unix-socket"] = named "--socket",
  ["--out-file"] = named "--output", ["--json-out-file"] = named "--json",
  ["--client-stats"] = named "--csv-seconds", ["--select-db"] = named "--dbnum",
  ["--print-percentiles"] = named "--percentiles", ["--protocol"] = "RESP3 is -3",
  ["--random-data"] = "values are random in any case", ["--num-threads"] = named "--threads",
  ["--rdma"] = "vbench has no RDMA",
  ["-k"] = "connections are kept open",
}

--- Options that only other versions have: none of ours is meant by them, however near its name.
M.absent = {}
for name in ([[cluster replicas rfr repeat html hgrm hlog metrics-file collect-info optimize]])
  :gmatch("%S+") do
  M.absent["--" .. name] = true
end

-- All options by the name in `vb.args`; by long and second name; by short name.
M.by_name, M.by_long, M.by_short = {}, {}, {}
--- Long and second names without dashes -> the name in `vb.args`.
M.names = {}

for _, one in ipairs(M.groups) do
  for _, row in ipairs(one.options) do
    M.by_name[row.name] = row
    if row.short then M.by_short[row.short] = row end
    if row.long then M.by_long[row.long], M.names[row.long] = row, row.name end
    for _, other in ipairs(row.also) do M.by_long[other], M.names[other] = row, row.name end
  end
end
M.names.help, M.names.version = "help", "version"

--- How an option is called in messages.
-- Both names where it has both: "-c/--clients".
-- @tparam table row of a group
-- @treturn string
function M.flag(row)
  local long = row.long and "--" .. row.long
  local short = row.short and "-" .. row.short
  return short and long and short .. "/" .. long or short or long
end

return M
