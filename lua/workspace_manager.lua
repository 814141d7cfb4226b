--- Workspaces by name, as seed 002 §2.1 has them. Call these from key actions and events: each of them waits.
local WorkspaceManager = {}

--- What the daemon does unless its configuration says otherwise; changing it here changes nothing there.
WorkspaceManager.config = {
  max_workspaces = 8,
  default_layout = 'three_pane',
  auto_save_interval = 30, -- seconds
}

local function call(request, timeout_s)
  local reply, failure = require('wezparallel.client').call(request, timeout_s)
  return reply, failure and failure.message
end

---Create a workspace from a template and show it. A name that is taken is an error.
---@param name string
---@param template string|nil
---@return table|nil workspace
---@return string|nil what went wrong
function WorkspaceManager:create_workspace(name, template)
  local reply, fault =
    call({ WorkspaceCreate = { name = name, template = template, view = 'plan' } }, 15)
  if not reply then
    return nil, fault
  end
  self:switch_workspace(name)
  return reply.workspace
end

---Switch to a workspace; one that is closed is opened.
---@param name string
function WorkspaceManager:switch_workspace(name) -- luacheck: ignore self
  local window, pane = require('wezparallel.panes').focused()
  require('wezparallel.workspaces').switch(window, pane, name)
end

---Stop everything in a workspace and forget it.
---@param name string
---@return boolean|nil
---@return string|nil what went wrong
function WorkspaceManager:delete_workspace(name) -- luacheck: ignore self
  local reply, fault = call({ WorkspaceDelete = { name = name } }, 60)
  return reply and true, fault
end

---Return the workspaces, sorted by name.
---@return table[]|nil
---@return string|nil what went wrong
function WorkspaceManager:list_workspaces() -- luacheck: ignore self
  local reply, fault = call { WorkspaceList = { limit = 500 } }
  return reply and reply.workspaces, fault
end

---Wait until the daemon has written down everything. It does so by itself after each change; this tells that it did.
---@return boolean|nil
---@return string|nil what went wrong
function WorkspaceManager:save_state() -- luacheck: ignore self
  local reply, fault = call 'Ping'
  return reply and true, fault
end

return WorkspaceManager
