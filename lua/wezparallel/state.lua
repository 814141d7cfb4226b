--- Reads the snapshot file that the hub replaces whenever something changed. No process, no waiting, any context.
---
--- Readers get the table itself, the same one until the file says something else: nobody writes into it.
--- Above: everything that shows. Below: the file.
local wezterm = require 'wezterm'

local M = {}

---The one shape that this plugin understands.
M.FORMAT = 1

-- The hub writes a quarter of it at most. WezTerm stands still while a file is read, so no other is read to its end.
local MOST_BYTES = 1024 * 1024

local last_text ---@type string|nil
local last_snapshot ---@type Snapshot|nil
local last_reason ---@type string|nil

---Return where the hub writes it.
---@return string
function M.path()
  local base = os.getenv 'XDG_STATE_HOME'
  if not base or base:sub(1, 1) ~= '/' then
    base = wezterm.home_dir .. '/.local/state'
  end
  return base .. '/wezterm-parallel/gui.json'
end

local function parse(text)
  local ok, snapshot = pcall(wezterm.json_parse, text)
  if not ok or type(snapshot) ~= 'table' then
    return nil, 'broken'
  elseif snapshot.format ~= M.FORMAT then
    return nil, 'format'
  end
  return snapshot, nil
end

---Return the snapshot, or why there is none: no file, a format of another version, or no JSON.
---@return Snapshot|nil
---@return nil|'missing'|'format'|'broken'
function M.read()
  local file = io.open(M.path(), 'rb')
  if not file then
    return nil, 'missing'
  end
  local text = file:read(MOST_BYTES)
  file:close()
  if not text then
    return nil, 'missing'
  end
  if text ~= last_text then
    last_text = text
    last_snapshot, last_reason = parse(text)
  end
  return last_snapshot, last_reason
end

return M
