--- A plan's cuts as a tree, and the cells that each pane gets. Pure: no WezTerm, no state.
---
--- WezTerm draws a divider of one cell between two panes. So a tab of W columns is thought of as W + 1, of which each
--- pane owns its own and the divider right of it; then shares of the whole can be rounded edge by edge, and panes
--- above each other whose edges are the same in the picture have the same edge on the screen.
--- Above: layout.lua, relayout.lua.
local M = {}

---@class Cut
---@field leaf string|nil name of the pane, if it is one
---@field direction 'right'|'down'|nil
---@field share number|nil part of `far`
---@field near Cut|nil left of or above the divider
---@field far Cut|nil
---@field near_cells integer|nil what `near` gets along the cut, once placed
---@field far_cells integer|nil

---@class Box
---@field left integer
---@field top integer
---@field cols integer
---@field rows integer

---Return the tree that a tab's cuts make. An error is raised for a cut of a pane that is not there.
---@param tab table tab of a plan
---@return Cut root
---@return table<string, Cut> cuts by the pane that each makes
function M.tree(tab)
  local root = { leaf = tab.first }
  local leaves = { [tab.first] = root }
  local cuts = {}
  for _, split in ipairs(tab.splits or {}) do
    local node = leaves[split.of]
    if not node then
      error(('the plan cuts the pane %q, which it does not have yet'):format(tostring(split.of)), 0)
    end
    local near, far = { leaf = split.of }, { leaf = split.pane }
    node.leaf = nil
    node.direction, node.share, node.near, node.far = split.direction, split.share, near, far
    leaves[split.of], leaves[split.pane] = near, far
    cuts[split.pane] = node
  end
  return root, cuts
end

---Return the smallest size that has a cell for every pane.
---@param node Cut
---@return integer cols
---@return integer rows
function M.need(node)
  if node.leaf then
    return 1, 1
  end
  local near_cols, near_rows = M.need(node.near)
  local far_cols, far_rows = M.need(node.far)
  if node.direction == 'right' then
    return near_cols + 1 + far_cols, math.max(near_rows, far_rows)
  end
  return math.max(near_cols, far_cols), near_rows + 1 + far_rows
end

local function round(number)
  return math.floor(number + 0.5)
end

-- Return what is left of the line of a cut: where the picture says, but a cell for everybody on both sides.
local function near_cells(line, whole, start, length, need_near, need_far)
  local wanted = round(line * (whole + 1)) - 1 - start
  return math.max(need_near, math.min(wanted, length - 1 - need_far))
end

local function lay(node, box, part, whole, found)
  if node.leaf then
    found[node.leaf] = box
    return
  end
  local near_cols, near_rows = M.need(node.near)
  local far_cols, far_rows = M.need(node.far)
  if node.direction == 'right' then
    local line = part.right - (part.right - part.left) * node.share
    local cells = near_cells(line, whole.cols, box.left, box.cols, near_cols, far_cols)
    node.near_cells, node.far_cells = cells, box.cols - 1 - cells
    local near = { left = box.left, top = box.top, cols = cells, rows = box.rows }
    local far =
      { left = box.left + cells + 1, top = box.top, cols = node.far_cells, rows = box.rows }
    lay(
      node.near,
      near,
      { left = part.left, right = line, top = part.top, bottom = part.bottom },
      whole,
      found
    )
    lay(
      node.far,
      far,
      { left = line, right = part.right, top = part.top, bottom = part.bottom },
      whole,
      found
    )
  else
    local line = part.bottom - (part.bottom - part.top) * node.share
    local cells = near_cells(line, whole.rows, box.top, box.rows, near_rows, far_rows)
    node.near_cells, node.far_cells = cells, box.rows - 1 - cells
    local near = { left = box.left, top = box.top, cols = box.cols, rows = cells }
    local far =
      { left = box.left, top = box.top + cells + 1, cols = box.cols, rows = node.far_cells }
    lay(
      node.near,
      near,
      { left = part.left, right = part.right, top = part.top, bottom = line },
      whole,
      found
    )
    lay(
      node.far,
      far,
      { left = part.left, right = part.right, top = line, bottom = part.bottom },
      whole,
      found
    )
  end
end

---Return the box of each pane in a tab of this size; each cut of the tree learns its cells. nil if there is no room.
---@param node Cut
---@param cols integer
---@param rows integer
---@return table<string, Box>|nil
function M.place(node, cols, rows)
  local need_cols, need_rows = M.need(node)
  if cols < need_cols or rows < need_rows then
    return nil
  end
  local found = {}
  local all = { left = 0, right = 1, top = 0, bottom = 1 }
  lay(
    node,
    { left = 0, top = 0, cols = cols, rows = rows },
    all,
    { cols = cols, rows = rows },
    found
  )
  return found
end

---Return the tree without the panes that are not there: the others have taken their place. nil if none is left.
---@param node Cut
---@param is_there fun(name: string): boolean|nil
---@return Cut|nil
function M.prune(node, is_there)
  if node.leaf then
    return is_there(node.leaf) and { leaf = node.leaf } or nil
  end
  local near, far = M.prune(node.near, is_there), M.prune(node.far, is_there)
  if near and far then
    return { direction = node.direction, share = node.share, near = near, far = far }
  end
  return near or far
end

---Return the names of the panes, near before far.
---@param node Cut
---@param into string[]|nil
---@return string[]
function M.leaves(node, into)
  into = into or {}
  if node.leaf then
    into[#into + 1] = node.leaf
  else
    M.leaves(node.near, into)
    M.leaves(node.far, into)
  end
  return into
end

---Return the cuts from the root down to a pane, each with the side on which the pane lies.
---@param node Cut
---@param name string
---@return { cut: Cut, side: 'near'|'far' }[]|nil
function M.path(node, name)
  if node.leaf then
    return node.leaf == name and {} or nil
  end
  for _, side in ipairs { 'near', 'far' } do
    local below = M.path(node[side], name)
    if below then
      table.insert(below, 1, { cut = node, side = side })
      return below
    end
  end
  return nil
end

return M
