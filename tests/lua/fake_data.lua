--- Data that goes through values of WezTerm's own, and what is lost there: JSON, and `wezterm.GLOBAL`.
local fake, host = ...

-- JSON, with the traps: null vanishes, a table met twice is null the second time, arrays need [1].
local function encode(value, visited)
  local kind = type(value)
  if kind == 'nil' then
    return 'null'
  elseif kind == 'boolean' then
    return tostring(value)
  elseif kind == 'number' or kind == 'string' then
    if kind == 'string' and not utf8.len(value) then
      error 'invalid utf-8 sequence'
    end
    return host.json_scalar(value)
  elseif
    kind ~= 'table' or getmetatable(value) ~= nil and type(getmetatable(value)) == 'string'
  then
    error(('cannot convert %s to json'):format(kind))
  end
  if visited[value] then
    return 'null'
  end
  visited[value] = true
  local parts = {}
  if value[1] ~= nil then
    for index, item in ipairs(value) do
      parts[index] = encode(item, visited)
    end
    for key in pairs(value) do
      if math.type(key) ~= 'integer' or key < 1 or key > #parts then
        error(('Unexpected key %s for array style table'):format(tostring(key)))
      end
    end
    return '[' .. table.concat(parts, ',') .. ']'
  end
  for key, item in pairs(value) do
    if type(key) ~= 'string' then
      error('a key of an object must be a string, not ' .. type(key))
    end
    parts[#parts + 1] = host.json_scalar(key) .. ':' .. encode(item, visited)
  end
  table.sort(parts)
  return '{' .. table.concat(parts, ',') .. '}'
end

local function json_encode(value)
  return encode(value, {})
end

local function json_parse(text)
  if type(text) ~= 'string' then
    error('json_parse takes a string, not ' .. type(text), 2)
  end
  local value, fault = host.json_parse(text)
  if fault then
    error(fault, 2)
  end
  return value
end

-- GLOBAL: plain data only, outlives reloads; tables come back as proxies, which no `type(x) == 'table'` recognises
-- in the real one. Nested writes are refused: replace whole values.
local global_store = {}

local function plain(value, visited)
  local kind = type(value)
  if kind == 'function' or kind == 'thread' or kind == 'userdata' then
    error(('cannot store a %s in wezterm.GLOBAL'):format(kind))
  elseif kind ~= 'table' then
    return value
  elseif type(getmetatable(value)) == 'string' and getmetatable(value) ~= 'GLOBAL value' then
    error 'cannot store an object of wezterm in wezterm.GLOBAL'
  elseif visited[value] then
    return nil
  end
  visited[value] = true
  local copy = {}
  for key, item in pairs(value) do
    if type(key) ~= 'string' and value[1] == nil then
      error 'keys in wezterm.GLOBAL must be strings'
    end
    copy[key] = plain(item, visited)
  end
  return copy
end

local function proxy(value)
  if type(value) ~= 'table' then
    return value
  end
  return setmetatable({}, {
    __index = function(_, key)
      return proxy(value[key])
    end,
    __newindex = function()
      error('a value in wezterm.GLOBAL is replaced as a whole', 2)
    end,
    __len = function()
      return #value
    end,
    __pairs = function()
      return function(_, key)
        local following, item = next(value, key)
        return following, proxy(item)
      end
    end,
    __metatable = 'GLOBAL value',
  })
end

local GLOBAL = setmetatable({}, {
  __index = function(_, key)
    return proxy(global_store[key])
  end,
  __newindex = function(_, key, value)
    if type(key) ~= 'string' then
      error('keys of wezterm.GLOBAL are strings', 2)
    end
    global_store[key] = plain(value, {})
  end,
  __metatable = 'wezterm.GLOBAL',
})
fake.global = global_store

return { GLOBAL = GLOBAL, json_encode = json_encode, json_parse = json_parse }
