--- The door by which tests call Lua inside a running WezTerm: an exec domain whose callback runs a chunk.
--- `wezterm cli spawn --domain-name rpc -- FILE` brings it the call; the answer goes beside the file.
local wezterm = require 'wezterm'

local function answer(path)
  local file = assert(io.open(path))
  local call = wezterm.json_parse(file:read 'a')
  file:close()
  local ok, value = pcall(function()
    local chunk = assert(load(call.chunk, '=rpc'))
    return wezterm.json_encode { ok = true, value = chunk(table.unpack(call.args, 1, call.count)) }
  end)
  local out = assert(io.open(path .. '.tmp', 'w'))
  out:write(ok and value or wezterm.json_encode { ok = false, error = tostring(value) })
  out:close()
  os.rename(path .. '.tmp', path .. '.reply')
end

return {
  wezterm.exec_domain('rpc', function(command)
    answer(command.args[1])
    -- No program is to be started: an error keeps the domain from it.
    error 'answered'
  end),
}
