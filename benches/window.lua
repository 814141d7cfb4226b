-- Measures inside the real window: a key of ours, the same by plain Lua, a call of the hub, a read of the snapshot.
local wezterm = require 'wezterm'
local wezparallel = require 'wezparallel'
local config = wezterm.config_builder()
wezparallel.setup(config, {})

local places = wezterm.json_parse(os.getenv 'BENCH_PLACES')

local function now()
  return tonumber(wezterm.time.now():format_utc '%s%.9f')
end

local function shown(workspace)
  local count, ready = 0, 0
  for _, window in ipairs(wezterm.mux.all_windows()) do
    if window:get_workspace() == workspace then
      for _, tab in ipairs(window:tabs()) do
        for _, pane in ipairs(tab:panes()) do
          count = count + 1
          if pane:get_lines_as_text():find('READY', 1, true) then
            ready = ready + 1
          end
        end
      end
    end
  end
  return count == 4 and ready == 4
end

local function until_shown(workspace, began)
  while not shown(workspace) do
    if now() > began + 20 then
      error('no four panes in ' .. workspace)
    end
    wezterm.sleep_ms(2)
  end
  return now() - began
end

-- What the same picture costs without us: three splits, then one bare interpreter.
local function plain(name, size)
  local began = now()
  local args = { '/bin/sh', '-c', 'echo READY; exec sleep 1000' }
  local _, first = wezterm.mux.spawn_window { workspace = name, args = args, width = size.cols, height = size.rows }
  local right = first:split { args = args, direction = 'Right', size = 0.5 }
  first:split { args = args, direction = 'Bottom', size = 0.5 }
  right:split { args = args, direction = 'Bottom', size = 0.5 }
  wezterm.run_child_process { places.python, '-I', '-S', '-c', 'pass' }
  return until_shown(name, began)
end

local function seconds_of(count, work)
  local taken = {}
  for i = 1, count do
    local began = now()
    work()
    taken[i] = now() - began
  end
  table.sort(taken)
  return taken[count // 2 + 1]
end

local round = 0
local function measure(window, pane)
  round = round + 1
  local size = window:active_tab():get_size()
  local result = { plain = plain('plain-' .. round, size) }
  local began = now()
  require('wezparallel.workspaces').open(window, pane, 'bench-' .. round)
  result.ours = until_shown('bench-' .. round, began)
  local client, state = require 'wezparallel.client', require 'wezparallel.state'
  result.bare = seconds_of(15, function()
    wezterm.run_child_process { places.python, '-I', '-S', '-c', 'pass' }
  end)
  result.call = seconds_of(15, function()
    client.call 'Ping'
  end)
  local reads = 200
  result.read = seconds_of(5, function()
    for _ = 1, reads do
      state.read()
    end
  end) / reads
  -- After each change the file is parsed anew.
  result.parsed = seconds_of(15, function()
    local snapshot_file = io.open(state.path(), 'rb')
    wezterm.json_parse(snapshot_file:read 'a')
    snapshot_file:close()
  end)
  local pulse = require 'wezparallel.pulse'
  result.handler = seconds_of(15, function()
    pulse.update(window)
  end)
  local file = io.open(places.out .. '.part', 'w')
  file:write(wezterm.json_encode(result))
  file:close()
  os.rename(places.out .. '.part', places.out .. '-' .. round)
end

config.keys = {
  {
    key = 'b',
    mods = 'CTRL|ALT',
    action = wezterm.action_callback(function(window, pane)
      local ok, fault = pcall(measure, window, pane)
      if not ok then
        local file = io.open(places.out .. '.fault', 'w')
        file:write(tostring(fault))
        file:close()
      end
    end),
  },
}
return config
