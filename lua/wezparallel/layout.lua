--- Executes plans: windows, tabs and panes by mux calls, each pane with the program that shows its process.
---
--- Sizes are given in exact cells, because WezTerm's fractions are whole percents and its own resizing keeps no ratio.
--- Whatever fails, what was made until then is closed again and the error comes back.
--- Above: workspaces, processes. Below: client, cuts, making, relayout.
local client = require 'wezparallel.client'
local cuts = require 'wezparallel.cuts'
local making = require 'wezparallel.making'
local panes = require 'wezparallel.panes'
local relayout = require 'wezparallel.relayout'

local M = {}

M.attach_args = making.attach_args
M.close = making.close
M.kill = making.kill

local function planned_by_name(plan_tab)
  local found = {}
  for _, pane in ipairs(plan_tab.panes) do
    found[pane.pane] = pane
  end
  return found
end

-- Give each cut its cells, or fail.
local function check_room(node, cols, rows)
  if not cuts.place(node, cols, rows) then
    local need_cols, need_rows = cuts.need(node)
    local sentence = 'the layout needs at least %d columns and %d rows, the window has %d and %d; '
      .. 'make it larger and try again'
    making.fail('layout.no_room', sentence:format(need_cols, need_rows, cols, rows))
  end
end

-- Build one tab; its size is asked of WezTerm, whatever was wished for.
local function build_tab(build, plan_tab, workspace, opts)
  local root, made_by = cuts.tree(plan_tab)
  local planned = planned_by_name(plan_tab)
  local how = build.window and making.make_tab(build.window)
    or making.make_window(workspace, opts.size)
  local first, tab, window = making.add(build, planned[plan_tab.first], how, opts.cwd)
  build.window = window
  build.tabs[#build.tabs + 1] = tab
  local size = tab:get_size()
  check_room(root, size.cols, size.rows)
  local at = { [plan_tab.first] = first }
  for _, split in ipairs(plan_tab.splits) do
    local direction = split.direction == 'right' and 'Right' or 'Bottom'
    local way = making.make_split(at[split.of], direction, made_by[split.pane].far_cells)
    at[split.pane] = making.add(build, planned[split.pane], way, opts.cwd, 'CurrentPaneDomain')
  end
  if plan_tab.title and plan_tab.title ~= '' then
    tab:set_title(plan_tab.title)
  end
  local focused = at[plan_tab.focus or plan_tab.first] or first
  for _, pane in ipairs(plan_tab.panes) do
    if pane.focus then
      build.focus, focused = at[pane.pane], at[pane.pane]
    end
  end
  build.first = build.first or focused
  focused:activate()
end

-- What is sure to fail is refused before anything is made.
local function check_all(plan, opts)
  if #plan.tabs == 0 then
    making.fail(
      'layout.empty',
      'nothing in this workspace has a pane; `wezparallel ps` shows what runs in it'
    )
  end
  local size = opts.window and opts.window:active_tab():get_size() or opts.size
  for _, plan_tab in ipairs(plan.tabs) do
    local root = cuts.tree(plan_tab)
    if size then
      check_room(root, size.cols, size.rows)
    end
  end
end

---@class BuildOptions
---@field window MuxWindow|nil add the tabs to this one, else to a new window
---@field size { cols: integer, rows: integer }|nil of a new window's tabs: what the window has that will show it
---@field cwd string|nil folder that WezTerm takes for the panes' until they say one

---Draw a plan. The focus is where the plan wants it; the workspace on screen is not changed.
---@param workspace string
---@param plan table
---@param opts BuildOptions|nil
---@return Build|nil
---@return Failure|nil
function M.build(workspace, plan, opts)
  opts = opts or {}
  return making.guarded(function(build)
    check_all(plan, opts)
    build.window = opts.window
    for _, plan_tab in ipairs(plan.tabs) do
      build_tab(build, plan_tab, workspace, opts)
    end
    build.focus = build.focus or build.first
    build.focus:activate()
  end)
end

---@class ShowOptions
---@field where 'tab'|'split'|'window'|nil
---@field window MuxWindow|nil for a tab
---@field pane Pane|nil for a split
---@field workspace string|nil for a window
---@field size { cols: integer, rows: integer }|nil for a window
---@field direct boolean|nil
---@field cwd string|nil

---Show one process in a pane of its own.
---@param process_id string
---@param opts ShowOptions
---@return Pane|nil
---@return Failure|nil
function M.show(process_id, opts)
  local build, failure = making.guarded(function(build)
    local planned = { process_id = process_id, direct = opts.direct }
    making.add(build, planned, M.place_for(opts), opts.cwd)
  end)
  return build and build.made[1].pane, failure
end

---Run one of our own programs in a pane, as `wezparallel logs -f`.
---@param words string[]
---@param opts ShowOptions
---@return Pane|nil
---@return Failure|nil
function M.run(words, opts)
  local snapshot, failure = client.snapshot()
  if not snapshot then
    return nil, failure
  end
  local args = { table.unpack(snapshot.program) }
  table.move(words, 1, #words, #args + 1, args)
  local ok, pane = pcall(M.place_for(opts), making.command(args, snapshot, opts.cwd))
  if not ok then
    return nil, making.caught(pane)
  end
  return pane
end

---Return how to make a pane at the place that is asked for; where that is not possible a tab, else a window.
---@param opts ShowOptions
---@return fun(fields: table): Pane, MuxTab|nil, MuxWindow|nil
function M.place_for(opts)
  local of = opts.where == 'split' and opts.pane
  -- A pane of ours runs here; one cannot be put beside a pane of another machine in the same tab.
  if of and of:get_domain_name() == 'local' then
    local size = of:get_dimensions()
    local is_wide = size.cols >= 160
    local cells = (is_wide and size.cols or size.viewport_rows) // 2
    if cells >= 2 then
      of:tab():set_zoomed(false)
      return making.make_split(of, is_wide and 'Right' or 'Bottom', cells)
    end
  end
  if opts.window and opts.where ~= 'window' then
    return making.make_tab(opts.window)
  end
  return making.make_window(opts.workspace or panes.workspace(), opts.size)
end

-- Return the pane beside which a missing one belongs, how, and its part of the two.
local function neighbour(root, name, at)
  local path = cuts.path(root, name)
  for index = #path, 1, -1 do
    local cut, side = path[index].cut, path[index].side
    for _, leaf in ipairs(cuts.leaves(side == 'near' and cut.far or cut.near)) do
      if at[leaf] then
        local is_right = cut.direction == 'right'
        if side == 'far' then
          return at[leaf], is_right and 'Right' or 'Bottom', cut.share
        end
        return at[leaf], is_right and 'Left' or 'Top', 1 - cut.share
      end
    end
  end
end

---Put back the panes of a tab that are missing, each beside its neighbour in the picture.
---@param tab MuxTab
---@param plan_tab table
---@param shown table<string, Place> by process id
---@param opts BuildOptions|nil
---@return Build|nil
---@return Failure|nil
function M.fill(tab, plan_tab, shown, opts)
  opts = opts or {}
  return making.guarded(function(build)
    local root = cuts.tree(plan_tab)
    local at = {}
    for _, planned in ipairs(plan_tab.panes) do
      local place = shown[planned.process_id]
      if place and place.tab:tab_id() == tab:tab_id() then
        at[planned.pane] = place.pane
      end
    end
    tab:set_zoomed(false)
    for _, planned in ipairs(plan_tab.panes) do
      if not shown[planned.process_id] then
        local of, direction, share = neighbour(root, planned.pane, at)
        local size = of:get_dimensions()
        local length = (direction == 'Right' or direction == 'Left') and size.cols
          or size.viewport_rows
        if length < 3 then
          making.fail(
            'layout.no_room',
            'there is no room for another pane in this tab; make the window larger and try again'
          )
        end
        local cells = math.max(1, math.min(length - 2, math.floor((length - 1) * share + 0.5)))
        at[planned.pane] = making.add(
          build,
          planned,
          making.make_split(of, direction, cells),
          opts.cwd,
          'CurrentPaneDomain'
        )
        build.focus = build.focus or at[planned.pane]
      end
    end
    build.tabs, build.window = { tab }, tab:window()
  end)
end

---Give the panes of a tab their sizes again.
---@param tab MuxTab
---@param plan_tab table
---@return boolean|nil
---@return Failure|nil
function M.relayout(tab, plan_tab)
  return relayout.apply(tab, plan_tab)
end

return M
