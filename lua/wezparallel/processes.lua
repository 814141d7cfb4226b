--- Processes from the keyboard: gone to, restarted, killed, typed into, their logs, and what waits for you.
---
--- Called with the window and pane that had the focus; what is not given is asked for.
--- Above: init, menus, requests. Below: workspaces, layout, menus, client, state.
local wezterm = require 'wezterm'

local choosing = require 'wezparallel.choosing'
local client = require 'wezparallel.client'
local drawing = require 'wezparallel.drawing'
local layout = require 'wezparallel.layout'
local menus = require 'wezparallel.menus'
local panes = require 'wezparallel.panes'
local state = require 'wezparallel.state'
local workspaces = require 'wezparallel.workspaces'

local M = {}

-- A restart waits for the grace period of what it stops.
local STOPPING_S = 60

local function any()
  return true
end

local function is_held(process)
  return not process.direct
end

local ALIVE = {
  starting = true,
  running = true,
  ready = true,
  unhealthy = true,
  suspended = true,
  stopping = true,
}

local function is_alive(process)
  return ALIVE[process.state] or false
end

---Show a process in a new pane.
---@param window Window|nil
---@param pane Pane|nil
---@param process_id string
---@param where 'tab'|'split'|'window'|nil
---@param beside MuxWindow|nil window that a tab is added to; else the focused one
---@return Pane|nil
function M.show(window, pane, process_id, where, beside)
  local process, workspace = choosing.process(state.read(), process_id)
  local shown, failure = layout.show(process_id, {
    where = where,
    pane = pane,
    window = beside or (window and window:mux_window()),
    size = drawing.screen_size(window),
    direct = process and process.direct,
    cwd = workspace and workspace.root,
  })
  if not shown then
    menus.complain(window, pane, failure)
    return nil
  end
  panes.focus(shown)
  return shown
end

---Go to a process, or show it in a new tab of this window. Without an id all are offered, on screen or not.
---@param window Window
---@param pane Pane
---@param process_id string|nil
function M.attach(window, pane, process_id)
  if not process_id then
    choosing.pick_process(window, pane, 'Go to a process', any, M.attach)
    return
  end
  local place = panes.shown(state.read())[process_id]
  if not (place and panes.focus(place.pane)) then
    M.show(window, pane, process_id, 'tab')
  end
end

---Go to a process where it belongs: its pane, else its workspace, which is opened for it, else a tab here.
---@param window Window
---@param pane Pane
---@param process_id string
---@return boolean gone it is on the screen now
function M.reveal(window, pane, process_id)
  local snapshot = state.read()
  local shown = panes.shown(snapshot)
  if shown[process_id] then
    return panes.focus(shown[process_id].pane)
  end
  local process, workspace = choosing.process(snapshot, process_id)
  if workspace and process.pane then
    return workspaces.open(window, pane, workspace.name, process_id)
  end
  local beside
  for _, other in ipairs(workspace and workspace.processes or {}) do
    beside = beside or (shown[other.id] and shown[other.id].window)
  end
  return M.show(window, pane, process_id, 'tab', beside) ~= nil
end

---Go to what waits for you longest, wherever it is. Where you look already counts as seen.
---@param window Window
---@param pane Pane
function M.next_waiting(window, pane)
  local snapshot = menus.or_complain(window, pane, client.snapshot())
  if not snapshot then
    return
  end
  local here = panes.process_of(pane, snapshot)
  local following, is_here
  for _, waiting in ipairs(snapshot.waiting or {}) do
    if waiting.process_id == here then
      is_here = true
    else
      following = following or waiting.process_id
    end
  end
  if is_here then
    client.call { ViewSee = { process = here, mux = panes.mux() } }
  end
  if not following then
    menus.tell(window, is_here and 'Nothing else waits for you' or 'Nothing waits for you')
    return
  end
  if M.reveal(window, pane, following) then
    client.call { ViewSee = { process = following, mux = panes.mux() } }
  end
end

---Stop a process and start it again.
---@param window Window
---@param pane Pane
---@param process_id string|nil
function M.restart(window, pane, process_id)
  if not process_id then
    choosing.pick_process(window, pane, 'Restart a process', any, M.restart)
    return
  end
  local request = { ProcessRestart = { process = process_id } }
  menus.or_complain(window, pane, client.call(request, STOPPING_S))
end

---Kill a process and everything below it, after a question.
---@param window Window
---@param pane Pane
---@param process_id string|nil
function M.kill(window, pane, process_id)
  if not process_id then
    choosing.pick_process(window, pane, 'Kill a process', is_alive, M.kill)
    return
  end
  local question = ('Kill %s and everything below it?'):format(process_id)
  menus.confirm(window, pane, question, 'Kill ' .. process_id, function(on, at)
    menus.or_complain(on, at, client.call({ ProcessKill = { process = process_id } }, STOPPING_S))
  end)
end

---Follow the log of a process in a pane beside.
---@param window Window
---@param pane Pane
---@param process_id string|nil
function M.show_logs(window, pane, process_id)
  if not process_id then
    choosing.pick_process(window, pane, 'Show the log of a process', is_held, M.show_logs)
    return
  end
  local opts = { where = 'split', pane = pane, window = window:mux_window() }
  local shown, failure = layout.run({ 'logs', '--follow', process_id }, opts)
  if not shown then
    menus.complain(window, pane, failure)
  end
end

---Type a line into all that runs with a pane in the workspace on screen.
---@param window Window
---@param pane Pane
---@param line string|nil
function M.type_all(window, pane, line)
  local workspace = choosing.workspace(state.read(), panes.workspace())
  local targets = {}
  for _, process in ipairs(workspace and workspace.processes or {}) do
    if process.pane and is_alive(process) and is_held(process) then
      targets[#targets + 1] = process.id
    end
  end
  if #targets == 0 then
    menus.tell(window, 'Nothing of this workspace runs with a pane')
  elseif not line then
    local description = ('Line for %s (Enter follows it)'):format(table.concat(targets, ', '))
    menus.ask(window, pane, { description = description }, M.type_all)
  else
    local request = { ProcessTypeMany = { processes = targets, text = line, enter = true } }
    local reply = menus.or_complain(window, pane, client.call(request))
    if not reply then
      return
    end
    for _, one in ipairs(reply.refused or {}) do
      menus.tell(window, one.error.message)
    end
  end
end

---Have what is typed into one pane of this tab go to all of them, or no longer.
---@param window Window
---@param pane Pane
function M.sync_panes(window, pane)
  local snapshot = state.read()
  local processes, on = {}, true
  for _, one in ipairs(window:active_tab():panes()) do
    local process = choosing.process(snapshot, panes.process_of(one, snapshot) or '')
    if process then
      processes[#processes + 1] = process.id
      on = on and not process.synced
    end
  end
  if on and #processes < 2 then
    menus.tell(window, 'There are no two panes of ours in this tab')
    return
  end
  local reply =
    menus.or_complain(window, pane, client.call { ViewSync = { processes = processes, on = on } })
  if not reply then
    return
  end
  local text = on and 'What you type here goes to ' .. table.concat(reply.processes, ', ')
    or 'What you type goes to one pane again'
  menus.tell(window, text)
end

---Show the dashboard in a tab (`top` where Textual is missing); where it is shown already, close it.
---@param window Window
---@param pane Pane
function M.show_dashboard(window, pane)
  local known = wezterm.GLOBAL.wezparallel_dashboard
  local there = known and panes.by_id(known.pane)
  if there then
    local home = there:window()
    local is_here = home and home:window_id() == window:mux_window():window_id()
    if is_here and there:tab():tab_id() ~= window:active_tab():tab_id() then
      panes.focus(there)
      return
    end
    layout.kill { known.pane }
    if is_here then
      local before = panes.by_id(known.before)
      if before then
        panes.focus(before)
      end
      return
    end
  end
  local shown, failure = layout.run({ 'dashboard' }, { window = window:mux_window() })
  if not shown then
    menus.complain(window, pane, failure)
    return
  end
  shown:tab():set_title 'dashboard'
  wezterm.GLOBAL.wezparallel_dashboard = { pane = shown:pane_id(), before = pane:pane_id() }
end

return M
