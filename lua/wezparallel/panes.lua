--- Which pane shows which process. Asks WezTerm's mux and the snapshot, never the hub.
---
--- Three things tell: the user variable that the attach client sets, the views of the snapshot (pane id and socket of
--- this WezTerm), and what this WezTerm itself built a moment ago, before either of the two knows of it.
--- Above: layout, workspaces, processes, requests, status. Below: state.lua.
local wezterm = require 'wezterm'

local M = {}

M.USER_VARIABLE = 'wezparallel_process'

---Return the socket of this WezTerm: with a pane id it names a pane for ever.
---@return string|nil
function M.mux()
  local socket = os.getenv 'WEZTERM_UNIX_SOCKET'
  if socket == '' then
    return nil
  end
  return socket
end

---Return the windows of the GUI. One that was closed a moment ago is still in WezTerm's own list.
---@return Window[]
function M.windows()
  local found = {}
  for _, window in ipairs(wezterm.gui and wezterm.gui.gui_windows() or {}) do
    local ok, tab = pcall(window.active_tab, window)
    if ok and tab then
      found[#found + 1] = window
    end
  end
  return found
end

---Return the window that has the focus, else any, and its pane; nil where there is none. Yields.
---@return Window|nil
---@return Pane|nil
function M.focused()
  local found
  for _, window in ipairs(M.windows()) do
    found = found or window
    if window:is_focused() then
      found = window
      break
    end
  end
  return found, found and found:active_tab():active_pane()
end

local function gui_window()
  return M.windows()[1]
end

---Return the workspace on screen. WezTerm's mux answers for whose command it is at: while a `wezterm cli` is served
---that is not the GUI.
---@return string
function M.workspace()
  local window = gui_window()
  return window and window:mux_window():get_workspace() or wezterm.mux.get_active_workspace()
end

---Have a workspace on screen. Yields.
---@param name string
---@return boolean gone there is one of that name
function M.switch(name)
  local is_there = false
  for _, known in ipairs(wezterm.mux.get_workspace_names()) do
    is_there = is_there or known == name
  end
  if not is_there then
    return false
  end
  local window = gui_window()
  if window then
    local action = wezterm.action.SwitchToWorkspace { name = name }
    window:perform_action(action, window:active_tab():active_pane())
  else
    wezterm.mux.set_active_workspace(name)
  end
  return true
end

---Return a pane by its id, nil if it is gone.
---@param id string|integer|nil
---@return Pane|nil
function M.by_id(id)
  local number = math.tointeger(tonumber(id))
  if not number then
    return nil
  end
  local ok, pane = pcall(wezterm.mux.get_pane, number)
  return ok and pane or nil
end

---Call `visit(pane, tab, window)` for every pane of every window, hidden workspaces too.
---@param visit fun(pane: Pane, tab: MuxTab, window: MuxWindow)
function M.each(visit)
  for _, window in ipairs(wezterm.mux.all_windows()) do
    for _, tab in ipairs(window:tabs()) do
      for _, pane in ipairs(tab:panes()) do
        visit(pane, tab, window)
      end
    end
  end
end

-- GLOBAL outlives a reload; tables in it are proxies with traps of their own, a string has none.
local function built()
  local text = wezterm.GLOBAL.wezparallel_built
  return type(text) == 'string' and wezterm.json_parse(text) or {}
end

---Remember that this WezTerm made panes for processes; what is gone by now is forgotten.
---@param made table<string|integer, string> process ids by pane id
function M.remember(made)
  local kept = {}
  for id, process_id in pairs(built()) do
    if M.by_id(id) then
      kept[id] = process_id
    end
  end
  for id, process_id in pairs(made) do
    kept[tostring(id)] = process_id
  end
  wezterm.GLOBAL.wezparallel_built = wezterm.json_encode(kept)
end

---What is known of panes and processes without asking a pane.
---@class Known
---@field panes table<string, string> process ids by pane id
---@field processes table<string, boolean>|nil ids of all processes, if there is a snapshot

---@param snapshot table|nil
---@return Known
local function known_from(snapshot)
  local known = { panes = built(), processes = snapshot and {} }
  local mux = M.mux()
  local function take(processes)
    for _, process in ipairs(processes or {}) do
      known.processes[process.id] = true
      for _, view in ipairs(process.views or {}) do
        if view.mux == mux and view.pane then
          known.panes[tostring(view.pane)] = process.id
        end
      end
    end
  end
  if snapshot then
    for _, workspace in ipairs(snapshot.workspaces or {}) do
      take(workspace.processes)
    end
    take(snapshot.loose)
  end
  return known
end

---@param pane Pane
---@param known Known
---@return string|nil
local function process_in(pane, known)
  local ok, variables = pcall(pane.get_user_vars, pane)
  local said = ok and variables and variables[M.USER_VARIABLE] or ''
  local other = known.panes[tostring(pane:pane_id())]
  -- After a rename the pane still says the name of before; its view in the snapshot has the new one.
  if said ~= '' and not (other and known.processes and not known.processes[said]) then
    return said
  end
  return other
end

---Return the process that a pane shows, nil if it is none of ours.
---@param pane Pane
---@param snapshot table|nil
---@return string|nil
function M.process_of(pane, snapshot)
  return process_in(pane, known_from(snapshot))
end

---Tell whether closing a pane closes no more than a view: its own program is our client. In somebody's shell another
---program would end, and a name that a client left behind when it was killed says nothing.
---@param pane_id integer
---@param process SnapshotProcess
---@return boolean
function M.is_view(pane_id, process)
  local mux, id = M.mux(), tostring(pane_id)
  local is_elsewhere = false
  for _, view in ipairs(process.views or {}) do
    if view.mux == mux and tostring(view.pane) == id then
      return not view.in_shell
    end
    is_elsewhere = is_elsewhere or (view.mux ~= mux and not view.in_shell)
  end
  -- Just built, and the snapshot is older; or the pane of a mux server, which has another number there.
  return built()[id] == process.id or is_elsewhere
end

---@class Place
---@field pane Pane
---@field tab MuxTab
---@field window MuxWindow

---Return where each process is shown in this WezTerm; of several places the first.
---@param snapshot table|nil
---@return table<string, Place> by process id
function M.shown(snapshot)
  local known = known_from(snapshot)
  local found = {}
  M.each(function(pane, tab, window)
    local process_id = process_in(pane, known)
    if process_id and not found[process_id] then
      found[process_id] = { pane = pane, tab = tab, window = window }
    end
  end)
  return found
end

---Go to a pane: its workspace, its window, its tab, itself.
---@param pane Pane
---@return boolean gone it was there
function M.focus(pane)
  local ok, window = pcall(pane.window, pane)
  if not ok or not window then
    return false
  end
  pane:activate()
  local workspace = window:get_workspace()
  if workspace ~= M.workspace() then
    M.switch(workspace)
  else
    -- Of several windows on screen the right one; a window that is not drawn yet has no GUI window.
    local shown, gui = pcall(window.gui_window, window)
    if shown and gui and gui.focus then
      pcall(gui.focus, gui)
    end
  end
  return true
end

return M
