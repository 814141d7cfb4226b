--- The door for `wezterm.plugin.require`: it hands out `lua/wezparallel` beside it.
local here = debug.getinfo(1, 'S').source:sub(2):match '^(.*)/plugin/[^/]*$' or '.'
package.path = here .. '/lua/?.lua;' .. here .. '/lua/?/init.lua;' .. package.path

return require 'wezparallel'
