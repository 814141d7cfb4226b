--- Workspaces on the screen: made, opened, gone to, shown again, closed, deleted.
---
--- A workspace of ours is the WezTerm workspace of the same name. Its panes are views: closing them ends nothing.
--- All of these are called with the window and pane that had the focus; what is not given is asked for.
--- Above: init, menus, requests. Below: layout, menus, client, state.
local wezterm = require 'wezterm'

local choosing = require 'wezparallel.choosing'
local client = require 'wezparallel.client'
local drawing = require 'wezparallel.drawing'
local layout = require 'wezparallel.layout'
local menus = require 'wezparallel.menus'
local panes = require 'wezparallel.panes'
local state = require 'wezparallel.state'

local M = {}

-- Opening answers once each process is spawned; deleting waits for the grace periods of what it stops.
local OPENING_S = 15
local DELETING_S = 60

-- Tell what of an answer the person has to know although all went well.
local function tell_of(window, reply)
  for _, outcome in ipairs(reply.processes or {}) do
    if outcome.now == 'refused' and outcome.error then
      menus.tell(window, ('%s did not start: %s'):format(outcome.process_id, outcome.error.message))
    end
  end
  if reply.wanted_name then
    local sentence = 'It is called %s, because %s is the workspace of another folder'
    menus.tell(window, sentence:format(reply.workspace.name, reply.wanted_name))
  end
end

-- Draw what the hub has opened, and go there. Tells whether that came about.
local function enter(window, pane, reply, focus)
  local to, failure = drawing.draw(window, reply.workspace, reply.plan)
  if failure then
    menus.complain(window, pane, failure)
    return false
  end
  tell_of(window, reply)
  if focus or not to then
    return drawing.go(reply.plan, focus)
  end
  return panes.focus(to)
end

-- Ask about the commands of a template that nobody has accepted yet; go on with the same request after a yes.
local function ask_for_trust(window, pane, failure, again)
  local data = failure.data or {}
  local changed = data.changes and #data.changes > 0
  -- The path at the end: a narrow window cuts the sentence there.
  local what = changed and 'Run other commands than you accepted? They are of %s'
    or 'Run commands that came with the folder? They are of %s'
  menus.confirm_lines(window, pane, {
    title = what:format(data.path or 'The template'),
    yes = 'Run these commands',
    no = 'No',
    lines = changed and data.changes or data.commands or {},
  }, function(on, at)
    local trust = { name = data.path, root = data.root, sha256 = data.sha256 }
    local reply = menus.or_complain(on, at, client.call { TemplateTrust = trust })
    if not reply then
      return
    end
    again(on, at)
  end)
end

-- Have the hub open something and show it. Tells whether it is on the screen now.
local function ask_hub(window, pane, request, focus)
  local reply, failure = client.call(request, OPENING_S)
  if reply then
    return enter(window, pane, reply, focus)
  elseif failure.code == 'template.untrusted' then
    ask_for_trust(window, pane, failure, function(on, at)
      ask_hub(on, at, request, focus)
    end)
  else
    menus.complain(window, pane, failure)
  end
  return false
end

---Return the folder that a pane is in.
---@param pane Pane
---@return string
function M.folder_of(pane)
  local ok, url = pcall(pane.get_current_working_dir, pane)
  local path = ok and url and url.file_path
  if not path or path == '' then
    return wezterm.home_dir
  end
  return #path > 1 and path:gsub('/+$', '') or path
end

local function create_named(window, pane, root, template)
  local folder = root:match '[^/]+$' or 'home'
  menus.ask(
    window,
    pane,
    { description = 'Name of the workspace', initial = folder },
    function(on, at, line)
      local name = line:match '^%s*(.-)%s*$'
      ask_hub(on, at, {
        WorkspaceCreate = {
          name = name ~= '' and name or nil,
          template = template,
          root = root,
          unique = true,
          view = 'plan',
        },
      })
    end
  )
end

---Create a workspace in the folder of the pane: choose a template, give a name, and it is on the screen.
---@param window Window
---@param pane Pane
---@param template string|nil chosen already
function M.create(window, pane, template)
  local root = M.folder_of(pane)
  if template then
    create_named(window, pane, root, template)
    return
  end
  local reply = menus.or_complain(window, pane, client.call { TemplateList = { root = root } })
  if not reply then
    return
  end
  local choices = { { label = 'what fits this folder', id = '' } }
  for _, found in ipairs(reply.templates) do
    if found.origin ~= 'detected' then
      local label = menus.fit(found.name, 16) .. ' ' .. menus.paint(found.description or '', nil)
      local is_path = found.origin == 'folder'
      choices[#choices + 1] = { label = label, id = is_path and found.path or found.name }
    end
  end
  local spec = { title = 'Create a workspace in ' .. root, choices = choices }
  menus.pick(window, pane, spec, function(on, at, id)
    create_named(on, at, root, id ~= '' and id or nil)
  end)
end

---Open a workspace: what should run in it is started, and the panes that are missing are drawn.
---@param window Window
---@param pane Pane
---@param name string
---@param focus string|nil process that gets the focus
---@return boolean opened it is on the screen now
function M.open(window, pane, name, focus)
  return ask_hub(window, pane, { WorkspaceOpen = { name = name, view = 'plan' } }, focus)
end

---Switch to a workspace: go where its panes are, else open it. Also to one of WezTerm's that is none of ours.
---@param window Window
---@param pane Pane
---@param name string|nil
---@param focus string|nil process that gets the focus
function M.switch(window, pane, name, focus)
  if not name then
    choosing.pick_workspace(
      window,
      pane,
      { title = 'Switch to a workspace', foreign = true },
      M.switch
    )
    return
  end
  local workspace = choosing.workspace(state.read(), name)
  if not workspace then
    if not panes.switch(name) then
      M.open(window, pane, name, focus) -- it may be too new for the snapshot
    end
  elseif not drawing.go(workspace, focus) then
    M.open(window, pane, name, focus)
  end
end

---Tell the hub which of our workspaces is on screen now, if it thinks of another: the person may have come here by
---any of WezTerm's own ways.
---@param snapshot Snapshot
function M.notice(snapshot)
  local name = panes.workspace()
  local before = wezterm.GLOBAL.wezparallel_active
  wezterm.GLOBAL.wezparallel_active = name
  if not before or before == name then
    return
  end
  local workspace = choosing.workspace(snapshot, name)
  if not (workspace and workspace.open) then
    return
  end
  for _, other in ipairs(snapshot.workspaces) do
    if (other.switched_at or '') > (workspace.switched_at or '') or not workspace.switched_at then
      -- A task of its own: who looks every second waits for nobody.
      wezterm.time.call_after(0, function()
        client.call { WorkspaceSwitch = { name = name, mux = panes.mux() } }
      end)
      return
    end
  end
end

---Stop everything in a workspace and forget it, after a question.
---@param window Window
---@param pane Pane
---@param name string|nil
function M.delete(window, pane, name)
  if not name then
    local function current_first(one, other)
      local current = panes.workspace()
      if (one.name == current) ~= (other.name == current) then
        return one.name == current
      end
      return one.name < other.name
    end
    choosing.pick_workspace(
      window,
      pane,
      { title = 'Delete a workspace', order = current_first },
      M.delete
    )
    return
  end
  local question = ('Stop everything in %s and forget it, with its logs?'):format(name)
  menus.confirm(window, pane, question, 'Delete ' .. name, function(on, at)
    local request = { WorkspaceDelete = { name = name } }
    if menus.or_complain(on, at, client.call(request, DELETING_S)) then
      menus.tell(on, name .. ' is deleted')
    end
  end)
end

-- Return open workspaces, the last used first, asked of the hub: after a restart the snapshot may be an old one.
local function open_ones()
  local reply, failure = client.call({ WorkspaceList = { limit = 500 } }, OPENING_S)
  if not reply then
    return nil, failure
  end
  local found = {}
  for _, workspace in ipairs(reply.workspaces) do
    if workspace.open then
      found[#found + 1] = workspace
    end
  end
  table.sort(found, choosing.by_use(nil))
  return found
end

---Show all open workspaces again that have no pane here, as after the end of WezTerm. Nothing is started by it.
---@param window Window|nil
---@param pane Pane|nil
---@return string[]|nil restored names
function M.restore(window, pane)
  local list = menus.or_complain(window, pane, open_ones())
  if not list then
    return nil
  end
  local restored, first = {}, nil
  for _, workspace in ipairs(list) do
    local reply, problem = client.call { WorkspaceGet = { name = workspace.name } }
    if
      reply
      and #reply.plan.tabs > 0
      and not drawing.place_of(reply.plan, panes.shown(state.read()))
    then
      local built
      built, problem = layout.build(
        workspace.name,
        reply.plan,
        { size = drawing.screen_size(window), cwd = workspace.root }
      )
      if built then
        restored[#restored + 1] = workspace.name
        first = first or built.focus
      end
    end
    if problem then
      menus.complain(window, pane, problem)
    end
  end
  if first then
    panes.focus(first)
  elseif window then
    menus.tell(window, 'Every open workspace is on the screen already')
  end
  return restored
end

-- Closing its last pane ends WezTerm.
local function is_all(number)
  local count = 0
  panes.each(function()
    count = count + 1
  end)
  return count <= number
end

---Close the panes of a workspace. Its processes go on.
---@param window Window
---@param _ Pane
---@param name string|nil the one on screen
function M.close_views(window, _, name)
  name = name or panes.workspace()
  local snapshot = state.read()
  local workspace = choosing.workspace(snapshot, name)
  local ours, views = {}, {}
  for _, process in ipairs(workspace and workspace.processes or {}) do
    ours[process.id] = process
  end
  panes.each(function(pane)
    local process_id = panes.process_of(pane, snapshot)
    if ours[process_id] and panes.is_view(pane:pane_id(), ours[process_id]) then
      views[#views + 1] = { pane = pane:pane_id(), process_id = process_id }
    end
  end)
  if #views == 0 then
    menus.tell(window, ('Nothing of %s is on the screen'):format(name))
  elseif is_all(#views) then
    menus.tell(
      window,
      'These are the last panes, and WezTerm ends with them; open another tab first'
    )
  else
    layout.close(views)
  end
end

---Give the panes of the workspace on screen the sizes of its plan again.
---@param window Window
---@param pane Pane
---@param name string|nil
function M.relayout(window, pane, name)
  name = name or panes.workspace()
  local snapshot = state.read()
  local workspace = choosing.workspace(snapshot, name)
  if not workspace then
    menus.tell(window, ('%s is none of our workspaces, so it has no plan'):format(name))
    return
  end
  local shown = panes.shown(snapshot)
  for _, plan_tab in ipairs(workspace.tabs) do
    local is, place = drawing.presence(plan_tab, shown)
    if is ~= 'none' then
      local ok, failure = layout.relayout(place.tab, plan_tab)
      if not ok then
        menus.complain(window, pane, failure)
      end
    end
  end
  -- WezTerm draws a divider that was moved from outside at the next change of something else; an action is one.
  window:perform_action(wezterm.action.Nop, window:active_tab():active_pane())
end

return M
