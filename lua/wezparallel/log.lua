--- The plugin's log: WezTerm's own, silent unless the option `debug` is set. Warnings are always told, each once.
--- Above: everything. Below: WezTerm.
local wezterm = require 'wezterm'

local M = {}

---@type boolean
M.enabled = false

local told = {}

---Tell what goes on, if somebody wants to know.
---@param form string
---@param ... any
function M.debug(form, ...)
  if M.enabled then
    wezterm.log_info('wezparallel: ' .. form:format(...))
  end
end

---Tell what is wrong; the same sentence once until the next reload.
---@param form string
---@param ... any
function M.warn(form, ...)
  local text = form:format(...)
  if not told[text] then
    told[text] = true
    wezterm.log_warn('wezparallel: ' .. text)
  end
end

return M
