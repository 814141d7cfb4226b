--- What is shown without being asked: the status text, marks of tabs, toasts, and who is looked at.
---
--- It owns no slot unless an option says so; the texts are exported for those who build their own.
--- Above: init, pulse, keys, requests. Below: state, panes, options.
local wezterm = require 'wezterm'

local options = require 'wezparallel.options'
local panes = require 'wezparallel.panes'
local state = require 'wezparallel.state'

local M = {}

-- One meaning, one symbol, one colour. The number is what a tab of several panes shows first.
local MARKS = {
  waits = { symbol = '!', colour = 'Yellow', rank = 4 },
  failed = { symbol = '✗', colour = 'Red', rank = 3 },
  working = { symbol = '●', colour = 'Green', rank = 2 },
  finished = { symbol = '✓', colour = 'Green', rank = 1 },
}
local MEANING = {
  starting = 'working',
  running = 'working',
  ready = 'working',
  unhealthy = 'working',
  stopping = 'working',
  backoff = 'failed',
  failed = 'failed',
}

local function meaning_of(process)
  if process.waits then
    return 'waits'
  elseif process.state == 'exited' then
    return process.exit_code == 0 and 'finished' or 'failed'
  end
  return MEANING[process.state]
end

---Return seconds since 1970 of a moment in RFC 3339, as the snapshot has it (UTC).
---@param text string|nil
---@return integer|nil
function M.epoch(text)
  local year, month, day, hour, minute, second = (text or ''):match '^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)'
  if not year then
    return nil
  end
  year, month, day = math.tointeger(year), math.tointeger(month), math.tointeger(day)
  -- Days of the civil calendar, counted from March so that the leap day is the last of its year.
  local from_march = (month + 9) % 12
  local years = month <= 2 and year - 1 or year
  local days = 365 * years + years // 4 - years // 100 + years // 400 + (from_march * 306 + 5) // 10
  days = days + day - 1 - 719468
  return ((days * 24 + math.tointeger(hour)) * 60 + math.tointeger(minute)) * 60
    + math.tointeger(second)
end

---Return how long ago that was, in the shortest words.
---@param text string|nil
---@return string
function M.age(text)
  local moment = M.epoch(text)
  if not moment then
    return ''
  end
  local seconds = math.max(0, os.time() - moment)
  if seconds < 60 then
    return seconds .. 's'
  elseif seconds < 3600 then
    return seconds // 60 .. 'm'
  elseif seconds < 48 * 3600 then
    return seconds // 3600 .. 'h'
  end
  return seconds // 86400 .. 'd'
end

local function coloured(items, colour, text)
  items[#items + 1] = { Foreground = { AnsiColor = colour } }
  items[#items + 1] = { Text = text }
  items[#items + 1] = 'ResetAttributes'
end

local function is_ours(snapshot, name)
  for _, workspace in ipairs(snapshot.workspaces or {}) do
    if workspace.name == name then
      return true
    end
  end
  return false
end

---Return the status text: the workspace, what runs, what failed, who waits longest. Empty when nothing is there.
---@param snapshot Snapshot|nil else the one of now
---@return string
function M.text(snapshot)
  snapshot = snapshot or state.read()
  if not snapshot or not snapshot.counts then
    return ''
  end
  local items = {}
  local function gap()
    if items[1] then
      items[#items + 1] = { Text = '  ' }
    end
  end
  local name = panes.workspace()
  if is_ours(snapshot, name) then
    items[1] = { Text = name }
  end
  local running, failed = snapshot.counts.running or 0, snapshot.counts.failed or 0
  if running > 0 then
    gap()
    coloured(items, MARKS.working.colour, '● ' .. running)
  end
  if failed > 0 then
    gap()
    coloured(items, MARKS.failed.colour, '✗ ' .. failed)
  end
  local waiting = snapshot.waiting or {}
  if waiting[1] then
    gap()
    local more = #waiting > 1 and (' +%d'):format(#waiting - 1) or ''
    coloured(
      items,
      MARKS.waits.colour,
      ('! %s %s%s'):format(waiting[1].name, M.age(waiting[1].since), more)
    )
  end
  if not items[1] then
    return ''
  end
  items[#items + 1] = { Text = ' ' }
  return wezterm.format(items)
end

---Return the side that the status text is shown on, nil for none: the option, else `ui.show_process_status`.
---@param snapshot Snapshot|nil
---@return 'left'|'right'|nil
function M.side(snapshot)
  local status = options.current.status
  if status == nil then
    local ui = snapshot and snapshot.ui
    return ui and ui.show_process_status and 'right' or nil
  elseif status == true then
    return 'right'
  end
  return status or nil
end

---Put a text where the status is; nil: what belongs there, which is nothing unless an option says otherwise.
---@param window Window
---@param text string|nil
function M.put(window, text)
  local snapshot = state.read()
  local side = M.side(snapshot)
  if not text then
    text = side and M.text(snapshot) or ''
  end
  if side == 'left' then
    window:set_left_status(text)
  else
    window:set_right_status(text)
  end
end

-- Processes by what tells them in a pane; made anew for each snapshot.
local indexed, by_pane, by_id

local function index(snapshot)
  if indexed == snapshot then
    return
  end
  indexed, by_pane, by_id = snapshot, {}, {}
  local mux = panes.mux()
  local function take(processes)
    for _, process in ipairs(processes or {}) do
      by_id[process.id] = process
      for _, view in ipairs(process.views or {}) do
        if view.mux == mux and view.pane then
          by_pane[tostring(view.pane)] = process
        end
      end
    end
  end
  for _, workspace in ipairs(snapshot.workspaces or {}) do
    take(workspace.processes)
  end
  take(snapshot.loose)
end

---Return the process that a pane shows. No call of WezTerm: fields of what a sync event hands in.
---@param snapshot Snapshot
---@param pane_id integer
---@param user_vars table<string, string>|nil
---@return SnapshotProcess|nil
function M.process_in(snapshot, pane_id, user_vars)
  index(snapshot)
  local said = user_vars and user_vars[panes.USER_VARIABLE]
  return said and by_id[said] or by_pane[tostring(pane_id)]
end

local function mark_of(tab)
  local snapshot = state.read()
  local best
  for _, pane in ipairs(snapshot and tab.panes or {}) do
    local process = M.process_in(snapshot, pane.pane_id, pane.user_vars)
    local mark = process and MARKS[meaning_of(process)]
    if mark and (not best or mark.rank > best.rank) then
      best = mark
    end
  end
  return best
end

---Return the mark of a tab, as format-tab-title has it: `!`, `✗`, `●`, `✓`, or nothing.
---@param tab table TabInformation
---@return string
function M.tab_mark(tab)
  local mark = mark_of(tab)
  return mark and mark.symbol or ''
end

---Return the title of a tab with its mark, as WezTerm would write it; nil without a mark, so that WezTerm does.
---@param tab table TabInformation
---@param config table
---@return table[]|nil
function M.tab_title(tab, config)
  local mark = mark_of(tab)
  if not mark then
    return nil
  end
  local title = tab.tab_title ~= '' and tab.tab_title or tab.active_pane.title
  local space = config.use_fancy_tab_bar and '' or ' '
  local number = ''
  if config.show_tab_index_in_tab_bar then
    local first = config.tab_and_split_indices_are_zero_based and 0 or 1
    number = ('%d: '):format(tab.tab_index + first)
  end
  return {
    { Text = space .. number },
    { Foreground = { AnsiColor = mark.colour } },
    { Text = mark.symbol .. ' ' },
    { Foreground = 'Default' },
    { Text = title .. space },
  }
end

---Return which marks a window shows, as one string: where it changes, the tabs have to be drawn again.
---@param window Window
---@param snapshot Snapshot
---@return string
function M.marks(window, snapshot)
  local found = {}
  for _, tab in ipairs(window:mux_window():tabs()) do
    local best = 0
    for _, pane in ipairs(tab:panes()) do
      local process = M.process_in(snapshot, pane:pane_id(), pane:get_user_vars())
      local mark = process and MARKS[meaning_of(process)]
      best = math.max(best, mark and mark.rank or 0)
    end
    found[#found + 1] = best
  end
  return table.concat(found, ' ')
end

---Have WezTerm draw the tabs of a window again: it does so when a title changes.
---@param window Window
function M.redraw_tabs(window)
  local tab = window:active_tab()
  local title = tab:get_title()
  tab:set_title(title .. ' ')
  tab:set_title(title)
end

---Return the processes in the panes that somebody looks at: the focused pane of a focused window. Yields.
---@param snapshot Snapshot
---@return table<string, SnapshotProcess> by process id
function M.looked_at(snapshot)
  local found = {}
  for _, window in ipairs(panes.windows()) do
    if window:is_focused() then
      local pane = window:active_tab():active_pane()
      local process = pane and M.process_in(snapshot, pane:pane_id(), pane:get_user_vars())
      if process then
        found[process.id] = process
      end
    end
  end
  return found
end

---Show a toast, unless nobody wants any or it is about the pane that somebody looks at. Yields.
---@param window Window
---@param toast { title: string, body: string, process_id: string|nil }
function M.toast(window, toast)
  if not options.current.toasts then
    return
  end
  local snapshot = state.read()
  if toast.process_id and snapshot and M.looked_at(snapshot)[toast.process_id] then
    return
  end
  window:toast_notification(toast.title or 'wezparallel', toast.body or '', nil, 6000)
end

---Answer WezTerm's question whether closing a pane would lose something: of ours nothing is lost, unless the process
---stops with its pane. Else nil.
---@param info table process information of WezTerm
---@return false|nil
function M.is_stateful(info)
  local snapshot = state.read()
  local attach = snapshot and snapshot.attach
  local argv = attach and info.argv or {}
  for at, word in ipairs(argv) do
    if word == attach then
      index(snapshot)
      local process = by_id[argv[at + 1]]
      if process and process.on_close == 'stop' then
        return nil
      end
      return false
    end
  end
  return nil
end

return M
