--- The name under which seed 002's `wezterm.lua` asks for wezparallel.
return require 'wezparallel'
