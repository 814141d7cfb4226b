--- Does what the hub asks of this GUI through the snapshot: each request once, in order, in the focused window.
---
--- The number of the last one stands in GLOBAL, which all windows share and which outlives a reload of the
--- configuration. What was asked before this WezTerm was there is not done, but for the last seconds.
--- Above: pulse. Below: workspaces, processes, layout, menus, status, panes.
local wezterm = require 'wezterm'

local log = require 'wezparallel.log'
local panes = require 'wezparallel.panes'

local M = {}

-- A request that came while WezTerm was starting is meant for it.
local RECENT_MS = 10000

-- Set a new number and return true, unless somebody did this one already. No yield in here.
local function claim(id)
  local last = wezterm.GLOBAL.wezparallel_request
  if last and id <= last then
    return false
  end
  wezterm.GLOBAL.wezparallel_request = id
  return true
end

---Remember what is too old to be done. Only the first read of a WezTerm finds anything to remember.
---@param requests GuiRequest[]
local function begin(requests)
  if wezterm.GLOBAL.wezparallel_request then
    return
  end
  local now_ms = os.time() * 1000
  local oldest = 0
  for _, request in ipairs(requests) do
    if request.id < now_ms - RECENT_MS then
      oldest = math.max(oldest, request.id)
    end
  end
  wezterm.GLOBAL.wezparallel_request = oldest
end

---@type table<string, fun(request: GuiRequest, window: Window, pane: Pane)>
local KINDS = {}

function KINDS.switch(request, window, pane)
  require('wezparallel.workspaces').switch(window, pane, request.workspace, request.focus)
end

function KINDS.focus(request, window, pane)
  require('wezparallel.processes').reveal(window, pane, request.process_id)
end

function KINDS.open(request, window, pane)
  local beside = panes.by_id(request.after_pane) or pane
  local processes = require 'wezparallel.processes'
  processes.show(window, beside, request.process_id, request.where)
end

function KINDS.build(request, window, pane)
  require('wezparallel.workspaces').open(window, pane, request.workspace)
end

function KINDS.close_view(request)
  local snapshot = require('wezparallel.state').read()
  local making = require 'wezparallel.making'
  local ids = {}
  panes.each(function(pane)
    local is_it = not request.pane or tostring(pane:pane_id()) == request.pane
    if is_it and panes.process_of(pane, snapshot) == request.process_id then
      ids[#ids + 1] = pane:pane_id()
    end
  end)
  making.kill(ids) -- the hub knows: it asked
end

function KINDS.toast(request, window)
  require('wezparallel.status').toast(window, request)
end

function KINDS.ask_close(request, window, pane)
  local menus = require 'wezparallel.menus'
  local name = request.name or request.process_id
  local question = ('Its pane is closed. Stop %s, too?'):format(name)
  menus.confirm(window, pane, question, 'Stop ' .. name, function(on, at)
    local stop = { ProcessStop = { process = request.process_id } }
    menus.or_complain(on, at, require('wezparallel.client').call(stop, 60))
  end)
end

function KINDS.relayout(request, window, pane)
  require('wezparallel.workspaces').relayout(window, pane, request.workspace)
end

function KINDS.restore(_, window, pane)
  require('wezparallel.workspaces').restore(window, pane)
end

local function act(request, window, pane)
  local deed = KINDS[request.kind]
  if not deed then
    log.debug('the daemon asks for %q, which this plugin does not know', tostring(request.kind))
    return
  end
  log.debug('request %d: %s', request.id, request.kind)
  local ok, fault = pcall(deed, request, window, pane)
  if not ok then
    wezterm.log_error(('wezparallel: request %s: %s'):format(request.kind, fault))
  end
end

local queue = {}
local is_working = false

local function work()
  while queue[1] do
    local window, pane = panes.focused()
    if not window then
      return -- between two windows: the next look does it
    end
    act(table.remove(queue, 1), window, pane)
  end
end

---Do what is new among the requests of a snapshot. Yields while something is done.
---@param snapshot Snapshot
function M.run(snapshot)
  local requests = snapshot.requests or {}
  begin(requests)
  for _, request in ipairs(requests) do
    local is_ours = not request.mux or request.mux == panes.mux()
    if claim(request.id) and is_ours then
      queue[#queue + 1] = request
    end
  end
  if is_working then
    return -- whoever works takes the new ones, too, after those before them
  end
  is_working = true
  local ok, fault = pcall(work)
  is_working = false
  if not ok then
    error(fault, 0)
  end
end

return M
