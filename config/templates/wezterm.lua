-- A complete wezterm.lua with wezparallel in it. `wezparallel init --write` puts it into ~/.config/wezterm/wezterm.lua
-- where there is none; into one that is there it adds the two lines at the end.
local wezterm = require 'wezterm'
local config = wezterm.config_builder()

config.initial_cols = 160
config.initial_rows = 45
config.scrollback_lines = 10000
config.hide_tab_bar_if_only_one_tab = false

-- Keys of your own stay what they are: wezparallel takes one key unless told otherwise.
config.keys = {
  { key = 'z', mods = 'CTRL|SHIFT', action = wezterm.action.TogglePaneZoomState },
}

local wezparallel = require 'wezparallel'
wezparallel.setup(config, {
  -- The file that the daemon is started with, if it is not ~/.config/wezterm-parallel/config.yaml.
  -- config_path = wezterm.home_dir .. '/.config/wezterm-parallel/config.yaml',

  -- Start the daemon with the first window, not only when a key needs it.
  auto_start = true,

  -- The one key, and the key table behind it, whose hint stands on the screen.
  entry = { key = 'Space', mods = 'CTRL|ALT' },
  -- 'default' is that key alone; 'seed' adds Ctrl+Shift+N and others as well; false takes none, so that you bind
  -- `wezparallel.actions.*` yourself.
  keys = 'default',

  -- What is yours unless you give it away: the status at the right, marks in tab titles, WezTerm's own question
  -- before it closes a pane whose program goes on anyway.
  status = true,
  tab_marks = false,
  close_question = false,

  -- Tell on the desktop when a program that nobody looks at waits, or ended badly.
  toasts = true,

  -- Write what the plugin does into WezTerm's log.
  debug = false,
})

return config
