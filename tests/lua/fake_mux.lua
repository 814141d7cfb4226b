--- The mux as a plugin sees it: the objects of panes, tabs and windows, and `wezterm.mux`, over `fake_world`.
local fake, strict, actions = ...
local behind = fake.load_part 'fake_world'(fake)
local world, layout, found = fake.world, behind.layout, behind.found
local new_pane, new_tab, domain_name = behind.new_pane, behind.new_tab, behind.domain_name
local names, places, reconcile = behind.names, behind.places, behind.reconcile
local wrap_window, wrap_tab, wrap_pane, wrap_domain

--- An object as WezTerm hands out: a new one each time (so `==` never holds), with methods only.
local function object(kind, id, methods)
  return setmetatable({}, {
    __index = function(_, key)
      local method = methods[key]
      if not method then
        error(('%s has no method %s'):format(kind, tostring(key)), 2)
      end
      return function(self, ...)
        if type(self) ~= 'table' or getmetatable(self) ~= kind then
          error(('%s:%s must be called with a colon'):format(kind, key), 2)
        end
        return method(id, ...)
      end
    end,
    __newindex = function()
      error(kind .. ' cannot be written to', 2)
    end,
    __tostring = function()
      return ('%s(%s)'):format(kind, tostring(id))
    end,
    __metatable = kind,
  })
end

local function id_of(value, kind)
  if type(value) ~= 'table' or getmetatable(value) ~= kind then
    error('expected a ' .. kind, 3)
  end
  return tonumber(tostring(value):match '%((%d+)%)')
end

local SPAWN = { args = 'table', cwd = 'string', set_environment_variables = 'table', domain = true }
local WINDOW = { width = 'number', height = 'number', workspace = 'string', position = true }
local SPLIT = { direction = 'string', top_level = 'boolean', size = 'number' }

local function check(given, extra)
  given = given or {}
  assert(type(given) == 'table', 'a table is needed')
  for key, value in pairs(given) do
    local kind = SPAWN[key] or extra[key]
    assert(kind, ('unknown field `%s`'):format(tostring(key)))
    assert(
      kind == true or type(value) == kind,
      ('%s must be a %s, not a %s'):format(key, tostring(kind), type(value))
    )
  end
  for _, word in ipairs(given.args or {}) do
    assert(type(word) == 'string', 'every argument must be a string')
  end
  for name, value in pairs(given.set_environment_variables or {}) do
    assert(type(name) == 'string' and type(value) == 'string', 'environment variables are strings')
  end
  return given
end

local split = fake.async(function(resume, id, given)
  given = check(given, SPLIT)
  local tab = world.tabs[found('pane', id).tab]
  local pane = new_pane(given, domain_name(given.domain, 'DefaultDomain'))
  local direction = given.direction or 'Right'
  assert(
    ({ Left = 1, Right = 1, Top = 1, Bottom = 1 })[direction],
    'invalid direction ' .. direction
  )
  assert(not given.top_level, 'top_level splits leave the size of a tab wrong')
  local tree = not tab.zoomed
    and layout.split(
      tab.tree,
      { pane = id, new = pane.id, direction = direction, size = given.size or 0.5 },
      tab.cols,
      tab.rows
    )
  if not tree then
    world.orphans[#world.orphans + 1] = pane.id
    return resume(false, tab.zoomed and 'cannot split while zoomed' or 'No space for split!')
  end
  tab.tree, tab.active, pane.tab = tree, pane.id, tab.id
  resume(true, wrap_pane(pane.id))
end)

--- What goes through WezTerm's own values comes back in new tables.
local function copy(value)
  if type(value) ~= 'table' then
    return value
  end
  local made = {}
  for key, item in pairs(value) do
    made[key] = copy(item)
  end
  return made
end

local function getter(name)
  return function(id)
    return found('pane', id)[name]
  end
end

local PANE = {
  pane_id = function(id)
    return id
  end,
  activate = behind.activate_pane,
  get_current_working_dir = function(id)
    local cwd = found('pane', id).cwd
    return cwd and strict('Url', { file_path = cwd, scheme = 'file', host = '' }) or nil
  end,
  get_dimensions = function(id)
    for _, place in ipairs(places(world.tabs[found('pane', id).tab])) do
      if place.pane == id then
        return {
          cols = place.width,
          viewport_rows = place.height,
          scrollback_rows = place.height,
          physical_top = 0,
          scrollback_top = 0,
          dpi = 96,
          pixel_width = place.width * 8,
          pixel_height = place.height * 16,
        }
      end
    end
  end,
  get_domain_name = getter 'domain',
  get_foreground_process_info = function(id)
    local pane = found('pane', id)
    return {
      pid = 1000 + id,
      name = pane.process:match '[^/]*$',
      executable = pane.process,
      argv = pane.args or {},
      children = {},
    }
  end,
  get_foreground_process_name = getter 'process',
  get_lines_as_text = getter 'text',
  get_metadata = function()
    return {}
  end,
  get_title = getter 'title',
  get_tty_name = getter 'tty',
  get_user_vars = function(id)
    return copy(found('pane', id).user_vars)
  end,
  has_unseen_output = getter 'unseen',
  inject_output = function(id, text)
    table.insert(found('pane', id).injected, text)
  end,
  send_paste = function(id, text)
    table.insert(found('pane', id).sent, '\27[200~' .. text .. '\27[201~')
  end,
  send_text = function(id, text)
    table.insert(found('pane', id).sent, text)
  end,
  split = split,
  tab = function(id)
    local tab = found('pane', id).tab
    return tab and wrap_tab(tab) or nil
  end,
  window = function(id)
    local tab = world.tabs[found('pane', id).tab]
    return tab and wrap_window(tab.window) or nil
  end,
}
if fake.flavour == 'nightly' then
  PANE.get_progress = getter 'progress'
end

local TAB = {
  tab_id = function(id)
    return id
  end,
  activate = function(id)
    local tab = found('tab', id)
    world.windows[tab.window].active = id
  end,
  active_pane = function(id)
    return wrap_pane(found('tab', id).active)
  end,
  get_size = function(id)
    local tab = found('tab', id)
    return {
      cols = tab.cols,
      rows = tab.rows,
      pixel_width = tab.cols * 8,
      pixel_height = tab.rows * 16,
      dpi = 96,
    }
  end,
  get_title = function(id)
    return found('tab', id).title
  end,
  panes = function(id)
    local list = {}
    for index, place in ipairs(places(found('tab', id))) do
      list[index] = wrap_pane(place.pane)
    end
    return list
  end,
  panes_with_info = function(id)
    local tab, list = found('tab', id), {}
    for index, place in ipairs(places(tab)) do
      list[index] = {
        index = index - 1,
        is_active = place.pane == tab.active,
        is_zoomed = tab.zoomed and place.pane == tab.active,
        left = place.left,
        top = place.top,
        width = place.width,
        height = place.height,
        pixel_width = place.width * 8,
        pixel_height = place.height * 16,
        pane = wrap_pane(place.pane),
      }
    end
    return list
  end,
  set_title = function(id, title)
    assert(type(title) == 'string', 'a title is a string')
    found('tab', id).title = title
  end,
  set_zoomed = function(id, zoomed)
    local tab = found('tab', id)
    local before = tab.zoomed
    tab.zoomed = zoomed
    return before
  end,
  window = function(id)
    return wrap_window(found('tab', id).window)
  end,
}

local WINDOW_METHODS = {
  window_id = function(id)
    return id
  end,
  active_pane = function(id)
    return wrap_pane(world.tabs[found('window', id).active].active)
  end,
  active_tab = function(id)
    return wrap_tab(found('window', id).active)
  end,
  get_title = function(id)
    return found('window', id).title
  end,
  get_workspace = function(id)
    return found('window', id).workspace
  end,
  gui_window = fake.at_once(function(id)
    local slot = behind.slot_of(found('window', id).id)
    assert(slot, ('mux window id %d is not currently associated with a gui window'):format(id))
    return fake.gui_window(slot)
  end),
  set_title = function(id, title)
    found('window', id).title = title
  end,
  set_workspace = function(id, name)
    found('window', id).workspace = name
    reconcile()
  end,
  spawn_tab = fake.at_once(function(id, given)
    local window = found('window', id)
    local first = world.tabs[window.tabs[1]]
    local tab, pane = new_tab(window, check(given, {}), { cols = first.cols, rows = first.rows })
    return wrap_tab(tab.id), wrap_pane(pane.id), wrap_window(id)
  end),
  tabs = function(id)
    local list = {}
    for index, tab in ipairs(found('window', id).tabs) do
      list[index] = wrap_tab(tab)
    end
    return list
  end,
  tabs_with_info = function(id)
    local window, list = found('window', id), {}
    for index, tab in ipairs(window.tabs) do
      list[index] = { index = index - 1, is_active = tab == window.active, tab = wrap_tab(tab) }
    end
    return list
  end,
}

function wrap_pane(id)
  return object('MuxPane', id, PANE)
end
function wrap_tab(id)
  return object('MuxTab', id, TAB)
end
function wrap_window(id)
  return object('MuxWindow', id, WINDOW_METHODS)
end
function wrap_domain(name)
  return object('MuxDomain', 0, {
    name = function()
      return name
    end,
    state = function()
      return 'Attached'
    end,
    is_spawnable = function()
      return true
    end,
  })
end
fake.wrap_pane, fake.wrap_tab, fake.wrap_window = wrap_pane, wrap_tab, wrap_window

local module = strict('wezterm.mux', {
  all_windows = function()
    local list = {}
    for index, id in ipairs(world.order) do
      list[index] = wrap_window(id)
    end
    return list
  end,
  get_active_workspace = function()
    return world.workspace
  end,
  get_domain = function(name)
    return wrap_domain(name or 'local')
  end,
  get_pane = function(id)
    return wrap_pane(found('pane', id).id)
  end,
  get_tab = function(id)
    return wrap_tab(found('tab', id).id)
  end,
  get_window = function(id)
    return wrap_window(found('window', id).id)
  end,
  get_workspace_names = names,
  rename_workspace = function(old, new)
    for _, window in pairs(world.windows) do
      window.workspace = window.workspace == old and new or window.workspace
    end
    world.workspace = world.workspace == old and new or world.workspace
  end,
  set_active_workspace = function(name)
    for _, known in ipairs(names()) do
      if known == name then
        return behind.activate_workspace(name)
      end
    end
    error(('%q is not an existing workspace name'):format(name), 2)
  end,
  spawn_window = fake.at_once(function(given)
    given = check(given, WINDOW)
    assert(
      (given.width == nil) == (given.height == nil),
      'either both or neither of width and height'
    )
    local window, tab, pane = fake.new_window(given)
    return wrap_tab(tab.id), wrap_pane(pane.id), wrap_window(window.id)
  end),
})

local gui = fake.load_part 'fake_gui'(fake, actions, {
  copy = copy,
  activate_pane = behind.activate_pane,
  activate_workspace = behind.activate_workspace,
  id_of = id_of,
  layout = layout,
  new_tab = new_tab,
  object = object,
  places = places,
  shown_pane = behind.shown_pane,
})

return { module = module, gui = strict('wezterm.gui', gui) }
