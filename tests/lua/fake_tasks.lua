--- What runs when: tasks, the handlers of events, and virtual time, in which nothing happens by itself.
local fake = ...
local unpack, pack = table.unpack, table.pack
local debug_traceback = debug.traceback

fake.errors, fake.timers, fake.handlers = {}, {}, {}
fake.now, fake.generation = 0, 0

-- Tasks: a handler runs in a coroutine of its own; an async function hands its work to `drain` and waits there.
local ready = {}

function fake.later(work)
  ready[#ready + 1] = work
end

local function step(task, ...)
  local results = pack(coroutine.resume(task.thread, ...))
  if not results[1] then
    local message = ('%s: %s'):format(task.name, debug_traceback(task.thread, tostring(results[2])))
    fake.errors[#fake.errors + 1] = message
    return task.done and task.done(false, results[2])
  end
  if coroutine.status(task.thread) == 'dead' then
    return task.done and task.done(true, unpack(results, 2, results.n))
  end
  local work = results[2]
  if type(work) ~= 'function' then
    error(task.name .. ' yielded something that is not an async call of wezterm')
  end
  fake.later(function()
    work(function(...)
      local answer = pack(...)
      fake.later(function()
        step(task, unpack(answer, 1, answer.n))
      end)
    end)
  end)
end

--- Run `fn(...)` as a task; `done(ok, ...)` is told how it ended.
function fake.spawn(name, done, fn, ...)
  local task = { name = name, done = done, thread = coroutine.create(fn) }
  local args = pack(...)
  fake.later(function()
    step(task, unpack(args, 1, args.n))
  end)
end

function fake.drain()
  local turns = 0
  while ready[1] do
    turns = turns + 1
    if turns > 100000 then
      error 'the handlers never come to rest'
    end
    table.remove(ready, 1)()
  end
end

--- An async function: `start(resume, ...)` calls `resume(true, results…)` or `resume(false, message)` once, some time.
local function async(start)
  return function(...)
    local args = pack(...)
    local answer = pack(coroutine.yield(function(resume)
      local ok, message = pcall(start, resume, unpack(args, 1, args.n))
      if not ok then
        resume(false, message)
      end
    end))
    if not answer[1] then
      error(answer[2], 2)
    end
    return unpack(answer, 2, answer.n)
  end
end
local function at_once(fn)
  return async(function(resume, ...)
    resume(true, fn(...))
  end)
end
-- Events.
local SYNC_ONLY = {
  ['format-tab-title'] = true,
  ['format-window-title'] = true,
  ['augment-command-palette'] = true,
  ['mux-is-process-stateful'] = true,
}

local function on(name, handler)
  if type(name) ~= 'string' or type(handler) ~= 'function' then
    error('wezterm.on takes a name and a function', 2)
  end
  fake.handlers[name] = fake.handlers[name] or {}
  table.insert(fake.handlers[name], handler)
end

--- All handlers in order, each awaited; `false` ends the chain, and so does an error. Runs inside a task.
local function run_chain(name, ...)
  for _, handler in ipairs(fake.handlers[name] or {}) do
    if handler(...) == false then
      return false
    end
  end
  return true
end

function fake.emit(name, ...)
  if SYNC_ONLY[name] then
    error(name .. ' is a sync event: emit_sync')
  end
  fake.spawn(name, nil, run_chain, name, ...)
end

--- As for a window: one runs, one waits, what comes beyond that is dropped.
function fake.emit_window(slot, name, ...)
  local state = slot.events[name]
  if state then
    slot.events[name] = 'queued'
    return
  end
  slot.events[name] = 'running'
  local args = pack(...)
  fake.spawn(name, function()
    local queued = slot.events[name] == 'queued'
    slot.events[name] = nil
    if queued then
      fake.emit_window(slot, name, unpack(args, 1, args.n))
    end
  end, run_chain, name, ...)
end

--- The first handler alone, outside every coroutine, as for format-tab-title.
function fake.emit_sync(name, ...)
  if not SYNC_ONLY[name] then
    error(name .. ' is no sync event')
  end
  local first = (fake.handlers[name] or {})[1]
  return first and first(...)
end

-- Time.
local function call_after(seconds, fn)
  if type(seconds) ~= 'number' or type(fn) ~= 'function' then
    error('call_after takes seconds and a function', 2)
  end
  table.insert(fake.timers, { at = fake.now + seconds, fn = fn, generation = fake.generation })
end

local function due_before(limit)
  local chosen
  for index, timer in ipairs(fake.timers) do
    if timer.at <= limit and (not chosen or timer.at < fake.timers[chosen].at) then
      chosen = index
    end
  end
  return chosen and table.remove(fake.timers, chosen)
end

--- Let `seconds` of virtual time pass: timers and, in GUI windows, the status tick.
function fake.advance(seconds)
  local goal = fake.now + seconds
  fake.drain()
  while true do
    local timer = due_before(goal)
    if not timer then
      break
    end
    fake.now = math.max(fake.now, timer.at)
    if timer.resume then
      timer.resume()
    elseif timer.generation == fake.generation then
      fake.spawn('call_after', nil, timer.fn)
    end
    fake.drain()
  end
  fake.now = goal
end

function fake.wake_at(at, resume)
  table.insert(fake.timers, { at = at, resume = resume })
end

local function sleep_ms(resume, ms)
  fake.wake_at(fake.now + ms / 1000, function()
    resume(true)
  end)
end

--- What a reload takes away. Globals cannot be made at all, so handlers and loaded modules are what there is.
function fake.forget_state()
  fake.handlers = {}
  fake.generation = fake.generation + 1
end

fake.async, fake.at_once, fake.run_chain = async, at_once, run_chain
return { call_after = call_after, on = on, sleep_ms = sleep_ms }
