--- Lists to choose from, questions, and what is told to the person. Words come before colours.
---
--- Each of these is one of WezTerm's own overlays; what comes after the choice is a callback.
--- Above: workspaces, processes, init. Below: actions, panes.
local wezterm = require 'wezterm'

local actions = require 'wezparallel.actions'
local panes = require 'wezparallel.panes'

local M = {}

local act = wezterm.action

-- Folders and templates of other people have any name and any text: what would hide a part of it is a space.
local function plain(text)
  return (text:gsub('%c', ' '))
end

---Return text in a colour of the terminal's own palette, or dim without one.
---@param text string
---@param colour string|nil
---@return string
function M.paint(text, colour)
  local attribute = colour and { Foreground = { AnsiColor = colour } }
    or { Attribute = { Intensity = 'Half' } }
  return wezterm.format { attribute, { Text = plain(text) }, 'ResetAttributes' }
end

---Cut or fill text to a width in cells.
---@param text string
---@param width integer
---@return string
function M.fit(text, width)
  text = plain(text)
  if wezterm.column_width(text) > width then
    text = wezterm.truncate_right(text, width - 1) .. '…'
  end
  return wezterm.pad_right(text, width)
end

---Tell the person something that needs no answer.
---@param window Window|nil without one there is nobody to tell
---@param message string
function M.tell(window, message)
  if not window then
    wezterm.log_info('wezparallel: ' .. message)
    return
  end
  window:toast_notification('wezparallel', message, nil, 6000)
end

-- The pane of before the overlay. What a callback is given may be an overlay that is gone by then.
local function below(window, pane)
  return panes.by_id(pane:pane_id()) or window:active_tab():active_pane()
end

---@class Choice
---@field label string
---@field id string

---Let the person choose from a list. Nothing happens when they leave it.
---@param window Window
---@param pane Pane
---@param spec { title: string, description: string|nil, choices: Choice[], fuzzy: boolean|nil }
---@param chosen fun(window: Window, pane: Pane, id: string)
function M.pick(window, pane, spec, chosen)
  -- The overlay shows its description, the title is in the tab bar only.
  local description = spec.description or (spec.title .. ': Enter chooses, Esc leaves, / filters')
  local fields = {
    title = plain(spec.title),
    description = plain(description),
    fuzzy_description = plain((spec.description or spec.title) .. ': '),
    choices = spec.choices,
    fuzzy = spec.fuzzy or false,
    action = wezterm.action_callback(function(on, _, id, label)
      if id or label then
        chosen(on, below(on, pane), id)
      end
    end),
  }
  window:perform_action(act.InputSelector(fields), pane)
end

---Ask for a line of text. Nothing happens on Escape; an empty line is an answer.
---@param window Window
---@param pane Pane
---@param spec { description: string, initial: string|nil }
---@param answered fun(window: Window, pane: Pane, line: string)
function M.ask(window, pane, spec, answered)
  local fields = {
    description = spec.description,
    action = wezterm.action_callback(function(on, _, line)
      if line then
        answered(on, below(on, pane), line)
      end
    end),
  }
  if spec.initial then
    -- Stable WezTerm does not know the field and refuses it.
    local ok, action = pcall(act.PromptInputLine, {
      description = fields.description,
      action = fields.action,
      initial_value = spec.initial,
    })
    if ok then
      window:perform_action(action, pane)
      return
    end
    fields.description = ('%s (nothing: %s)'):format(spec.description, spec.initial)
  end
  window:perform_action(act.PromptInputLine(fields), pane)
end

local function knows(action)
  return wezterm.has_action ~= nil and wezterm.has_action(action)
end

---Ask before something that cannot be taken back. Without a yes nothing happens.
---@param window Window
---@param pane Pane
---@param message string a whole question
---@param yes string what is done then, as `Delete it`
---@param confirmed fun(window: Window, pane: Pane)
function M.confirm(window, pane, message, yes, confirmed)
  if knows 'Confirmation' then
    local action = act.Confirmation {
      message = message,
      action = wezterm.action_callback(function(on)
        confirmed(on, below(on, pane))
      end),
    }
    window:perform_action(action, pane)
    return
  end
  M.pick(window, pane, {
    title = message,
    description = message,
    choices = { { label = 'No', id = 'no' }, { label = yes, id = 'yes' } },
  }, function(on, at, id)
    if id == 'yes' then
      confirmed(on, at)
    end
  end)
end

---Show lines and ask about them; they are part of the list, so that all of them can be read.
---@param window Window
---@param pane Pane
---@param spec { title: string, yes: string, no: string, lines: string[] }
---@param confirmed fun(window: Window, pane: Pane)
function M.confirm_lines(window, pane, spec, confirmed)
  local choices = { { label = spec.no, id = 'no' }, { label = spec.yes, id = 'yes' } }
  for _, line in ipairs(spec.lines) do
    choices[#choices + 1] = { label = M.paint('  ' .. line, nil), id = 'no' }
  end
  M.pick(
    window,
    pane,
    { title = spec.title, description = spec.title, choices = choices },
    function(on, at, id)
      if id == 'yes' then
        confirmed(on, at)
      end
    end
  )
end

---Tell what went wrong. One line is a toast; more lines are shown in full, because they draw the place.
---@param window Window|nil
---@param pane Pane|nil
---@param failure Failure
function M.complain(window, pane, failure)
  local message = failure.message or failure.code or 'unknown'
  wezterm.log_warn(('wezparallel: %s (%s)'):format(message, failure.code or '?'))
  if not window or not pane then
    return
  elseif not message:find '\n' then
    M.tell(window, message)
    return
  end
  local choices = {}
  for line in message:gmatch '[^\n]*' do
    choices[#choices + 1] = { label = plain(line), id = '' }
  end
  M.pick(
    window,
    pane,
    { title = 'wezparallel', description = 'This did not work. Esc closes it.', choices = choices },
    function() end
  )
end

---Return what was answered; where nothing was, tell what went wrong.
---@generic T
---@param window Window|nil
---@param pane Pane|nil
---@param answer T|nil
---@param failure Failure|nil
---@return T|nil
function M.or_complain(window, pane, answer, failure)
  if not answer then
    M.complain(window, pane, failure)
  end
  return answer
end

---@class Entry
---@field name string of the action
---@field text string what it does, for menus and the palette
---@field icon string of the palette

---Everything that there is to do, in the order of the menu.
---@type Entry[]
M.ENTRIES = {
  { name = 'next_waiting', text = 'go to what waits for you longest', icon = 'md_bell_ring' },
  { name = 'switch_workspace', text = 'switch to a workspace', icon = 'md_swap_horizontal' },
  { name = 'create_workspace', text = 'create a workspace here', icon = 'md_plus_box_multiple' },
  { name = 'attach_process', text = 'go to a process, or show it here', icon = 'md_eye' },
  { name = 'show_dashboard', text = 'show or hide the dashboard', icon = 'md_view_dashboard' },
  { name = 'show_logs', text = 'show the log of a process', icon = 'md_text_box' },
  { name = 'restart_process', text = 'restart a process', icon = 'md_restart' },
  { name = 'kill_process', text = 'kill a process', icon = 'md_skull' },
  { name = 'type_all', text = 'type a line into all processes here', icon = 'md_keyboard_variant' },
  { name = 'sync_panes', text = 'type into all panes of this tab, or no longer', icon = 'md_sync' },
  { name = 'relayout', text = 'give the panes their sizes again', icon = 'md_view_quilt' },
  { name = 'restore', text = 'show all open workspaces again', icon = 'md_restore' },
  {
    name = 'close_views',
    text = 'close the panes of a workspace, stop nothing',
    icon = 'md_eye_off',
  },
  { name = 'delete_workspace', text = 'stop and forget a workspace', icon = 'md_delete' },
}

---Show everything that there is to do.
---@param window Window
---@param pane Pane
function M.menu(window, pane)
  local choices = {}
  for _, one in ipairs(M.ENTRIES) do
    choices[#choices + 1] = { label = one.text, id = one.name }
  end
  M.pick(window, pane, { title = 'wezparallel', choices = choices }, function(on, at, id)
    on:perform_action(actions.get(id), at)
  end)
end

local palette

---Return the entries of the command palette, always the same ones.
---@return table[]
function M.palette()
  if not palette then
    palette = {}
    for _, one in ipairs(M.ENTRIES) do
      palette[#palette + 1] = {
        brief = 'wezparallel: ' .. one.text,
        icon = one.icon,
        action = actions.get(one.name),
      }
    end
  end
  return palette
end

return M
