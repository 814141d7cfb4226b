--- The hint of the open key table: which keys there are now, in the place of the status.
---
--- Without a table, or a tab bar in which a hint is seen, the menu opens instead.
--- Above: init, actions, pulse. Below: keys, menus, status.
local wezterm = require 'wezterm'

local actions = require 'wezparallel.actions'
local keys = require 'wezparallel.keys'
local menus = require 'wezparallel.menus'
local status = require 'wezparallel.status'

local M = {}

local TAB = 16 -- columns that a tab takes of the bar; of a status that is too long WezTerm shows the end
local LEAST = 20
local HASTE_MS = 250 -- who knows the keys by heart is faster, and needs no menu

local hinted = {} -- by window: the hint that it shows

---Return the hint in a number of columns: pairs of key and word, and always how to see all.
---@param columns integer
---@return string
function M.text(columns)
  local last = '? all '
  local text, width = '', #last
  for _, pair in ipairs(keys.TABLE_KEYS) do
    local part = pair[1] .. ' ' .. actions.ALL[pair[2]].word .. '  '
    if width + #part > columns then
      break
    end
    text, width = text .. part, width + #part
  end
  return text .. last
end

local function show(window)
  local columns = window:active_tab():get_size().cols - TAB * #window:mux_window():tabs()
  local text = M.text(math.max(LEAST, columns))
  hinted[window:window_id()] = text
  status.put(window, text)
end

---Open the key table with its hint. Without a table, or a tab bar where a hint is seen, the menu opens instead.
---@param window Window
---@param pane Pane
function M.enter(window, pane)
  if not keys.can_open() or not keys.has_tab_bar(window) then
    menus.menu(window, pane)
    return
  end
  window:perform_action(keys.open_table(), pane)
  show(window)
end

---The entry key has opened the key table: show its hint, or in its place the menu. Yields.
---@param window Window
---@param pane Pane
function M.opened(window, pane)
  if window:active_key_table() ~= keys.TABLE then
    return -- the next key was faster
  elseif keys.has_tab_bar(window) then
    show(window)
    return
  end
  wezterm.sleep_ms(HASTE_MS)
  if window:active_key_table() == keys.TABLE then
    window:perform_action(wezterm.action.PopKeyTable, pane)
    menus.menu(window, pane)
  end
end

---Take the hint away.
---@param window Window
function M.close(window)
  if hinted[window:window_id()] then
    hinted[window:window_id()] = nil
    status.put(window, nil)
  end
end

---Take the hint away where the key table is closed by now, else show it again. Yields.
---@param window Window
---@return boolean shown it is still there
function M.check(window)
  local text = hinted[window:window_id()]
  if not text then
    return false
  elseif window:active_key_table() == keys.TABLE then
    status.put(window, text)
    return true
  end
  M.close(window)
  return false
end

return M
