--- Key assignments and the strict configuration: what `wezterm.action` makes and what `config` takes.
local fake = ...

local UNIT = {}
for name in
  ([[SpawnWindow ToggleFullScreen ToggleAlwaysOnTop IncreaseFontSize DecreaseFontSize ResetFontSize
  ResetFontAndWindowSize ActivateLastTab Nop DisableDefaultAssignment Hide Show ReloadConfiguration ScrollToTop
  ScrollToBottom ShowTabNavigator ShowDebugOverlay HideApplication QuitApplication ShowLauncher ActivateCopyMode
  OpenLinkAtMouseCursor ClearSelection StartWindowDrag TogglePaneZoomState QuickSelect PopKeyTable ClearKeyTableStack
  ResetTerminal ActivateCommandPalette]]):gmatch '%S+'
do
  UNIT[name] = true
end

local ANY = {}
local COMMAND = {
  label = 'string',
  args = 'strings',
  cwd = 'string',
  set_environment_variables = 'table',
  domain = ANY,
  position = ANY,
}

--- Names whose argument is a table of fields: `true` as a second list entry marks what must be there.
local FIELDS = {
  ActivateKeyTable = {
    name = { 'string', true },
    timeout_milliseconds = 'number',
    replace_current = 'boolean',
    one_shot = 'boolean',
    until_unknown = 'boolean',
    prevent_fallback = 'boolean',
  },
  CharSelect = { copy_on_select = 'boolean', copy_to = 'string', group = 'string' },
  CloseCurrentPane = { confirm = { 'boolean', true } },
  CloseCurrentTab = { confirm = { 'boolean', true } },
  InputSelector = {
    action = { 'action', true },
    title = 'string',
    choices = { 'choices', true },
    fuzzy = 'boolean',
    alphabet = 'string',
    description = 'string',
    fuzzy_description = 'string',
  },
  PaneSelect = { alphabet = 'string', mode = 'string' },
  PromptInputLine = { action = { 'action', true }, description = 'string' },
  ShowLauncherArgs = { flags = { 'string', true }, title = 'string' },
  SpawnCommandInNewTab = COMMAND,
  SpawnCommandInNewWindow = COMMAND,
  SplitHorizontal = COMMAND,
  SplitVertical = COMMAND,
  SplitPane = {
    direction = { 'string', true },
    size = 'table',
    command = 'table',
    top_level = 'boolean',
  },
  SwitchToWorkspace = { name = 'string', spawn = 'table' },
}

local VALUE = {
  ActivatePaneByIndex = 'number',
  ActivatePaneDirection = 'string',
  ActivateTab = 'number',
  ActivateTabRelative = 'number',
  ActivateWindow = 'number',
  AttachDomain = 'string',
  ClearScrollback = 'string',
  CopyTo = 'string',
  EmitEvent = 'string',
  MoveTab = 'number',
  Multiple = 'table',
  OpenUri = 'string',
  PasteFrom = 'string',
  RotatePanes = 'string',
  ScrollByLine = 'number',
  ScrollByPage = 'number',
  Search = ANY,
  SendKey = 'table',
  SendString = 'string',
  SetPaneZoomState = 'boolean',
  SpawnTab = ANY,
  SwitchWorkspaceRelative = 'number',
  AdjustPaneSize = 'table',
}

if fake.flavour == 'nightly' then
  FIELDS.PromptInputLine.prompt = 'string'
  FIELDS.PromptInputLine.initial_value = 'string'
  FIELDS.ShowLauncherArgs.help_text = 'string'
  FIELDS.Confirmation =
    { action = { 'action', true }, cancel = 'action', message = { 'string', true } }
end

local check_action

local CHECKS = {
  action = function(value)
    check_action(value)
  end,
  strings = function(value)
    for _, word in ipairs(value) do
      assert(type(word) == 'string', 'every argument must be a string')
    end
  end,
  choices = function(value)
    for index, choice in ipairs(value) do
      assert(
        type(choice) == 'table' and type(choice.label) == 'string',
        'choice ' .. index .. ' has no label'
      )
      for key, item in pairs(choice) do
        assert(key == 'label' or key == 'id', ('unknown field %s in choice %d'):format(key, index))
        assert(type(item) == 'string', ('%s of choice %d must be a string'):format(key, index))
      end
    end
  end,
}

local function check_fields(name, fields, given)
  assert(type(given) == 'table', name .. ' takes a table')
  for key in pairs(given) do
    assert(fields[key], ('`%s` is not a valid %s field'):format(tostring(key), name))
  end
  for key, rule in pairs(fields) do
    local kind, required = rule, false
    if type(rule) == 'table' and rule ~= ANY then
      kind, required = rule[1], rule[2]
    end
    local value = given[key]
    assert(value ~= nil or not required, ('%s: missing field `%s`'):format(name, key))
    if value ~= nil and CHECKS[kind] then
      CHECKS[kind](value)
    elseif value ~= nil and kind ~= ANY then
      assert(
        type(value) == kind,
        ('%s.%s must be a %s, not a %s'):format(name, key, kind, type(value))
      )
    end
  end
end

function check_action(value)
  if type(value) == 'string' then
    assert(UNIT[value], ('`%s` is not a valid KeyAssignment'):format(value))
    return
  end
  assert(type(value) == 'table', 'an action is a string or a table, not a ' .. type(value))
  local name, given = next(value)
  assert(name and next(value, name) == nil, 'an action names one thing')
  if FIELDS[name] then
    check_fields(name, FIELDS[name], given)
  elseif VALUE[name] then
    assert(
      VALUE[name] == ANY or type(given) == VALUE[name],
      ('%s takes a %s'):format(name, tostring(VALUE[name]))
    )
    if name == 'Multiple' then
      for _, inner in ipairs(given) do
        check_action(inner)
      end
    end
  else
    error(('`%s` is not a valid KeyAssignment variant'):format(tostring(name)))
  end
end

local action = setmetatable({}, {
  __index = function(_, name)
    if UNIT[name] then
      return name
    elseif not FIELDS[name] and not VALUE[name] then
      error(('`%s` is not a valid KeyAssignment variant'):format(tostring(name)), 2)
    end
    return setmetatable({}, {
      __call = function(_, given, ...)
        if select('#', ...) > 0 then
          error(name .. ' takes one argument', 2)
        end
        local made = { [name] = given }
        check_action(made)
        return made
      end,
      __metatable = 'constructor of ' .. name,
    })
  end,
  __call = function(_, value)
    check_action(value)
    return value
  end,
  __newindex = function()
    error('wezterm.action cannot be changed', 2)
  end,
  __metatable = 'wezterm.action',
})

local MODS = {}
for word in ('SHIFT CTRL ALT SUPER CMD WIN OPT META LEADER NONE'):gmatch '%S+' do
  MODS[word] = true
end

local function check_key(entry)
  assert(type(entry) == 'table' and type(entry.key) == 'string', 'a key has a `key`')
  for field in pairs(entry) do
    assert(
      field == 'key' or field == 'mods' or field == 'action',
      ('`%s` is not a valid Key field'):format(field)
    )
  end
  for word in (entry.mods or ''):gmatch '[^|]+' do
    assert(MODS[word:match '^%s*(.-)%s*$'], 'invalid modifier name ' .. word)
  end
  assert(#entry.key > 0, 'a key has a name')
  check_action(entry.action)
end

local function each(check)
  return function(list)
    assert(type(list) == 'table', 'a list is needed')
    for key, item in pairs(list) do
      assert(math.type(key) == 'integer', 'a list is needed')
      check(item)
    end
  end
end

local check_keys = each(check_key)

local OPTIONS = {
  keys = check_keys,
  key_tables = function(tables)
    for name, keys in pairs(tables) do
      assert(type(name) == 'string', 'a key table has a name')
      check_keys(keys)
    end
  end,
  leader = function(leader)
    assert(type(leader.key) == 'string', 'a leader has a key')
  end,
  status_update_interval = function(value)
    assert(math.type(value) == 'integer', 'status_update_interval is an integer')
  end,
}
for name in
  ([[automatically_reload_config check_for_updates color_scheme colors command_palette_rows default_cwd default_domain
  default_gui_startup_args default_mux_server_domain default_prog default_workspace disable_default_key_bindings
  enable_kitty_keyboard enable_scroll_bar enable_tab_bar enable_wayland exec_domains exit_behavior font font_size
  front_end hide_tab_bar_if_only_one_tab inactive_pane_hsb initial_cols initial_rows launch_menu mouse_bindings
  mux_env_remove notification_handling quit_when_all_windows_are_closed scrollback_lines set_environment_variables
  show_new_tab_button_in_tab_bar skip_close_confirmation_for_processes_named ssh_domains tab_bar_at_bottom
  tab_max_width term tls_clients tls_servers unix_domains use_fancy_tab_bar use_ime window_close_confirmation
  window_decorations window_frame window_padding]]):gmatch '%S+'
do
  OPTIONS[name] = OPTIONS[name] or true
end

local function check_option(key, value)
  local check = OPTIONS[key]
  assert(check, ('`%s` is not a valid Config field'):format(tostring(key)))
  if check ~= true and value ~= nil then
    check(value)
  end
end

--- A table that checks each value as it is set; `check_config` checks again what was added to it in place.
local function config_builder()
  return setmetatable({}, {
    __index = function(_, key)
      if key == 'set_strict_mode' then
        return function() end
      end
      return nil
    end,
    __newindex = function(config, key, value)
      local ok, fault = pcall(check_option, key, value)
      if not ok then
        error('Config: ' .. tostring(fault), 2)
      end
      rawset(config, key, value)
    end,
  })
end

function fake.check_config(config)
  for key, value in pairs(config) do
    check_option(key, value)
  end
end

return {
  action = action,
  check_action = check_action,
  check_option = check_option,
  config_builder = config_builder,
  has_action = function(name)
    return (UNIT[name] or FIELDS[name] or VALUE[name]) ~= nil
  end,
}
