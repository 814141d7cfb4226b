-- ~/.config/wezterm/wezterm.lua
local wezterm = require 'wezterm'
local multi_dev = require 'multi_dev_framework'

local config = wezterm.config_builder()

-- Multi-dev framework integration
multi_dev.setup(config, {
  config_path = wezterm.home_dir .. '/.config/wezterm-parallel/config.yaml',
  auto_start = true,
  debug = false
})

-- Custom keybindings
config.keys = {
  -- Framework specific keys
  { key = 'n', mods = 'CTRL|SHIFT', action = multi_dev.actions.create_workspace },
  { key = 'w', mods = 'CTRL|SHIFT', action = multi_dev.actions.switch_workspace },
  { key = 'd', mods = 'CTRL|SHIFT', action = multi_dev.actions.show_dashboard },
  
  -- Standard WezTerm keys
  { key = 'c', mods = 'CTRL|SHIFT', action = wezterm.action.CopyTo 'Clipboard' },
  { key = 'v', mods = 'CTRL|SHIFT', action = wezterm.action.PasteFrom 'Clipboard' },
}

return config
