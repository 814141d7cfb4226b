--- Gives the panes of a tab the sizes of their plan again: a resize of the window keeps no ratio.
---
--- WezTerm moves a divider only for the active pane of a tab, and takes the nearest divider of that direction above it.
--- It moves one by one: a part that gets smaller is put in order inside before its outer divider moves, one that gets
--- larger after, because WezTerm keeps the first half of an inner cut as it is and lets the second half take the rest;
--- an inner first half that does not fit any more would leave the tab's sizes wrong for ever.
--- Above: layout.lua. Below: cuts, making, panes.
local cuts = require 'wezparallel.cuts'
local making = require 'wezparallel.making'
local panes = require 'wezparallel.panes'
local state = require 'wezparallel.state'

local M = {}

local MOVED = 'panes of this tab were added or moved by hand, so its plan does not fit any more; '
  .. 'close its views and open the workspace again'

---@class Drawing
---@field tab MuxTab
---@field panes table<string, Pane> by name in the plan

-- Return the box of each pane of the plan as it is now.
local function boxes(drawing)
  local name_of = {}
  for name, pane in pairs(drawing.panes) do
    name_of[pane:pane_id()] = name
  end
  local found = {}
  for _, info in ipairs(drawing.tab:panes_with_info()) do
    local name = name_of[info.pane:pane_id()]
    if name then
      found[name] = { left = info.left, top = info.top, cols = info.width, rows = info.height }
    end
  end
  return found
end

-- Return the rectangle around a part of the tree.
local function around(node, found)
  local left, top, right, bottom = math.huge, math.huge, 0, 0
  for _, name in ipairs(cuts.leaves(node)) do
    local box = found[name]
    if not box then
      making.fail('layout.moved', MOVED)
    end
    left, top = math.min(left, box.left), math.min(top, box.top)
    right, bottom = math.max(right, box.left + box.cols), math.max(bottom, box.top + box.rows)
  end
  return { left = left, top = top, right = right, bottom = bottom }
end

-- Tell whether the panes lie to each other as in the tree. Of sizes nothing is asked: dividers that were moved by hand
-- can leave a part with none.
local function is_ordered(node, found)
  if node.leaf then
    return found[node.leaf] ~= nil
  end
  if not (is_ordered(node.near, found) and is_ordered(node.far, found)) then
    return false
  end
  local near, far = around(node.near, found), around(node.far, found)
  if node.direction == 'right' then
    return near.left < far.left and near.top == far.top
  end
  return near.top < far.top and near.left == far.left
end

local function is_placed(wanted, found)
  for name, box in pairs(wanted) do
    for field, cells in pairs(box) do
      if found[name][field] ~= cells then
        return false
      end
    end
  end
  return true
end

-- Return a pane of this part from which no divider of the direction is nearer than the one around the part.
local function handle(node, direction)
  if node.leaf then
    return node.leaf
  end
  if node.direction == direction then
    return nil
  end
  return handle(node.near, direction) or handle(node.far, direction)
end

-- Move one divider to its place. One that no pane can reach stays where it is.
local function move(drawing, node, delta)
  local name = handle(node.near, node.direction) or handle(node.far, node.direction)
  if not name then
    return
  end
  local is_right = node.direction == 'right'
  local way = delta > 0 and (is_right and 'Right' or 'Down') or (is_right and 'Left' or 'Up')
  local pane = drawing.panes[name]
  pane:activate()
  local id = tostring(pane:pane_id())
  local ok, complaint =
    making.cli('adjust-pane-size', way, '--amount', tostring(math.abs(delta)), '--pane-id', id)
  if not ok then
    error(
      { code = 'layout.failed', message = 'WezTerm could not move a divider: ' .. complaint },
      0
    )
  end
end

local function settle(drawing, node, direction)
  if node.leaf then
    return
  end
  if node.direction ~= direction then
    settle(drawing, node.near, direction)
    settle(drawing, node.far, direction)
    return
  end
  local near = around(node.near, boxes(drawing))
  local cells = direction == 'right' and near.right - near.left or near.bottom - near.top
  local delta = node.near_cells - cells
  local smaller, larger = node.near, node.far
  if delta > 0 then
    smaller, larger = larger, smaller
  end
  settle(drawing, smaller, direction)
  if delta ~= 0 then
    move(drawing, node, delta)
  end
  settle(drawing, larger, direction)
end

-- Return the panes of the plan in this tab, and the tree that they make.
local function look(tab, plan_tab, snapshot)
  local name_of = {}
  for _, planned in ipairs(plan_tab.panes) do
    name_of[planned.process_id] = planned.pane
  end
  local drawing = { tab = tab, panes = {} }
  for _, pane in ipairs(tab:panes()) do
    local name = name_of[panes.process_of(pane, snapshot)]
    if not name or drawing.panes[name] then
      making.fail('layout.moved', MOVED)
    end
    drawing.panes[name] = pane
  end
  local root = cuts.prune(cuts.tree(plan_tab), function(name)
    return drawing.panes[name] ~= nil
  end)
  return drawing, root
end

local function apply(tab, plan_tab)
  tab:set_zoomed(false)
  local drawing, root = look(tab, plan_tab, state.read())
  if not root or not is_ordered(root, boxes(drawing)) then
    making.fail('layout.moved', MOVED)
  end
  local size = tab:get_size()
  local wanted = cuts.place(root, size.cols, size.rows)
  if not wanted then
    making.fail('layout.no_room', 'the window is too small for this layout')
  end
  settle(drawing, root, 'right')
  settle(drawing, root, 'down')
  if not root.leaf and not is_placed(wanted, boxes(drawing)) then
    -- Somewhere inside sizes did not add up before. The outermost divider, moved there and back, hands them all down.
    move(drawing, root, root.near_cells > 1 and -1 or 1)
    settle(drawing, root, 'right')
    settle(drawing, root, 'down')
    if not is_placed(wanted, boxes(drawing)) then
      making.fail('layout.moved', MOVED)
    end
  end
end

---Give the panes of a tab their sizes again; the focus stays where it is.
---@param tab MuxTab
---@param plan_tab table
---@return boolean|nil
---@return Failure|nil
function M.apply(tab, plan_tab)
  local window, focused = tab:window(), tab:active_pane()
  local seen = window:active_tab()
  local ok, problem = pcall(apply, tab, plan_tab)
  focused:activate()
  if seen and seen:tab_id() ~= tab:tab_id() then
    seen:activate()
  end
  if ok then
    return true
  end
  return nil, making.caught(problem)
end

return M
