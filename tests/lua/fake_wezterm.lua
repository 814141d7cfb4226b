--- A strict stand-in for WezTerm's Lua, after what was read in its source and seen on the real thing.
---
-- What the real one lacks raises here, what yields there yields here, and what fails there fails here. The chunk gets
-- `host` (functions of Python, see fake.py) and the loaders of its two other halves, and returns `wezterm` and the
-- controls of the test. Virtual time: nothing happens but what `drain` and `advance` make happen.
local host, load_part = ...

local fake = {
  errors = {},
  timers = {},
  handlers = {},
  callbacks = 0,
  logs = {},
  toasts = {},
  held = {},
  now = 0,
}
fake.flavour = host.flavour
fake.generation = 0
fake.opened = {}

local unpack, pack = table.unpack, table.pack
local debug_traceback = debug.traceback

--- A table that raises on names that it does not have, and cannot be written to.
local function strict(name, members)
  return setmetatable({}, {
    __index = function(_, key)
      local found = members[key]
      if found == nil then
        error(('%s has no %s'):format(name, tostring(key)), 2)
      end
      return found
    end,
    __newindex = function(_, key)
      error(('%s.%s cannot be set'):format(name, tostring(key)), 2)
    end,
    __metatable = name,
    __name = name,
  })
end
fake.strict = strict

-- Tasks: a handler runs in a coroutine of its own; an async function hands its work to `drain` and waits there.
local ready = {}

function fake.later(work)
  ready[#ready + 1] = work
end

local function step(task, ...)
  local results = pack(coroutine.resume(task.thread, ...))
  if not results[1] then
    local message = ('%s: %s'):format(task.name, debug_traceback(task.thread, tostring(results[2])))
    fake.errors[#fake.errors + 1] = message
    return task.done and task.done(false, results[2])
  end
  if coroutine.status(task.thread) == 'dead' then
    return task.done and task.done(true, unpack(results, 2, results.n))
  end
  local work = results[2]
  if type(work) ~= 'function' then
    error(task.name .. ' yielded something that is not an async call of wezterm')
  end
  fake.later(function()
    work(function(...)
      local answer = pack(...)
      fake.later(function()
        step(task, unpack(answer, 1, answer.n))
      end)
    end)
  end)
end

--- Run `fn(...)` as a task; `done(ok, ...)` is told how it ended.
function fake.spawn(name, done, fn, ...)
  local task = { name = name, done = done, thread = coroutine.create(fn) }
  local args = pack(...)
  fake.later(function()
    step(task, unpack(args, 1, args.n))
  end)
end

function fake.drain()
  local turns = 0
  while ready[1] do
    turns = turns + 1
    if turns > 100000 then
      error 'the handlers never come to rest'
    end
    table.remove(ready, 1)()
  end
end

--- An async function: `start(resume, ...)` calls `resume(true, results…)` or `resume(false, message)` once, some time.
local function async(start)
  return function(...)
    local args = pack(...)
    local answer = pack(coroutine.yield(function(resume)
      local ok, message = pcall(start, resume, unpack(args, 1, args.n))
      if not ok then
        resume(false, message)
      end
    end))
    if not answer[1] then
      error(answer[2], 2)
    end
    return unpack(answer, 2, answer.n)
  end
end
fake.async = async

local function at_once(fn)
  return async(function(resume, ...)
    resume(true, fn(...))
  end)
end
fake.at_once = at_once

-- Events.
local SYNC_ONLY = {
  ['format-tab-title'] = true,
  ['format-window-title'] = true,
  ['augment-command-palette'] = true,
  ['mux-is-process-stateful'] = true,
}

local function on(name, handler)
  if type(name) ~= 'string' or type(handler) ~= 'function' then
    error('wezterm.on takes a name and a function', 2)
  end
  fake.handlers[name] = fake.handlers[name] or {}
  table.insert(fake.handlers[name], handler)
end

--- All handlers in order, each awaited; `false` ends the chain, and so does an error. Runs inside a task.
local function run_chain(name, ...)
  for _, handler in ipairs(fake.handlers[name] or {}) do
    if handler(...) == false then
      return false
    end
  end
  return true
end

function fake.emit(name, ...)
  if SYNC_ONLY[name] then
    error(name .. ' is a sync event: emit_sync')
  end
  fake.spawn(name, nil, run_chain, name, ...)
end

--- As for a window: one runs, one waits, what comes beyond that is dropped.
function fake.emit_window(slot, name, ...)
  local state = slot.events[name]
  if state then
    slot.events[name] = 'queued'
    return
  end
  slot.events[name] = 'running'
  local args = pack(...)
  fake.spawn(name, function()
    local queued = slot.events[name] == 'queued'
    slot.events[name] = nil
    if queued then
      fake.emit_window(slot, name, unpack(args, 1, args.n))
    end
  end, run_chain, name, ...)
end

--- The first handler alone, outside every coroutine, as for format-tab-title.
function fake.emit_sync(name, ...)
  if not SYNC_ONLY[name] then
    error(name .. ' is no sync event')
  end
  local first = (fake.handlers[name] or {})[1]
  return first and first(...)
end

-- JSON, with the traps: null vanishes, a table met twice is null the second time, arrays need [1].
local function encode(value, visited)
  local kind = type(value)
  if kind == 'nil' then
    return 'null'
  elseif kind == 'boolean' then
    return tostring(value)
  elseif kind == 'number' or kind == 'string' then
    if kind == 'string' and not utf8.len(value) then
      error 'invalid utf-8 sequence'
    end
    return host.json_scalar(value)
  elseif
    kind ~= 'table' or getmetatable(value) ~= nil and type(getmetatable(value)) == 'string'
  then
    error(('cannot convert %s to json'):format(kind))
  end
  if visited[value] then
    return 'null'
  end
  visited[value] = true
  local parts = {}
  if value[1] ~= nil then
    for index, item in ipairs(value) do
      parts[index] = encode(item, visited)
    end
    for key in pairs(value) do
      if math.type(key) ~= 'integer' or key < 1 or key > #parts then
        error(('Unexpected key %s for array style table'):format(tostring(key)))
      end
    end
    return '[' .. table.concat(parts, ',') .. ']'
  end
  for key, item in pairs(value) do
    if type(key) ~= 'string' then
      error('a key of an object must be a string, not ' .. type(key))
    end
    parts[#parts + 1] = host.json_scalar(key) .. ':' .. encode(item, visited)
  end
  table.sort(parts)
  return '{' .. table.concat(parts, ',') .. '}'
end

local function json_encode(value)
  return encode(value, {})
end

local function json_parse(text)
  if type(text) ~= 'string' then
    error('json_parse takes a string, not ' .. type(text), 2)
  end
  local value, fault = host.json_parse(text)
  if fault then
    error(fault, 2)
  end
  return value
end

-- GLOBAL: plain data only, outlives reloads; tables come back as proxies, which no `type(x) == 'table'` recognises
-- in the real one. Nested writes are refused: replace whole values.
local global_store = {}

local function plain(value, visited)
  local kind = type(value)
  if kind == 'function' or kind == 'thread' or kind == 'userdata' then
    error(('cannot store a %s in wezterm.GLOBAL'):format(kind))
  elseif kind ~= 'table' then
    return value
  elseif type(getmetatable(value)) == 'string' and getmetatable(value) ~= 'GLOBAL value' then
    error 'cannot store an object of wezterm in wezterm.GLOBAL'
  elseif visited[value] then
    return nil
  end
  visited[value] = true
  local copy = {}
  for key, item in pairs(value) do
    if type(key) ~= 'string' and value[1] == nil then
      error 'keys in wezterm.GLOBAL must be strings'
    end
    copy[key] = plain(item, visited)
  end
  return copy
end

local function proxy(value)
  if type(value) ~= 'table' then
    return value
  end
  return setmetatable({}, {
    __index = function(_, key)
      return proxy(value[key])
    end,
    __newindex = function()
      error('a value in wezterm.GLOBAL is replaced as a whole', 2)
    end,
    __len = function()
      return #value
    end,
    __pairs = function()
      return function(_, key)
        local following, item = next(value, key)
        return following, proxy(item)
      end
    end,
    __metatable = 'GLOBAL value',
  })
end

local GLOBAL = setmetatable({}, {
  __index = function(_, key)
    return proxy(global_store[key])
  end,
  __newindex = function(_, key, value)
    if type(key) ~= 'string' then
      error('keys of wezterm.GLOBAL are strings', 2)
    end
    global_store[key] = plain(value, {})
  end,
  __metatable = 'wezterm.GLOBAL',
})
fake.global = global_store

-- Time.
local function call_after(seconds, fn)
  if type(seconds) ~= 'number' or type(fn) ~= 'function' then
    error('call_after takes seconds and a function', 2)
  end
  table.insert(fake.timers, { at = fake.now + seconds, fn = fn, generation = fake.generation })
end

local function due_before(limit)
  local chosen
  for index, timer in ipairs(fake.timers) do
    if timer.at <= limit and (not chosen or timer.at < fake.timers[chosen].at) then
      chosen = index
    end
  end
  return chosen and table.remove(fake.timers, chosen)
end

--- Let `seconds` of virtual time pass: timers and, in GUI windows, the status tick.
function fake.advance(seconds)
  local goal = fake.now + seconds
  fake.drain()
  while true do
    local timer = due_before(goal)
    if not timer then
      break
    end
    fake.now = math.max(fake.now, timer.at)
    if timer.resume then
      timer.resume()
    elseif timer.generation == fake.generation then
      fake.spawn('call_after', nil, timer.fn)
    end
    fake.drain()
  end
  fake.now = goal
end

function fake.wake_at(at, resume)
  table.insert(fake.timers, { at = at, resume = resume })
end

local function sleep_ms(resume, ms)
  fake.wake_at(fake.now + ms / 1000, function()
    resume(true)
  end)
end

-- Children. Python answers; what it holds back is answered by `fake.finish_child` later, or never.
local function checked_argv(argv)
  if type(argv) ~= 'table' or argv[1] == nil then
    error 'args must be a list of strings'
  end
  for key, word in pairs(argv) do
    if math.type(key) ~= 'integer' or type(word) ~= 'string' then
      error('every argument must be a string, not ' .. type(word))
    end
  end
  return argv
end

local function run_child_process(resume, argv)
  local verdict, success, stdout, stderr = host.run_child(checked_argv(argv))
  if verdict == 'held' then
    table.insert(fake.held, resume)
  elseif verdict == 'raised' then
    resume(false, success)
  else
    resume(true, success, stdout, stderr)
  end
end

function fake.finish_child(success, stdout, stderr)
  local resume = table.remove(fake.held, 1)
  if not resume then
    error 'no child is held'
  end
  resume(true, success, stdout, stderr)
end

-- Text.
local ATTRIBUTES = { Foreground = true, Background = true, Attribute = true }

local function format(items)
  local parts = {}
  for index, item in ipairs(items) do
    if item == 'ResetAttributes' then
      parts[index] = '\27[0m'
    elseif type(item) == 'table' and type(item.Text) == 'string' and next(item, 'Text') == nil then
      parts[index] = item.Text
    else
      local name, value = next(type(item) == 'table' and item or {})
      if
        not ATTRIBUTES[name]
        or type(value) ~= 'table'
        or type(select(2, next(value))) ~= 'string'
      then
        error('invalid FormatItem number ' .. index, 2)
      end
      parts[index] = ('\27[%s:%s=%sm'):format(name, next(value))
    end
  end
  return table.concat(parts)
end

local function column_width(text)
  return utf8.len(text) or error 'not utf-8'
end

local function truncate_right(text, width)
  return column_width(text) <= width and text or text:sub(1, utf8.offset(text, width + 1) - 1)
end

local function pad_right(text, width)
  return text .. (' '):rep(width - column_width(text))
end

local function log(level)
  return function(...)
    local words = {}
    for index = 1, select('#', ...) do
      words[index] = tostring((select(index, ...)))
    end
    table.insert(fake.logs, level .. ': ' .. table.concat(words, ' '))
  end
end

fake.has_gui = host.gui
fake.load_part = load_part
local actions = load_part 'fake_actions'(fake)
local mux = load_part 'fake_mux'(fake, strict, actions)

local members = {
  GLOBAL = GLOBAL,
  action = actions.action,
  action_callback = function(fn)
    fake.callbacks = fake.callbacks + 1
    local name = 'user-defined-' .. fake.callbacks
    on(name, fn)
    return { EmitEvent = name }
  end,
  add_to_config_reload_watch_list = function(path)
    fake.watched = fake.watched or {}
    table.insert(fake.watched, path)
  end,
  background_child_process = async(function(resume, argv)
    host.run_child(checked_argv(argv))
    resume(true)
  end),
  column_width = column_width,
  config_builder = actions.config_builder,
  config_dir = host.home .. '/.config/wezterm',
  config_file = host.home .. '/.config/wezterm/wezterm.lua',
  emit = async(function(resume, name, ...)
    fake.spawn(name, function(ok, result)
      resume(ok, result)
    end, run_chain, name, ...)
  end),
  exec_domain = function(name, fixup, label)
    return { name = name, fixup_command = fixup, label = label }
  end,
  executable_dir = host.executable_dir,
  format = format,
  glob = at_once(function(pattern, base)
    return host.glob(pattern, base)
  end),
  has_action = actions.has_action,
  home_dir = host.home,
  hostname = function()
    return 'testhost'
  end,
  json_encode = json_encode,
  json_parse = json_parse,
  log_error = log 'error',
  log_info = log 'info',
  log_warn = log 'warn',
  mux = mux.module,
  on = on,
  pad_right = pad_right,
  plugin = strict('wezterm.plugin', {
    list = function()
      return host.plugins()
    end,
  }),
  procinfo = strict('wezterm.procinfo', {
    pid = function()
      return host.pid
    end,
    get_info_for_pid = function(pid)
      return host.process_info(pid)
    end,
  }),
  read_dir = at_once(function(path)
    return host.glob('*', path)
  end),
  reload_configuration = function()
    fake.reload_asked = true
  end,
  run_child_process = async(run_child_process),
  shell_join_args = function(args)
    return table.concat(args, ' ')
  end,
  sleep_ms = async(sleep_ms),
  target_triple = 'x86_64-unknown-linux-gnu',
  time = strict('wezterm.time', { call_after = call_after }),
  truncate_right = truncate_right,
  version = fake.flavour == 'stable' and '20240203-110809-5046fc22' or '20250909-120000-01446fc4',
}

--- Names of the real one that are nil (or not there) in some flavour: asking for them is how a plugin finds out.
local ABSENT = {}
if fake.has_gui then
  members.gui = mux.gui
else
  ABSENT.gui = true
end
if fake.flavour == 'nightly' then
  members.serde = strict('wezterm.serde', { json_encode = json_encode, json_decode = json_parse })
else
  ABSENT.serde = true
end

local wezterm = setmetatable({}, {
  __index = function(_, key)
    local found = members[key]
    if found == nil and not ABSENT[key] then
      error('wezterm has no ' .. tostring(key), 2)
    end
    return found
  end,
  __newindex = function(_, key)
    error(('wezterm.%s is not ours to set'):format(tostring(key)), 2)
  end,
  __metatable = 'wezterm',
})

--- What a reload takes away. Globals cannot be made at all, so handlers and loaded modules are what there is.
function fake.forget_state()
  fake.handlers = {}
  fake.generation = fake.generation + 1
end

fake.run_chain = run_chain
return wezterm, fake
