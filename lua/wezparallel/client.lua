--- The one module that leaves Lua: a request to the hub through `call.py`, by the absolute paths of the snapshot.
---
--- It yields, so it may be called from actions and events only, never from a sync event or while a module loads. The
--- child has a hard timeout of its own, and starts a daemon that is missing unless that is not wanted.
--- Above: workspaces, processes, requests, status. Below: state, options, api (which commands change something).
local wezterm = require 'wezterm'

local api = require 'wezparallel.api'
local log = require 'wezparallel.log'
local options = require 'wezparallel.options'
local state = require 'wezparallel.state'

local M = {}

-- One argument of a program holds 128 KiB in Linux, its end included.
local MAX_ARGUMENT = 128 * 1024 - 1

local function failure(code, message, data)
  return { code = code, message = message, data = data }
end

---Return tables made new: WezTerm writes null for one that it meets a second time. An empty list becomes `{}`.
---@param value any
---@return any
function M.copy(value)
  if type(value) ~= 'table' then
    return value
  end
  local made = {}
  for key, item in pairs(value) do
    made[key] = M.copy(item)
  end
  return made
end

---Return a new key that makes a change happen once, however often it is sent.
---@return string
local function fresh_key()
  return ('lua-%016x%016x'):format(math.random(0), math.random(0))
end

---Return a request as one line. What changes something gets a key.
---@param request Request|string
---@return string
function M.encode(request)
  if type(request) == 'string' then
    request = { [request] = {} }
  end
  local name, fields = next(request)
  local body = M.copy(type(fields) == 'table' and fields or {})
  if api.mutations[name] and not body.key then
    body.key = fresh_key()
  end
  return wezterm.json_encode { [name] = body }
end

-- What the child must be told of places: the GUI may have been started without these variables.
local function environment(snapshot)
  local words = {}
  for name, value in pairs(snapshot.env or {}) do
    if os.getenv(name) ~= value then
      words[#words + 1] = name .. '=' .. value
    end
  end
  local path = options.current.config_path
  if path and path ~= wezterm.home_dir .. '/.config/wezterm-parallel/config.yaml' then
    local file = io.open(path, 'rb')
    if file then
      file:close()
      words[#words + 1] = 'WEZPARALLEL_CONFIG=' .. path
    end
  end
  table.sort(words)
  return words
end

---Return the command line that sends a request.
---@param snapshot Snapshot
---@param line string
---@param timeout_s number
---@return string[]
function M.command(snapshot, line, timeout_s)
  local words = environment(snapshot)
  if words[1] then
    table.insert(words, 1, '/usr/bin/env')
  end
  local call = {
    snapshot.python,
    '-I',
    '-S',
    snapshot.call,
    '--timeout',
    ('%.3f'):format(timeout_s),
    -- Without a daemon that may be started, trying again would be waiting for nothing.
    options.current.auto_start and '--retry' or '--no-start',
    line,
  }
  return table.move(call, 1, #call, #words + 1, words)
end

local function last_line(text)
  local found
  for line in (text or ''):gmatch '[^\r\n]+' do
    found = line
  end
  return found and (found:gsub('^wezparallel: ', ''))
end

local function parse(output)
  local ok, reply = pcall(wezterm.json_parse, output)
  local name, body = nil, nil
  if ok and type(reply) == 'table' then
    name, body = next(reply)
  end
  if not name or type(body) ~= 'table' then
    return nil, failure('gui.bad_answer', 'the daemon answered something that is no reply')
  elseif name == 'Error' then
    return nil, failure(body.code, body.message, body.data)
  end
  return body, nil
end

---Return the snapshot, or a failure that says what to do.
---@return Snapshot|nil
---@return Failure|nil
function M.snapshot()
  local snapshot, reason = state.read()
  if snapshot and snapshot.python and snapshot.call then
    return snapshot
  elseif reason == 'format' then
    return nil,
      failure(
        'gui.format',
        'the daemon and the plugin are of different versions; update both, then `wezparallel init --write`'
      )
  end
  return nil,
    failure(
      'gui.no_snapshot',
      'nothing is known of the daemon yet; run `wezparallel init` in a shell once'
    )
end

---Run a program and wait for it without blocking WezTerm. One that cannot be run is a failure, not a raise.
---@param words string[]
---@return boolean ok
---@return string output
---@return string complaint
---@return boolean ran
function M.run(words)
  local ran, ok, output, complaint = pcall(wezterm.run_child_process, words)
  if not ran then
    local reason = tostring(ok):match '[^\n]+'
    log.debug('%s cannot be run: %s', words[1], reason)
    return false, '', reason, false
  end
  return ok, output, complaint, true
end

---Send one request and return the body of its reply, or nil and what went wrong.
---@param request Request|string one command: `{ ProcessStart = { process = 'web/api' } }`
---@param timeout_s number|nil else the option `timeout_ms`
---@return table|nil body
---@return Failure|nil
function M.call(request, timeout_s)
  local snapshot, unknown = M.snapshot()
  if not snapshot then
    return nil, unknown
  end
  local line = M.encode(request)
  if #line > MAX_ARGUMENT then
    return nil,
      failure('wire.too_long', 'the request is longer than a program can be told; use a shell')
  end
  local words = M.command(snapshot, line, timeout_s or options.current.timeout_ms / 1000)
  local ok, stdout, stderr, ran = M.run(words)
  if not ran then
    local form = '%s cannot be run (%s); install wezparallel again, then `wezparallel init`'
    return nil, failure('gui.no_program', form:format(snapshot.python, stderr))
  elseif not ok then
    local said = last_line(stderr) or 'the daemon does not answer; `wezparallel doctor` looks why'
    log.debug('%s: %s', line:match '%w+', said)
    return nil, failure('gui.no_answer', said)
  end
  return parse(stdout)
end

return M
