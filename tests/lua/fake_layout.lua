--- The tree of a tab's panes: cells move as they do in WezTerm (a split, a closed pane, a resize, a moved border).
local layout = {}

--- A leaf is `{pane=id}`; a node `{across=bool, first=…, second=…, a=cells of first, b=cells of second}` where `across`
--- means side by side. Sizes come from the top: a node knows how its own length is shared.
local function is_leaf(node)
  return node.pane ~= nil
end

local function visit(node, left, top, width, height, found)
  if is_leaf(node) then
    found[#found + 1] = { pane = node.pane, left = left, top = top, width = width, height = height }
  elseif node.across then
    visit(node.first, left, top, node.a, height, found)
    visit(node.second, left + node.a + 1, top, node.b, height, found)
  else
    visit(node.first, left, top, width, node.a, found)
    visit(node.second, left, top + node.a + 1, width, node.b, found)
  end
  return found
end

--- All panes with their places, in the order in which WezTerm counts them.
function layout.panes(tree, cols, rows)
  return visit(tree, 0, 0, cols, rows, {})
end

local function path_to(node, pane, path)
  if is_leaf(node) then
    return node.pane == pane
  end
  for _, side in ipairs { 'first', 'second' } do
    table.insert(path, { node = node, side = side })
    if path_to(node[side], pane, path) then
      return true
    end
    table.remove(path)
  end
  return false
end

local function put(tree, path, node)
  local last = path[#path]
  if not last then
    return node
  end
  last.node[last.side] = node
  return tree
end

local function place_of(tree, pane, cols, rows)
  for _, place in ipairs(layout.panes(tree, cols, rows)) do
    if place.pane == pane then
      return place
    end
  end
end

--- Cells of the pane that appears, of `length`: a fraction becomes a whole percent, 1 or more are cells.
local function wanted_cells(length, size)
  local cells = size
  if size < 1 then
    cells = length * math.floor(size * 100 + 1e-4) // 100
  end
  return math.max(1, math.floor(cells))
end

--- Cut `pane`; returns the new tree, or nil where there is no room.
function layout.split(tree, cut, cols, rows)
  local place = place_of(tree, cut.pane, cols, rows)
  local across = cut.direction == 'Right' or cut.direction == 'Left'
  local length = across and place.width or place.height
  local new = wanted_cells(length, cut.size)
  local rest = length - new - 1
  if rest < 1 then
    return nil
  end
  local old_leaf, new_leaf = { pane = cut.pane }, { pane = cut.new }
  local node
  if cut.direction == 'Right' or cut.direction == 'Bottom' then
    node = { across = across, first = old_leaf, second = new_leaf, a = rest, b = new }
  else
    node = { across = across, first = new_leaf, second = old_leaf, a = new, b = rest }
  end
  local path = {}
  path_to(tree, cut.pane, path)
  return put(tree, path, node)
end

local function least(node, across)
  if is_leaf(node) then
    return 1
  elseif node.across == across then
    return least(node.first, across) + least(node.second, across) + 1
  end
  return math.max(least(node.first, across), least(node.second, across))
end

--- Hand out (or take) cells one by one, first child first, as WezTerm does: a resize is not proportional.
local function adjust(node, across, delta)
  if is_leaf(node) or delta == 0 then
    return
  elseif node.across ~= across then
    adjust(node.first, across, delta)
    adjust(node.second, across, delta)
    return
  end
  local step = delta > 0 and 1 or -1
  local stuck = 0
  while delta ~= 0 and stuck < 2 do
    for _, side in ipairs { 'first', 'second' } do
      local cells = side == 'first' and 'a' or 'b'
      if delta ~= 0 and (step > 0 or node[cells] > 1) then
        adjust(node[side], across, step)
        node[cells] = node[cells] + step
        delta = delta - step
        stuck = 0
      else
        stuck = stuck + 1
      end
    end
  end
end

function layout.resize(tree, from, to)
  adjust(tree, true, math.max(to.cols, least(tree, true)) - from.cols)
  adjust(tree, false, math.max(to.rows, least(tree, false)) - from.rows)
end

--- Make `node` fill `width` x `height` after its place grew: the first child keeps, the second takes what is left.
local function fill(node, width, height)
  if is_leaf(node) then
    return
  elseif node.across then
    node.b = math.max(0, width - 1 - node.a)
    fill(node.first, node.a, height)
    fill(node.second, node.b, height)
  else
    node.b = math.max(0, height - 1 - node.a)
    fill(node.first, width, node.a)
    fill(node.second, width, node.b)
  end
end

--- Take a pane out; its neighbour in the tree gets the room. Returns the new tree, nil when it was the last.
function layout.remove(tree, pane, cols, rows)
  local path = {}
  if not path_to(tree, pane, path) or not path[1] then
    return nil
  end
  local last = table.remove(path)
  local other = last.node[last.side == 'first' and 'second' or 'first']
  local result = put(tree, path, other)
  fill(result, cols, rows)
  return result
end

--- Hand sizes down after a border moved: the first child keeps what it has, the second gets the rest, even none.
local function hand_down(node, width, height)
  if is_leaf(node) then
    return
  end
  node.b = math.max(0, (node.across and width or height) - 1 - node.a)
  if node.across then
    hand_down(node.first, node.a, height)
    hand_down(node.second, node.b, height)
  else
    hand_down(node.first, width, node.a)
    hand_down(node.second, width, node.b)
  end
end

--- Move the nearest border of `pane` in a direction by some cells (AdjustPaneSize). What lies below the moved border
--- gets its sizes from it; a part that was given no room once keeps wrong sizes, as in the real one.
function layout.move_border(tree, pane, direction, amount, cols, rows)
  local across = direction == 'Left' or direction == 'Right'
  local delta = (direction == 'Right' or direction == 'Down') and amount or -amount
  local path, sizes = {}, { { cols, rows } }
  path_to(tree, pane, path)
  for index, step in ipairs(path) do
    local width, height = sizes[index][1], sizes[index][2]
    local cells = step.side == 'first' and step.node.a or step.node.b
    sizes[index + 1] = step.node.across and { cells, height } or { width, cells }
  end
  for index = #path, 1, -1 do
    local node = path[index].node
    if node.across == across then
      local length = node.a + node.b + 1
      node.a = math.max(1, math.min(node.a + delta, length - 2))
      node.b = length - node.a - 1
      local width, height = sizes[index][1], sizes[index][2]
      hand_down(node.first, across and node.a or width, across and height or node.a)
      hand_down(node.second, across and node.b or width, across and height or node.b)
      return
    end
  end
end

return layout
