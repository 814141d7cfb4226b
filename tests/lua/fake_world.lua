--- The world behind the mux: windows, tabs and panes with real geometry, workspaces, and the windows that show them.
---
-- Plain tables, by id. `fake_mux` hands out the objects through which a plugin sees them.
local fake = ...
local layout = fake.load_part 'fake_layout'()

local world =
  { windows = {}, tabs = {}, panes = {}, order = {}, orphans = {}, workspace = 'default', ids = {} }
world.slots, world.performed, world.initial = {}, {}, { cols = 80, rows = 24 }
fake.world = world

local function next_id(kind)
  local id = world.ids[kind] or 0
  world.ids[kind] = id + 1
  return id
end

local function found(kind, id)
  return world[kind .. 's'][id]
    or error(('%s id %s not found in mux'):format(kind, tostring(id)), 3)
end

--- What the mux knows of a new pane. Without `args` the environment and the folder are dropped, as they really are.
local function new_pane(given, domain)
  local id = next_id 'pane'
  local env = {}
  for name, value in pairs(given.args and given.set_environment_variables or {}) do
    env[name] = value
  end
  world.panes[id] = {
    id = id,
    args = given.args,
    cwd = given.cwd,
    env = env,
    domain = domain,
    title = 'wezterm',
    user_vars = {},
    sent = {},
    injected = {},
    text = '',
    progress = 'None',
    tty = '/dev/pts/' .. (100 + id),
    unseen = false,
    process = given.args and given.args[1] or '/bin/bash',
  }
  if fake.on_spawn then
    fake.on_spawn(id)
  end
  return world.panes[id]
end

local function domain_name(value, default)
  if value == nil then
    value = default
  end
  if value == 'DefaultDomain' or value == 'CurrentPaneDomain' then
    return 'local'
  end
  assert(type(value) == 'table' and value.DomainName, 'no such domain')
  return value.DomainName
end

local function new_tab(window, given, size)
  local pane = new_pane(given, domain_name(given.domain, 'CurrentPaneDomain'))
  local tab = {
    id = next_id 'tab',
    window = window.id,
    title = '',
    tree = { pane = pane.id },
    active = pane.id,
  }
  tab.cols, tab.rows, tab.zoomed = size.cols, size.rows, false
  pane.tab = tab.id
  world.tabs[tab.id] = tab
  table.insert(window.tabs, tab.id)
  window.active = tab.id
  return tab, pane
end

local function slot_of(window_id)
  for _, slot in ipairs(world.slots) do
    if slot.window == window_id then
      return slot
    end
  end
end

local function resize_tab(tab, cols, rows)
  if tab.cols ~= cols or tab.rows ~= rows then
    layout.resize(tab.tree, { cols = tab.cols, rows = tab.rows }, { cols = cols, rows = rows })
    tab.cols, tab.rows = cols, rows
  end
end

local function new_slot(window)
  local slot = {
    number = next_id 'slot',
    window = window.id,
    events = {},
    left = '',
    right = '',
    key_tables = {},
  }
  slot.cols, slot.rows, slot.focused = world.initial.cols, world.initial.rows, #world.slots == 0
  table.insert(world.slots, slot)
  fake.tick_slot(slot, fake.now)
  return slot
end

--- Show the windows of the active workspace: windows of the GUI are taken over, surplus ones close, missing ones open.
local function reconcile()
  if not fake.has_gui then
    return
  end
  local shown = {}
  for _, id in ipairs(world.order) do
    if world.windows[id].workspace == world.workspace then
      table.insert(shown, world.windows[id])
    end
  end
  if not shown[1] and world.order[1] then
    world.workspace = world.windows[world.order[1]].workspace
    return reconcile()
  end
  while #world.slots > #shown do
    table.remove(world.slots).closed = true
  end
  for index, window in ipairs(shown) do
    local slot = world.slots[index] or new_slot(window)
    slot.window = window.id
    for _, tab in ipairs(window.tabs) do
      resize_tab(world.tabs[tab], slot.cols, slot.rows)
    end
  end
end

local function new_window(given)
  local size =
    { cols = given.width or world.initial.cols, rows = given.height or world.initial.rows }
  local window =
    { id = next_id 'window', workspace = given.workspace or 'default', title = '', tabs = {} }
  world.windows[window.id] = window
  table.insert(world.order, window.id)
  local tab, pane = new_tab(window, given, size)
  reconcile()
  return window, tab, pane
end
fake.new_window = new_window

function fake.kill_pane(id)
  local pane = found('pane', id)
  world.panes[id] = nil
  local tab = pane.tab and world.tabs[pane.tab]
  if not tab then
    return
  end
  local tree = layout.remove(tab.tree, id, tab.cols, tab.rows)
  if tree then
    tab.tree, tab.zoomed = tree, false
    if tab.active == id then
      tab.active = layout.panes(tree, tab.cols, tab.rows)[1].pane
    end
    return
  end
  local window = world.windows[tab.window]
  world.tabs[tab.id] = nil
  for index, other in ipairs(window.tabs) do
    if other == tab.id then
      table.remove(window.tabs, index)
    end
  end
  window.active = window.active == tab.id and window.tabs[1] or window.active
  if not window.tabs[1] then
    world.windows[window.id] = nil
    for index, other in ipairs(world.order) do
      if other == window.id then
        table.remove(world.order, index)
      end
    end
    reconcile()
  end
end

function fake.resize_window(slot, cols, rows)
  slot.cols, slot.rows = cols, rows
  reconcile()
end

--- The periodic tick: it goes on only while something sets a status (or a title is computed anew).
function fake.tick_slot(slot, at)
  if slot.tick then
    return
  end
  slot.tick = true
  fake.wake_at(at, function()
    slot.tick = false
    if not slot.closed then
      fake.update_status(slot)
    end
  end)
end

local function shown_pane(slot)
  return world.tabs[world.windows[slot.window].active].active
end

function fake.update_status(slot)
  fake.emit_window(
    slot,
    'update-right-status',
    fake.gui_window(slot),
    fake.wrap_pane(shown_pane(slot))
  )
  fake.emit_window(slot, 'update-status', fake.gui_window(slot), fake.wrap_pane(shown_pane(slot)))
end

--- A user variable is always stored; its event comes only for panes of a window on screen.
function fake.set_user_var(id, name, value)
  local pane = found('pane', id)
  pane.user_vars[name] = value
  local slot = slot_of(world.tabs[pane.tab].window)
  if slot then
    fake.emit_window(
      slot,
      'user-var-changed',
      fake.gui_window(slot),
      fake.wrap_pane(id),
      name,
      value
    )
  end
end

local function activate_pane(id)
  local tab = world.tabs[found('pane', id).tab] or error('pane is in no tab', 2)
  if tab.zoomed and tab.active ~= id then
    tab.zoomed = false
  end
  tab.active = id
  world.windows[tab.window].active = tab.id
end

local function places(tab)
  return layout.panes(tab.tree, tab.cols, tab.rows)
end
fake.places = places

local function names()
  local list, seen = {}, {}
  for _, id in ipairs(world.order) do
    local name = world.windows[id].workspace
    if not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end
fake.workspace_names = names

local function activate_workspace(name)
  world.workspace = name
  reconcile()
end

return {
  activate_pane = activate_pane,
  activate_workspace = activate_workspace,
  domain_name = domain_name,
  found = found,
  layout = layout,
  names = names,
  new_pane = new_pane,
  new_tab = new_tab,
  places = places,
  reconcile = reconcile,
  shown_pane = shown_pane,
  slot_of = slot_of,
}
