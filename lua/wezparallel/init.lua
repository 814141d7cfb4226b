--- wezparallel for WezTerm: workspaces of panes whose programs outlive everything around them.
---
---     local wezparallel = require 'wezparallel'
---     wezparallel.setup(config)                       -- options: options.lua
---     config.keys = { { key = 'n', mods = 'ALT', action = wezparallel.actions.create_workspace } }
---
--- Loading defines things and runs nothing. What follows from an event is in pulse.lua, from a key in actions.lua.
--- Below: actions, keys, pulse, status, options.
local wezterm = require 'wezterm'

local actions = require 'wezparallel.actions'
local keys = require 'wezparallel.keys'
local log = require 'wezparallel.log'
local options = require 'wezparallel.options'
local status = require 'wezparallel.status'

local M = {}

M.version = '0.1.0'

---Every action by its name, as an ordinary key action: menu, create_workspace, switch_workspace, …
---@type table<string, KeyAssignment>
M.actions = actions.table

local is_listening = false

-- An event's handler that fails would end the chain of all handlers, so ours tell and go on.
local function on(event, handler)
  wezterm.on(event, function(...)
    local ok, fault = pcall(handler, ...)
    if not ok then
      log.warn('%s: %s', event, tostring(fault))
    end
  end)
end

local function listen()
  if is_listening then
    return
  end
  is_listening = true
  local function pulse()
    return require 'wezparallel.pulse'
  end
  on('gui-startup', function()
    pulse().begin()
  end)
  on('gui-attached', function()
    pulse().begin()
  end)
  on('window-config-reloaded', function(window)
    pulse().configured(window)
  end)
  on('update-status', function(window)
    pulse().update(window)
  end)
  on(keys.OPENED, function(window, pane)
    require('wezparallel.hint').opened(window, pane)
  end)
  on('user-var-changed', function(_, _, name)
    pulse().woken(name)
  end)
end

-- Of these events WezTerm asks the first handler only: a place is taken where an option says so, and once.
local taken = {}

local function take(event, is_wanted, handler)
  if is_wanted and not taken[event] then
    taken[event] = true
    wezterm.on(event, handler)
  end
end

---Add wezparallel to a configuration. Doing it twice is doing it once, with the options of the last time.
---@param config Config
---@param opts table|nil see options.lua
---@return Config
function M.setup(config, opts)
  local chosen = options.read(opts)
  log.enabled = chosen.debug
  actions.register()
  keys.apply(config)
  listen()
  take('augment-command-palette', chosen.palette, M.palette_entries)
  take('format-tab-title', chosen.tab_marks, function(tab, _, _, effective)
    return M.tab_title(tab, effective)
  end)
  take('mux-is-process-stateful', chosen.close_question, M.is_stateful)
  return config
end

M.apply_to_config = M.setup

---Return the entries for a handler of `augment-command-palette` of your own.
---@return table[]
function M.palette_entries()
  return require('wezparallel.menus').palette()
end

---Return the status text, for a status of your own: `shop  ● 3  ! coder-1 4m`.
---@return string
function M.status_text()
  return status.text()
end

---Return the mark of a tab for a handler of `format-tab-title` of your own: `!`, `✗`, `●`, `✓`, or nothing.
---@param tab table TabInformation
---@return string
function M.tab_mark(tab)
  return status.tab_mark(tab)
end

---Return a tab's title with its mark, nil where it has none.
---@param tab table TabInformation
---@param config table
---@return table[]|nil
function M.tab_title(tab, config)
  return status.tab_title(tab, config)
end

---Answer `mux-is-process-stateful` for our panes, nil for others.
---@param info table
---@return false|nil
function M.is_stateful(info)
  return status.is_stateful(info)
end

---Return what the hub wrote down last, nil if there is nothing; nobody writes into it.
---@return Snapshot|nil
function M.snapshot()
  return (require('wezparallel.state').read())
end

return M
