--- GUI windows: what `window:…` does there, and what becomes of the actions that it performs.
local fake, actions, mux = ...
local world = fake.world

--- What an action does. What is not here is recorded and does nothing.
local DEEDS = {}

function DEEDS.EmitEvent(slot, pane, name)
  fake.emit_window(slot, name, fake.gui_window(slot), fake.wrap_pane(pane))
end

function DEEDS.SwitchToWorkspace(_, _, given)
  fake.later(function()
    local name = given.name
    for _, known in ipairs(fake.workspace_names()) do
      if known == name then
        return mux.activate_workspace(name)
      end
    end
    local spawn = given.spawn or {}
    fake.new_window { workspace = name, args = spawn.args, cwd = spawn.cwd }
    mux.activate_workspace(name)
  end)
end

function DEEDS.CloseCurrentPane(slot)
  fake.kill_pane(mux.shown_pane(slot)) -- the pane that was handed in counts for nothing, as in the real one
end

function DEEDS.CloseCurrentTab(slot)
  for _, place in ipairs(mux.places(world.tabs[world.windows[slot.window].active])) do
    fake.kill_pane(place.pane)
  end
end

function DEEDS.ActivateKeyTable(slot, _, given)
  if given.replace_current then
    table.remove(slot.key_tables)
  end
  table.insert(slot.key_tables, given)
end

function DEEDS.PopKeyTable(slot)
  table.remove(slot.key_tables)
end

function DEEDS.ClearKeyTableStack(slot)
  slot.key_tables = {}
end

function DEEDS.ActivateTab(slot, _, index)
  local window = world.windows[slot.window]
  window.active = window.tabs[index + 1] or window.active
end

function DEEDS.ActivatePaneByIndex(slot, _, index)
  local tab = world.tabs[world.windows[slot.window].active]
  local place = mux.places(tab)[index + 1]
  if place then
    mux.activate_pane(place.pane)
  end
end

function DEEDS.AdjustPaneSize(slot, _, given)
  local tab = world.tabs[world.windows[slot.window].active]
  if not tab.zoomed then
    mux.layout.move_border(tab.tree, tab.active, given[1], given[2], tab.cols, tab.rows)
  end
end

function DEEDS.SetPaneZoomState(slot, _, zoomed)
  world.tabs[world.windows[slot.window].active].zoomed = zoomed
end

function DEEDS.SpawnCommandInNewTab(slot, _, given)
  local window = world.windows[slot.window]
  local first = world.tabs[window.tabs[1]]
  mux.new_tab(window, given, { cols = first.cols, rows = first.rows })
end

--- An overlay takes the keys until it is answered: `fake.answer_overlay` says what the person did.
local function overlay(kind)
  return function(slot, pane, given)
    slot.overlay = { kind = kind, given = given, pane = pane }
  end
end
DEEDS.InputSelector = overlay 'InputSelector'
DEEDS.PromptInputLine = overlay 'PromptInputLine'
DEEDS.Confirmation = overlay 'Confirmation'

function fake.perform(slot, action, pane)
  actions.check_action(action)
  table.insert(world.performed, action)
  local name, given = action, nil
  if type(action) == 'table' then
    name, given = next(action)
  end
  if name == 'Multiple' then
    for _, inner in ipairs(given) do
      fake.perform(slot, inner, pane)
    end
  elseif DEEDS[name] then
    DEEDS[name](slot, pane, given)
  end
end

--- The person answers what is on the screen: its event gets (window, pane, …), outside the rule of one at a time.
function fake.answer_overlay(slot, action, ...)
  local shown = slot.overlay or error 'nothing asks'
  slot.overlay = nil
  if action then
    local event = action.EmitEvent or error 'the action of an overlay is an action_callback'
    fake.emit(event, fake.gui_window(slot), fake.wrap_pane(shown.pane), ...)
  end
end

local function slot_with(number)
  for _, slot in ipairs(world.slots) do
    if slot.number == number then
      return slot
    end
  end
  error('the window is closed', 3)
end

local function wrap_dimensions(slot)
  return {
    pixel_width = slot.cols * 8,
    pixel_height = slot.rows * 16,
    dpi = 96,
    is_full_screen = false,
  }
end

local function set_status(side)
  return function(number, text)
    assert(type(text) == 'string', 'a status is a string')
    local slot = slot_with(number)
    slot[side] = text
    fake.tick_slot(slot, fake.now + 1)
  end
end

local METHODS = {
  window_id = function(number)
    return slot_with(number).window
  end,
  active_key_table = fake.at_once(function(number)
    local tables = slot_with(number).key_tables
    return tables[1] and tables[#tables].name or nil
  end),
  active_pane = fake.at_once(function(number)
    return fake.wrap_pane(mux.shown_pane(slot_with(number)))
  end),
  active_tab = function(number)
    return fake.wrap_tab(world.windows[slot_with(number).window].active)
  end,
  active_workspace = function()
    return world.workspace
  end,
  copy_to_clipboard = function(_, text)
    world.clipboard = text
  end,
  effective_config = fake.at_once(function()
    return fake.config
  end),
  focus = function(number)
    for _, slot in ipairs(world.slots) do
      slot.focused = slot.number == number
    end
  end,
  get_config_overrides = fake.at_once(function(number)
    return mux.copy(slot_with(number).overrides)
  end),
  get_dimensions = fake.at_once(function(number)
    return wrap_dimensions(slot_with(number))
  end),
  is_focused = fake.at_once(function(number)
    return slot_with(number).focused
  end),
  leader_is_active = fake.at_once(function()
    return false
  end),
  mux_window = function(number)
    return fake.wrap_window(slot_with(number).window)
  end,
  perform_action = fake.at_once(function(number, action, pane)
    fake.perform(slot_with(number), action, mux.id_of(pane, 'MuxPane'))
  end),
  set_config_overrides = function(number, overrides)
    local slot = slot_with(number)
    for key, value in pairs(overrides or {}) do
      actions.check_option(key, value)
    end
    slot.overrides = mux.copy(overrides)
    fake.later(function()
      fake.emit_window(
        slot,
        'window-config-reloaded',
        fake.gui_window(slot),
        fake.wrap_pane(mux.shown_pane(slot))
      )
    end)
  end,
  set_left_status = set_status 'left',
  set_right_status = set_status 'right',
  toast_notification = function(_, title, message, url, timeout_ms)
    assert(
      type(title) == 'string' and type(message) == 'string',
      'a toast has a title and a message'
    )
    assert(url == nil or type(url) == 'string', 'the url of a toast is a string')
    assert(
      timeout_ms == nil or math.type(timeout_ms) == 'integer',
      'the time of a toast is an integer'
    )
    table.insert(fake.toasts, { title = title, message = message })
  end,
}

function fake.gui_window(slot)
  return mux.object('GuiWin', slot.number, METHODS)
end

--- What format-tab-title gets: fields only, of the pane as it is now.
local function pane_information(tab, index, place)
  local pane = world.panes[place.pane]
  local members = {
    pane_id = pane.id,
    pane_index = index - 1,
    is_active = pane.id == tab.active,
    is_zoomed = false,
    title = pane.title,
    has_unseen_output = pane.unseen,
    user_vars = pane.user_vars,
    left = place.left,
    top = place.top,
    width = place.width,
    height = place.height,
    foreground_process_name = pane.process,
    current_working_dir = pane.cwd or '',
    domain_name = pane.domain,
    tty_name = pane.tty,
  }
  if fake.flavour == 'nightly' then
    members.progress = pane.progress
  end
  return fake.strict('PaneInformation', members)
end

function fake.tab_information(id)
  local tab, panes, active = world.tabs[id], {}, nil
  for index, place in ipairs(mux.places(tab)) do
    panes[index] = pane_information(tab, index, place)
    active = place.pane == tab.active and panes[index] or active
  end
  local window = world.windows[tab.window]
  local index = 0
  for position, other in ipairs(window.tabs) do
    index = other == id and position - 1 or index
  end
  return fake.strict('TabInformation', {
    tab_id = id,
    tab_index = index,
    is_active = window.active == id,
    active_pane = active,
    panes = panes,
    window_id = window.id,
    window_title = window.title,
    tab_title = tab.title,
  })
end

return {
  gui_window_for_mux_window = function(id)
    for _, slot in ipairs(world.slots) do
      if slot.window == id then
        return fake.gui_window(slot)
      end
    end
    error(('mux window id %d is not currently associated with a gui window'):format(id), 2)
  end,
  gui_windows = function()
    local list = {}
    for index, slot in ipairs(world.slots) do
      list[index] = fake.gui_window(slot)
    end
    return list
  end,
}
