--- What `setup(config, opts)` takes: every option once, with its default and what it may be.
--- Above: init, client, keys, status. Below: nothing.
local M = {}

---@class KeyChoice
---@field key string
---@field mods string|nil

---@class Options
---@field config_path string|nil configuration file of a daemon that the plugin starts
---@field auto_start boolean start the daemon when WezTerm starts, and whenever it is missing
---@field debug boolean tell in WezTerm's log what the plugin does
---@field keys 'default'|'seed'|false|table<string, KeyChoice|KeyChoice[]> beside the entry key; false: none at all
---@field entry KeyChoice|false the one key that opens the key table
---@field keep_keys boolean put our keys back where `config.keys` was assigned after `setup`
---@field status 'left'|'right'|boolean|nil show the status text there; nil: as `ui.show_process_status` says
---@field tab_marks boolean put a mark before the titles of tabs
---@field toasts boolean show what the daemon tells
---@field close_question boolean answer WezTerm's question about closing our panes: nothing is lost by it
---@field palette boolean add entries to the command palette
---@field timeout_ms integer how long an action waits for the daemon
---@field hint_ms integer how long the key table stays open

---@type Options
M.defaults = {
  config_path = nil,
  auto_start = true,
  debug = false,
  keys = 'default',
  entry = { key = 'Space', mods = 'CTRL|ALT' },
  keep_keys = true,
  status = nil,
  tab_marks = false,
  toasts = true,
  close_question = false,
  palette = true,
  timeout_ms = 10000,
  hint_ms = 8000,
}

---What holds now; `read` replaces it.
---@type Options
M.current = M.defaults

local function is_boolean(value)
  return type(value) == 'boolean'
end

local function is_time(value)
  return math.type(value) == 'integer' and value > 0
end

---Tell whether a value names a key, as `{ key = 'Space', mods = 'CTRL|ALT' }`.
---@param value any
---@return boolean
function M.is_key(value)
  return type(value) == 'table'
    and type(value.key) == 'string'
    and value.key ~= ''
    and (value.mods == nil or type(value.mods) == 'string')
end

local function is_keys(value)
  if value == false or value == 'default' or value == 'seed' then
    return true
  elseif type(value) ~= 'table' then
    return false
  end
  for action, choice in pairs(value) do
    if type(action) ~= 'string' or type(choice) ~= 'table' then
      return false
    end
    for _, one in ipairs(choice[1] and choice or { choice }) do
      if not M.is_key(one) then
        return false
      end
    end
  end
  return true
end

local CHECKS = {
  config_path = {
    'the path of a file',
    function(value)
      return type(value) == 'string'
    end,
  },
  auto_start = { 'true or false', is_boolean },
  debug = { 'true or false', is_boolean },
  keys = {
    "'default', 'seed', false, or a table as { switch_workspace = { key = 'w', mods = 'ALT' } }",
    is_keys,
  },
  entry = {
    "false, or a key as { key = 'Space', mods = 'CTRL|ALT' }",
    function(value)
      return value == false or M.is_key(value)
    end,
  },
  keep_keys = { 'true or false', is_boolean },
  status = {
    "true, false, 'left' or 'right'",
    function(value)
      return is_boolean(value) or value == 'left' or value == 'right'
    end,
  },
  tab_marks = { 'true or false', is_boolean },
  toasts = { 'true or false', is_boolean },
  close_question = { 'true or false', is_boolean },
  palette = { 'true or false', is_boolean },
  timeout_ms = { 'milliseconds', is_time },
  hint_ms = { 'milliseconds', is_time },
}

local function known_names()
  local names = {}
  for name in pairs(CHECKS) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, ', ')
end

---Return the options that hold: what is given over the defaults. Raises a sentence for what is not understood.
---@param given table|nil
---@return Options
function M.read(given)
  if given ~= nil and type(given) ~= 'table' then
    error('wezparallel.setup(config, opts): opts must be a table', 0)
  end
  local options = {}
  for name, default in pairs(M.defaults) do
    options[name] = default
  end
  for name, value in pairs(given or {}) do
    local check = CHECKS[name]
    if not check then
      error(
        ('wezparallel knows no option %q; known are %s'):format(tostring(name), known_names()),
        0
      )
    elseif not check[2](value) then
      error(('the option %s of wezparallel must be %s'):format(name, check[1]), 0)
    end
    options[name] = value
  end
  M.current = options
  return options
end

return M
