--- What of our workspaces is on the screen of this WezTerm, and drawing what is not.
---
--- Above: workspaces. Below: layout, panes, state.
local wezterm = require 'wezterm'

local layout = require 'wezparallel.layout'
local panes = require 'wezparallel.panes'
local state = require 'wezparallel.state'

local M = {}

-- Return the size of what is on screen: a new workspace's tabs will have the same.
function M.screen_size(window)
  local ok, tab = pcall(function()
    return window:active_tab()
  end)
  if not ok or not tab then
    return nil
  end
  local size = tab:get_size()
  return { cols = size.cols, rows = size.rows }
end

-- Return a place where something of the workspace is shown, in the order of its plan.
function M.place_of(plan, shown)
  for _, plan_tab in ipairs(plan.tabs) do
    for _, planned in ipairs(plan_tab.panes) do
      local place = shown[planned.process_id]
      if place then
        return place
      end
    end
  end
end

-- Tell of a tab of a plan whether all, some or none of its panes are there, and where the first of them is.
function M.presence(plan_tab, shown)
  local first, missing
  for _, planned in ipairs(plan_tab.panes) do
    first = first or shown[planned.process_id]
    missing = missing or not shown[planned.process_id]
  end
  return not first and 'none' or (missing and 'some' or 'all'), first
end

-- Return a window of the WezTerm workspace of this name: where one is, tabs are added to it.
local function window_of(name)
  for _, window in ipairs(wezterm.mux.all_windows()) do
    if window:get_workspace() == name then
      return window
    end
  end
end

---Draw what of a workspace's plan is not on any screen of this WezTerm.
---@param window Window|nil the one that has the focus
---@param workspace { name: string, root: string|nil }
---@param plan table
---@return Pane|nil focus pane to go to; nil where nothing was missing
---@return Failure|nil
function M.draw(window, workspace, plan)
  local shown = panes.shown(state.read())
  local place = M.place_of(plan, shown)
  local opts = { size = M.screen_size(window), cwd = workspace.root }
  opts.window = place and place.window or window_of(workspace.name)
  local absent, focus = { tabs = {} }, nil
  for _, plan_tab in ipairs(plan.tabs) do
    local is, where = M.presence(plan_tab, shown)
    if is == 'none' then
      table.insert(absent.tabs, plan_tab)
    elseif is == 'some' then
      local filled, failure = layout.fill(where.tab, plan_tab, shown, { cwd = workspace.root })
      if not filled then
        return nil, failure
      end
      layout.relayout(where.tab, plan_tab)
      focus = focus or filled.focus
    end
  end
  if #absent.tabs == 0 and (place or #plan.tabs > 0) then
    return focus
  end
  local built, failure = layout.build(workspace.name, absent, opts)
  if not built then
    return nil, failure
  end
  return built.focus
end

---Go to a workspace that has panes here.
---@param plan table
---@param focus string|nil process that gets the focus
---@return boolean gone
function M.go(plan, focus)
  local shown = panes.shown(state.read())
  if focus and shown[focus] then
    return panes.focus(shown[focus].pane)
  end
  local place = M.place_of(plan, shown)
  if not place then
    return false
  end
  return panes.switch(place.window:get_workspace())
end

return M
