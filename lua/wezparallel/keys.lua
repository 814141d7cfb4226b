--- Keys: one entry key that opens a key table with a hint, the preset of the seeds, and `ui.keybindings` (keys.json).
---
--- What somebody else has bound already is left alone. Where `config.keys` was assigned after `setup`, our keys are
--- put back for each window by an override, unless `keep_keys` is off.
--- Above: init, pulse, hint. Below: actions, client, options.
local wezterm = require 'wezterm'

local actions = require 'wezparallel.actions'
local client = require 'wezparallel.client'
local log = require 'wezparallel.log'
local options = require 'wezparallel.options'

local M = {}

---Name of the key table, for `config.key_tables` and `ActivateKeyTable`.
M.TABLE = 'wezparallel'

---Event of a key that has opened the table itself.
M.OPENED = 'wezparallel.opened'

---What the key table has, the most wanted first: on a narrow screen the hint ends early.
---@type { [1]: string, [2]: string }[] key and action
M.TABLE_KEYS = {
  { 'n', 'create_workspace' },
  { 'w', 'switch_workspace' },
  { 'Space', 'next_waiting' },
  { 'd', 'show_dashboard' },
  { 'a', 'attach_process' },
  { 'l', 'show_logs' },
  { 'r', 'restart_process' },
  { 'k', 'kill_process' },
  { 't', 'type_all' },
  { 's', 'sync_panes' },
  { '=', 'relayout' },
  { 'o', 'restore' },
  { 'c', 'close_views' },
  { 'x', 'delete_workspace' },
}

---The keys of the seeds, and what each takes the place of in WezTerm's own table.
---@type { key: string, mods: string, action: string, displaces: string|nil }[]
M.SEED = {
  { key = 'n', mods = 'CTRL|SHIFT', action = 'create_workspace', displaces = 'SpawnWindow' },
  {
    key = 'w',
    mods = 'CTRL|SHIFT',
    action = 'switch_workspace',
    displaces = 'CloseCurrentTab',
  },
  { key = 'd', mods = 'CTRL|SHIFT', action = 'show_dashboard' },
  { key = 'k', mods = 'CTRL|SHIFT', action = 'kill_process', displaces = 'ClearScrollback' },
}

local MOST_TRIES = 3
local TRIES_S = 60 -- in which so many are made: who resets a window's overrides by a key does it again tomorrow

local applied -- the configuration that `apply` saw last; WezTerm reads it when the file has been evaluated
local ours = {} -- our bindings in it, in order
local kept, kept_text -- what a window needs to have our keys; when it is asked for, the configuration is done

-- CTRL|SHIFT n is also written SHIFT|CTRL n, and CTRL N.
local function combination(key, mods)
  local words, has_shift = {}, false
  for word in (mods or ''):upper():gmatch '[^|%s]+' do
    if word ~= 'NONE' then
      words[#words + 1] = word
      has_shift = has_shift or word == 'SHIFT'
    end
  end
  key = key:gsub('^mapped:', '')
  if key:match '^%u$' then
    key = key:lower()
    if not has_shift then
      words[#words + 1] = 'SHIFT'
    end
  end
  table.sort(words)
  return table.concat(words, '|') .. ' ' .. key
end

local function bound_in(keys)
  local found = {}
  for _, entry in ipairs(keys or {}) do
    found[combination(entry.key, entry.mods)] = entry
  end
  return found
end

---Return where `ui.keybindings` of the configuration stands for us.
---@return string
function M.path()
  local base = os.getenv 'XDG_CONFIG_HOME'
  if not base or base:sub(1, 1) ~= '/' then
    base = wezterm.home_dir .. '/.config'
  end
  return base .. '/wezterm-parallel/keys.json'
end

-- Of what another program wrote, one entry may keep the whole configuration from loading.
local function is_list(keys)
  for _, entry in ipairs(type(keys) == 'table' and keys or {}) do
    if not options.is_key(entry) then
      return false
    end
  end
  return type(keys) == 'table'
end

local function from_file()
  local file = io.open(M.path(), 'rb')
  if not file then
    return {}
  end
  local text = file:read 'a'
  file:close()
  -- Only a file that is there can be watched; `init` writes the first one.
  wezterm.add_to_config_reload_watch_list(M.path())
  local ok, parsed = pcall(wezterm.json_parse, text)
  if not ok or type(parsed) ~= 'table' or parsed.format ~= 1 or not is_list(parsed.keys or {}) then
    log.warn('%s is not understood; `wezparallel init` writes it anew', M.path())
    return {}
  end
  return parsed.keys or {}
end

local function from_options(choices)
  local found = {}
  for action, choice in pairs(choices) do
    for _, one in ipairs(choice[1] and choice or { choice }) do
      found[#found + 1] = { key = one.key, mods = one.mods, action = action }
    end
  end
  return found
end

-- Return what is wanted: preset, keys.json, options. Of two for one combination the later holds.
local function wanted()
  local chosen = options.current
  local list = {}
  local function add(entries)
    for _, entry in ipairs(entries) do
      if actions.ALL[entry.action] then
        list[#list + 1] = entry
      else
        log.warn('a key is bound to %q, which is no action', tostring(entry.action))
      end
    end
  end
  if chosen.keys == false then
    return list
  end
  if chosen.entry then
    add { { key = chosen.entry.key, mods = chosen.entry.mods, action = 'show_keys' } }
  end
  add(chosen.keys == 'seed' and M.SEED or {})
  add(from_file())
  add(type(chosen.keys) == 'table' and from_options(chosen.keys) or {})
  return list
end

local function has_table()
  return options.current.keys ~= false and options.current.entry and true
end

local function key_table()
  local keys = {}
  local function add(key, action, mods)
    keys[#keys + 1] = { key = key, mods = mods, action = action }
  end
  for _, pair in ipairs(M.TABLE_KEYS) do
    add(pair[1], actions.get(pair[2]))
  end
  for _, mods in ipairs { 'NONE', 'SHIFT' } do
    add('?', actions.get 'menu', mods)
  end
  add('Escape', wezterm.action.PopKeyTable)
  return keys
end

local function is_our(action)
  if type(action) ~= 'table' then
    return false
  end
  local last = action.Multiple and action.Multiple[2] or action
  local event = type(last) == 'table' and last.EmitEvent
  return type(event) == 'string' and event:sub(1, 12) == 'wezparallel.'
end

---Return the action that opens the key table.
---@return KeyAssignment
function M.open_table()
  return wezterm.action.ActivateKeyTable {
    name = M.TABLE,
    one_shot = true,
    timeout_milliseconds = options.current.hint_ms,
  }
end

-- The table opens with the press itself: a second key that follows at once must not be typed into a program while
-- an event still waits for its turn. Without a table that is surely there WezTerm would refuse the whole action.
local function action_of(name)
  if name == 'show_keys' and has_table() and options.current.keep_keys then
    return wezterm.action.Multiple { M.open_table(), wezterm.action.EmitEvent(M.OPENED) }
  end
  return actions.get(name)
end

---Bind our keys in a configuration, but none that is bound there already.
---@param config Config
function M.apply(config)
  applied, ours, kept_text = config, {}, nil
  local keys = config.keys or {}
  local taken = bound_in(keys)
  local at = {}
  for _, entry in ipairs(wanted()) do
    local name = combination(entry.key, entry.mods)
    if taken[name] and not is_our(taken[name].action) then
      log.debug('%s stays what it is, not %s', name, entry.action)
    else
      at[name] = at[name] or #ours + 1
      ours[at[name]] = { key = entry.key, mods = entry.mods, action = action_of(entry.action) }
    end
  end
  for _, binding in ipairs(ours) do
    local before = taken[combination(binding.key, binding.mods)]
    if before then
      before.action = binding.action
    else
      keys[#keys + 1] = binding
    end
  end
  -- Each assignment has WezTerm check a whole configuration, which takes it milliseconds.
  if not config.keys and keys[1] then
    config.keys = keys
  end
  if has_table() then
    local tables = config.key_tables or {}
    tables[M.TABLE] = tables[M.TABLE] or key_table()
    if not config.key_tables then
      config.key_tables = tables
    end
  end
end

---Return what a window needs as overrides to have our keys, nil if the configuration kept them.
---@return table|nil overrides `keys`, and `key_tables` if they went, too
function M.lost()
  if not applied then
    return nil
  end
  local taken = bound_in(applied.keys)
  local missing = {}
  for _, binding in ipairs(ours) do
    if not taken[combination(binding.key, binding.mods)] then
      missing[#missing + 1] = binding
    end
  end
  local overrides = {}
  if missing[1] then
    local keys = table.move(applied.keys or {}, 1, #(applied.keys or {}), 1, {})
    overrides.keys = table.move(missing, 1, #missing, #keys + 1, keys)
  end
  if has_table() and not (applied.key_tables or {})[M.TABLE] then
    local tables = {}
    for name, keys in pairs(applied.key_tables or {}) do
      tables[name] = keys
    end
    tables[M.TABLE] = key_table()
    overrides.key_tables = tables
  end
  return next(overrides) and overrides or nil
end

-- A window's own overrides come back as they were set, but in tables of their own.
local function text_of(overrides)
  return wezterm.json_encode(client.copy { overrides.keys or {}, overrides.key_tables or {} })
end

local tries = {} -- by window: how often its overrides were set lately, and since when that is counted

-- Tell whether overrides may be set once more. Somebody else may set others each time.
local function may_try(slot)
  local now = os.time()
  local one = tries[slot]
  if not one or now - one.since >= TRIES_S then
    one = { count = 0, since = now }
    tries[slot] = one
  end
  one.count = one.count + 1
  return one.count <= MOST_TRIES
end

-- Tell whether a window was given keys by somebody else: those are meant to be all that it has.
local function has_other_keys(overrides)
  for _, entry in ipairs(overrides.keys or {}) do
    if is_our(entry.action) then
      return false
    end
  end
  return overrides.keys ~= nil
end

local function needed()
  if not kept_text then
    kept = options.current.keep_keys and M.lost() or {}
    kept_text = text_of(kept)
  end
  return kept, kept_text
end

---Put our keys back in a window whose configuration lost them; take them away when it has them again. Yields.
---@param window Window
function M.keep(window)
  local lost, wanted_text = needed()
  if not next(lost) and not wezterm.GLOBAL.wezparallel_keys then
    return
  end
  local overrides = {}
  for name, value in pairs(window:get_config_overrides() or {}) do
    overrides[name] = value
  end
  -- Setting overrides makes the configuration of the window anew, and that brings us here again.
  local slot = window:window_id() .. wanted_text
  if text_of(overrides) == wanted_text or has_other_keys(overrides) or not may_try(slot) then
    return
  end
  wezterm.GLOBAL.wezparallel_keys = true
  overrides.keys, overrides.key_tables = lost.keys, lost.key_tables
  log.debug('%s', next(lost) and 'our keys are put back' or 'our keys need no override any more')
  window:set_config_overrides(overrides)
end

---Tell whether there is a key table to open.
---@return boolean
function M.can_open()
  local tables = applied and applied.key_tables or {}
  return (tables[M.TABLE] or has_table() and options.current.keep_keys) and true or false
end

---Tell whether a window has a tab bar, where a status text can be seen.
---@param window Window
---@return boolean
function M.has_tab_bar(window)
  if not applied or applied.enable_tab_bar == false then
    return false
  end
  return not applied.hide_tab_bar_if_only_one_tab or #window:mux_window():tabs() > 1
end

return M
