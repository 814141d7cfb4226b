--- A strict stand-in for WezTerm's Lua, after what was read in its source and seen on the real thing.
---
-- What the real one lacks raises here, what yields there yields here, and what fails there fails here. The chunk gets
-- `host` (functions of Python, see lua_process.py) and the loader of its other parts, and returns `wezterm` and the
-- controls of the test. Virtual time: nothing happens but what `drain` and `advance` make happen.
local host, load_part = ...

local fake = { callbacks = 0, logs = {}, toasts = {}, held = {}, opened = {} }
fake.flavour = host.flavour
fake.has_gui = host.gui
fake.load_part = load_part

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
local tasks = load_part 'fake_tasks'(fake)
local data = load_part 'fake_data'(fake, host)
local async, at_once = fake.async, fake.at_once

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

local actions = load_part 'fake_actions'(fake)
local mux = load_part 'fake_mux'(fake, strict, actions)

local members = {
  GLOBAL = data.GLOBAL,
  action = actions.action,
  action_callback = function(fn)
    fake.callbacks = fake.callbacks + 1
    local name = 'user-defined-' .. fake.callbacks
    tasks.on(name, fn)
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
    end, fake.run_chain, name, ...)
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
  json_encode = data.json_encode,
  json_parse = data.json_parse,
  log_error = log 'error',
  log_info = log 'info',
  log_warn = log 'warn',
  mux = mux.module,
  on = tasks.on,
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
  sleep_ms = async(tasks.sleep_ms),
  target_triple = 'x86_64-unknown-linux-gnu',
  time = strict('wezterm.time', { call_after = tasks.call_after }),
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
  members.serde =
    strict('wezterm.serde', { json_encode = data.json_encode, json_decode = data.json_parse })
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

return wezterm, fake
