--- Lists of workspaces and processes to choose from, and what each looks like there. Words come before colours.
---
--- Above: workspaces, processes. Below: client (for the snapshot), menus, panes.
local wezterm = require 'wezterm'

local client = require 'wezparallel.client'
local menus = require 'wezparallel.menus'
local panes = require 'wezparallel.panes'

local M = {}

-- Word and colour of each state: green goes on, yellow needs a look, red failed, dim is still.
local COLOURS = {
  ready = 'Green',
  running = 'Green',
  starting = 'Yellow',
  unhealthy = 'Yellow',
  suspended = 'Yellow',
  stopping = 'Yellow',
  backoff = 'Red',
  failed = 'Red',
}
local SYMBOLS = {
  ready = '●',
  running = '●',
  starting = '◐',
  stopping = '◐',
  not_started = '◌',
  unhealthy = '!',
  suspended = '‖',
  backoff = '✗',
  failed = '✗',
}

---Return the workspace of the snapshot with this name.
---@param snapshot table|nil
---@param name string
---@return table|nil
function M.workspace(snapshot, name)
  for _, workspace in ipairs(snapshot and snapshot.workspaces or {}) do
    if workspace.name == name then
      return workspace
    end
  end
end

---Call `visit` for every process of the snapshot.
---@param snapshot table|nil
---@param visit fun(process: table, workspace: table|nil)
function M.each(snapshot, visit)
  for _, workspace in ipairs(snapshot and snapshot.workspaces or {}) do
    for _, process in ipairs(workspace.processes or {}) do
      visit(process, workspace)
    end
  end
  for _, process in ipairs(snapshot and snapshot.loose or {}) do
    visit(process, nil)
  end
end

---Return a process of the snapshot, and its workspace if it has one.
---@param snapshot table|nil
---@param process_id string
---@return table|nil process
---@return table|nil workspace
function M.process(snapshot, process_id)
  local found, home
  M.each(snapshot, function(process, workspace)
    if process.id == process_id then
      found, home = process, workspace
    end
  end)
  return found, home
end

-- Which comes first: the one in the focused pane, what waits, what is of the workspace on screen; then by name.
local function rank(process, workspace, focused)
  if process.id == focused then
    return 0
  elseif process.waits then
    return 1
  elseif workspace and workspace.name == panes.workspace() then
    return 2
  end
  return (not workspace or workspace.open) and 3 or 4
end

-- Let the person choose a process; `keep` tells which are offered.
function M.pick_process(window, pane, title, keep, chosen)
  local snapshot = menus.or_complain(window, pane, client.snapshot())
  if not snapshot then
    return
  end
  local focused = panes.process_of(pane, snapshot)
  local list = {}
  M.each(snapshot, function(process, workspace)
    if keep(process) then
      list[#list + 1] = { process = process, rank = rank(process, workspace, focused) }
    end
  end)
  if #list == 0 then
    menus.tell(window, 'There is no such process')
    return
  end
  table.sort(list, function(one, other)
    if one.rank ~= other.rank then
      return one.rank < other.rank
    end
    return one.process.id < other.process.id
  end)
  local choices = {}
  for index, one in ipairs(list) do
    choices[index] = { label = M.process_label(one.process), id = one.process.id }
  end
  menus.pick(window, pane, { title = title, choices = choices, fuzzy = #choices > 9 }, chosen)
end

---Return what a process is right now, as a list shows it.
---@param process table of the snapshot
---@return string
function M.process_label(process)
  if process.waits then
    return menus.fit(process.id, 28)
      .. ' '
      .. menus.paint('! waits', 'Yellow')
      .. '  '
      .. menus.fit(process.waits, 50)
  end
  local word = process.state:gsub('_', ' ')
  if process.state == 'exited' then
    word = process.exit_code == 0 and 'finished' or ('exited ' .. (process.exit_code or ''))
  end
  local colour = COLOURS[process.state]
  if process.state == 'exited' and process.exit_code ~= 0 then
    colour = 'Red'
  end
  local state = menus.paint((SYMBOLS[process.state] or '○') .. ' ' .. menus.fit(word, 12), colour)
  return menus.fit(process.id, 28) .. ' ' .. state .. ' ' .. menus.paint(process.reason or '', nil)
end

local function is_waiting(snapshot, name)
  for _, waiting in ipairs(snapshot.waiting or {}) do
    if waiting.workspace == name then
      return true
    end
  end
  return false
end

local function workspace_label(snapshot, workspace)
  local up = 0
  for _, process in ipairs(workspace.processes or {}) do
    if process.state == 'running' or process.state == 'ready' or process.state == 'unhealthy' then
      up = up + 1
    end
  end
  local state_ = workspace.open and ('%d of %d run'):format(up, #(workspace.processes or {}))
    or 'closed'
  local mark = is_waiting(snapshot, workspace.name) and menus.paint('! waits  ', 'Yellow') or ''
  local rest = menus.paint(menus.fit(state_, 14) .. ' ' .. workspace.root, nil)
  return menus.fit(workspace.name, 20) .. ' ' .. mark .. rest
end

-- Open ones first, the last used of them on top; the one on screen at the end, nobody goes where they are.
function M.by_use(current)
  return function(one, other)
    if (one.name == current) ~= (other.name == current) then
      return other.name == current
    end
    if one.open ~= other.open then
      return one.open
    end
    local left, right = one.switched_at or '', other.switched_at or ''
    if left ~= right then
      return left > right
    end
    return one.name < other.name
  end
end

-- Let the person choose one of our workspaces, and with `foreign` one of WezTerm's that are none of ours.
function M.pick_workspace(window, pane, spec, chosen)
  local snapshot = menus.or_complain(window, pane, client.snapshot())
  if not snapshot then
    return
  end
  local list, choices, ours = {}, {}, {}
  for _, workspace in ipairs(snapshot.workspaces or {}) do
    list[#list + 1] = workspace
    ours[workspace.name] = true
  end
  table.sort(list, spec.order or M.by_use(panes.workspace()))
  for _, workspace in ipairs(list) do
    choices[#choices + 1] = { label = workspace_label(snapshot, workspace), id = workspace.name }
  end
  for _, name in ipairs(spec.foreign and wezterm.mux.get_workspace_names() or {}) do
    if not ours[name] then
      choices[#choices + 1] =
        { label = menus.fit(name, 20) .. ' ' .. menus.paint('of WezTerm', nil), id = name }
    end
  end
  if #choices == 0 then
    menus.tell(window, 'There is no workspace yet; create one')
    return
  end
  -- Nobody goes where they are: not before one of WezTerm's either.
  if not spec.order and ours[panes.workspace()] then
    table.insert(choices, table.remove(choices, #list))
  end
  menus.pick(window, pane, { title = spec.title, choices = choices, fuzzy = #choices > 9 }, chosen)
end

return M
