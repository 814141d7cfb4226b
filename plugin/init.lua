--- The door for `wezterm.plugin.require`: it hands out `lua/wezparallel` of the same checkout.
---
--- WezTerm has no debug library, and the folder of a plugin has a mangled name: so this file learns from its own
--- arguments where it is, as `require` gives them, else from WezTerm's list of plugins, by url.
local _, file = ...

local function from_list()
  local ok, list = pcall(require('wezterm').plugin.list)
  for _, plugin in ipairs(ok and list or {}) do
    if plugin.url:match 'wezparallel[^/]*$' or plugin.url:match 'wezterm%-parallel[^/]*$' then
      return plugin.plugin_dir
    end
  end
end

local root = type(file) == 'string' and file:match '^(.*)[/\\]plugin[/\\]init%.lua$' or from_list()
if not root then
  error('wezparallel does not know where it is; link lua/wezparallel into ~/.wezterm instead', 0)
end
local lua = root .. '/lua/'
if not package.path:find(lua, 1, true) then
  package.path = lua .. '?.lua;' .. lua .. '?/init.lua;' .. package.path
end

return require 'wezparallel'
