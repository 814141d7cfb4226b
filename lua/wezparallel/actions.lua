--- The actions: each an ordinary key action, `EmitEvent 'wezparallel.NAME'`, and the handler behind it.
---
--- They stand on names, not on callbacks, so they can be bound anywhere, before `setup` and after, and by other
--- plugins too. What does the work is required when a key is pressed, not before.
--- Above: init, keys. Below: menus, workspaces, processes.
local wezterm = require 'wezterm'

local log = require 'wezparallel.log'

local M = {}

---Module and function of each action, and the word that a hint has for it.
---@type table<string, { [1]: string, [2]: string, word: string }>
M.ALL = {
  attach_process = { 'processes', 'attach', word = 'attach' },
  close_views = { 'workspaces', 'close_views', word = 'close panes' },
  create_workspace = { 'workspaces', 'create', word = 'new' },
  delete_workspace = { 'workspaces', 'delete', word = 'delete' },
  kill_process = { 'processes', 'kill', word = 'kill' },
  menu = { 'menus', 'menu', word = 'all' },
  next_waiting = { 'processes', 'next_waiting', word = 'next waiting' },
  relayout = { 'workspaces', 'relayout', word = 'sizes' },
  restart_process = { 'processes', 'restart', word = 'restart' },
  restore = { 'workspaces', 'restore', word = 'restore' },
  show_dashboard = { 'processes', 'show_dashboard', word = 'dashboard' },
  show_keys = { 'hint', 'enter', word = 'keys' },
  show_logs = { 'processes', 'show_logs', word = 'logs' },
  switch_workspace = { 'workspaces', 'switch', word = 'switch' },
  sync_panes = { 'processes', 'sync_panes', word = 'sync' },
  type_all = { 'processes', 'type_all', word = 'type to all' },
}

local PREFIX = 'wezparallel.'
local registered = false

local function known()
  local names = {}
  for name in pairs(M.ALL) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, ', ')
end

-- At the press a list or a question may have been on screen, which is a pane of its own and soon gone.
local function below(window, pane)
  local ok, tab = pcall(pane.tab, pane)
  if ok and tab then
    return pane
  end
  return window:active_tab():active_pane()
end

-- What fails is told to the person: WezTerm itself would only log it.
local function run(name, window, pane)
  log.debug('action %s', name)
  local module, field = M.ALL[name][1], M.ALL[name][2]
  local ok, fault = pcall(function()
    if name ~= 'show_keys' then
      require('wezparallel.hint').close(window)
    end
    require('wezparallel.' .. module)[field](window, below(window, pane))
  end)
  if not ok then
    wezterm.log_error(('wezparallel: %s: %s'):format(name, fault))
    window:toast_notification('wezparallel', tostring(fault):match '[^\n]+', nil, 6000)
  end
end

---Let the events of all actions do what they say. Once in each Lua state.
function M.register()
  if registered then
    return
  end
  registered = true
  for name in pairs(M.ALL) do
    wezterm.on(PREFIX .. name, function(window, pane)
      run(name, window, pane)
    end)
  end
end

---Return the key action of that name. Raises a sentence for one that does not exist.
---@param name string
---@return KeyAssignment
function M.get(name)
  if not M.ALL[name] then
    error(('wezparallel has no action %q; it has %s'):format(tostring(name), known()), 2)
  end
  M.register()
  return wezterm.action.EmitEvent(PREFIX .. name)
end

---What `wezparallel.actions` is: any name of an action gives its key action.
M.table = setmetatable({}, {
  __index = function(_, name)
    return M.get(name)
  end,
})

return M
