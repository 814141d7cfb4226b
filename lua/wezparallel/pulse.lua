--- What makes the plugin notice: WezTerm's own events, the wake-up of the hub, and one look a second.
---
--- The look is one task that sleeps. WezTerm's own tick would end with the first handler that sets no status, and no
--- tick comes from a hidden workspace. A reload starts a task in the new Lua state, and the old one sees that and ends.
--- Above: init. Below: requests, status, hint, keys, state, client.
local wezterm = require 'wezterm'

local client = require 'wezparallel.client'
local hint = require 'wezparallel.hint'
local keys = require 'wezparallel.keys'
local log = require 'wezparallel.log'
local options = require 'wezparallel.options'
local panes = require 'wezparallel.panes'
local requests = require 'wezparallel.requests'
local state = require 'wezparallel.state'
local status = require 'wezparallel.status'
local workspaces = require 'wezparallel.workspaces'

local M = {}

local INTERVAL_MS = 1000
-- Some programs change their titles a thousand times a second, and each is an update-status.
local MOST_A_SECOND = 20
local SETTLED_S = 2

local is_beating = false
local marks = {} -- by window
local seen = {} -- since when each waited that was looked at
local hidden = {} -- since when each had ended whose view was closed

local function guarded(name, work, ...)
  local ok, fault = pcall(work, ...)
  if not ok then
    log.warn('%s: %s', name, tostring(fault))
  end
end

-- Once in the life of a WezTerm, whatever is reloaded in between.
local function first_time(name)
  local slot = 'wezparallel_' .. name
  if wezterm.GLOBAL[slot] then
    return false
  end
  wezterm.GLOBAL[slot] = true
  return true
end

local function tell(window, sentence)
  if window and options.current.toasts then
    window:toast_notification('wezparallel', sentence, nil, 10000)
  end
  log.warn('%s', sentence)
end

-- Tell the hub that a plugin is here, so that it asks us and not some terminal. call.py starts a daemon that is not
-- there, unless `auto_start` is off.
local function greet()
  local reply, failure = client.call { Ping = { mux = panes.mux() } }
  if not reply then
    log.warn('the daemon does not answer: %s', failure.message)
  end
end

local function tell_of_trouble(window, reason)
  local _, failure = client.snapshot()
  if failure and (reason == 'format' or reason == 'missing') and first_time('told_' .. reason) then
    tell(window, failure.message)
  end
end

local function tell_of_keys()
  if options.current.keys ~= 'seed' or not first_time 'told_keys' then
    return
  end
  local found = {}
  for _, entry in ipairs(keys.SEED) do
    if entry.displaces then
      found[#found + 1] = ('%s %s instead of %s'):format(entry.mods, entry.key, entry.displaces)
    end
  end
  wezterm.log_info('wezparallel: the seed keys are bound: ' .. table.concat(found, ', '))
end

-- What somebody looks at asks for no look any more.
local function see(snapshot)
  if not snapshot.waiting or not snapshot.waiting[1] then
    return
  end
  for process_id, process in pairs(status.looked_at(snapshot)) do
    if process.waits and seen[process_id] ~= (process.since or '') then
      seen[process_id] = process.since or ''
      client.call { ViewSee = { process = process_id, mux = panes.mux() } }
    end
  end
end

-- Tell whether an end is one: a restart stops a process, too, for a moment.
local function is_settled(process)
  local ended = status.epoch(process.since)
  return not ended or os.time() - ended >= SETTLED_S
end

-- Views of what ended well, or was stopped, where the person wants them gone. A failure stays to be read.
local function ended_views(snapshot)
  local found, count = {}, 0
  panes.each(function(pane)
    count = count + 1
    local process = status.process_in(snapshot, pane:pane_id(), pane:get_user_vars())
    local is_over = process
      and not process.direct
      and (process.state == 'stopped' or process.state == 'exited' and process.exit_code == 0)
      and is_settled(process)
      and panes.is_view(pane:pane_id(), process)
    if is_over and hidden[process.id] ~= (process.since or '') then
      found[#found + 1] = { pane = pane:pane_id(), process_id = process.id, since = process.since }
    end
  end)
  return found, count
end

local function hide(snapshot)
  if not (snapshot.ui and snapshot.ui.auto_hide_inactive_panes) then
    return
  end
  local views, count = ended_views(snapshot)
  if #views == 0 or #views >= count then
    return -- WezTerm ends with its last pane
  end
  for _, view in ipairs(views) do
    hidden[view.process_id] = view.since or ''
  end
  require('wezparallel.layout').close(views)
end

local function show(window, snapshot)
  if not hint.check(window) and status.side(snapshot) then
    status.put(window, nil)
  end
  if options.current.tab_marks then
    local now = status.marks(window, snapshot)
    local id = window:window_id()
    if marks[id] ~= now then
      marks[id] = now
      status.redraw_tabs(window)
    end
  end
end

---Look once: do what the hub asks, and see that every window has our keys and shows what there is. Yields.
function M.look()
  local windows = panes.windows()
  for _, one in ipairs(windows) do
    guarded('keys', keys.keep, one)
  end
  local snapshot, reason = state.read()
  if not snapshot then
    tell_of_trouble(windows[1], reason)
    return
  end
  if first_time 'greeted' then
    wezterm.time.call_after(0, function()
      guarded('greeting', greet) -- a task of its own: it may wait for a daemon that starts
    end)
  end
  guarded('requests', requests.run, snapshot)
  for _, one in ipairs(windows) do
    guarded('status', show, one, snapshot)
  end
  guarded('where', workspaces.notice, snapshot)
  guarded('seen', see, snapshot)
  guarded('hiding', hide, snapshot)
end

local function beat(mine)
  while wezterm.GLOBAL.wezparallel_pulse == mine do
    guarded('look', M.look)
    wezterm.sleep_ms(INTERVAL_MS)
  end
end

---Begin to look, once in each Lua state. Called from events, never while a configuration is loaded.
function M.begin()
  if is_beating then
    return
  end
  is_beating = true
  local mine = (wezterm.GLOBAL.wezparallel_pulse or 0) + 1
  wezterm.GLOBAL.wezparallel_pulse = mine
  tell_of_keys()
  -- A task of its own: an event would wait for it for ever.
  wezterm.time.call_after(0, function()
    beat(mine)
  end)
end

-- Return what tells whether there were too many of its kind already in this second.
local function counter()
  local second, looks = 0, 0
  return function()
    local now = os.time()
    if now ~= second then
      second, looks = now, 0
    end
    looks = looks + 1
    return looks > MOST_A_SECOND
  end
end

local is_too_often, is_called_too_often = counter(), counter()

---WezTerm's update-status: titles, keys and output all lead here.
---@param window Window
function M.update(window)
  M.begin()
  if is_too_often() then
    return
  end
  local snapshot = state.read()
  if snapshot then
    guarded('status', show, window, snapshot)
  else
    guarded('hint', hint.check, window)
  end
end

---A pane of ours said something: the hub wakes us through one, and the attach client says what it shows. Any program
---can; of one that does not stop, the look of each second is enough.
---@param name string
function M.woken(name)
  M.begin()
  if name:sub(1, 11) == 'wezparallel' and not is_called_too_often() then
    guarded('look', M.look)
  end
end

---The configuration of a window was made anew.
---@param window Window
function M.configured(window)
  M.begin()
  guarded('keys', keys.keep, window)
end

return M
