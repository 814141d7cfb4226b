--- Makes single panes by mux calls, each with the program that shows its process, and undoes what was made.
---
--- Above: layout, relayout. Below: panes, client.
local wezterm = require 'wezterm'

local client = require 'wezparallel.client'
local panes = require 'wezparallel.panes'

local M = {}

-- The hub is on this machine. The domain that has the focus, or is the default, may be a container or far away.
local LOCAL = { DomainName = 'local' }

-- Raise a failure; `caught` gets it back.
function M.fail(code, message)
  error({ code = code, message = message }, 0)
end

-- Return a failure from whatever pcall caught: one of ours, or an error of WezTerm with its trace below it.
function M.caught(problem)
  if type(problem) == 'table' and problem.code then
    return problem
  end
  local first = tostring(problem):match '[^\n]+' or 'unknown'
  return { code = 'layout.failed', message = 'WezTerm could not make the panes: ' .. first }
end

---Return the command line of the program that shows a process.
---@param process_id string
---@param direct boolean|nil it runs in the pane itself, held by nobody
---@param snapshot table|nil
---@return string[]|nil
function M.attach_args(process_id, direct, snapshot)
  snapshot = snapshot or client.snapshot()
  if not snapshot then
    return nil
  end
  if direct then
    return { snapshot.python, '-I', '-S', snapshot.direct, process_id }
  end
  return {
    snapshot.python,
    '-I',
    '-S',
    snapshot.attach,
    process_id,
    '--socket',
    snapshot.keeper_socket,
  }
end

-- What every spawn of ours needs: without explicit `args` WezTerm drops environment and folder.
function M.command(args, snapshot, cwd, domain)
  return {
    args = args,
    set_environment_variables = snapshot.env or {},
    cwd = cwd,
    domain = domain or LOCAL,
  }
end

---Run `wezterm cli` against this very WezTerm, whose socket is in the environment that it gives its children. It
---yields, so WezTerm can answer.
---@param ... string
---@return boolean ok
---@return string output what it said; on failure its complaint
function M.cli(...)
  local args = { wezterm.executable_dir .. '/wezterm', 'cli', '--no-auto-start', ... }
  local ok, output, complaint = client.run(args)
  return ok, ok and output or complaint
end

---End panes that show no process of ours, one after the other.
---@param ids (integer|string)[]
function M.kill(ids)
  for _, id in ipairs(ids) do
    if panes.by_id(id) then
      M.cli('kill-pane', '--pane-id', tostring(id))
    end
  end
end

---Close views. The hub is told first: a pane that just goes away was closed by the person, and some processes end then.
---@param views { pane: integer, process_id: string }[]
function M.close(views)
  for _, view in ipairs(views) do
    if panes.by_id(view.pane) then
      local fields = { process = view.process_id, pane = tostring(view.pane), mux = panes.mux() }
      client.call { ViewClose = fields }
      M.kill { view.pane }
    end
  end
end

-- A split without room has started its program before it fails: a pane in no tab, which `cli list` does not show.
local function strays(after)
  local found = {}
  for id = after + 1, after + 4 do
    local pane = panes.by_id(id)
    if pane then
      local ok, tab = pcall(pane.tab, pane)
      if ok and not tab then
        found[#found + 1] = id
      end
    end
  end
  return found
end

---@class Build
---@field snapshot table
---@field made { pane: Pane, process_id: string }[] in order
---@field panes table<string, Pane> by process id
---@field tabs MuxTab[]
---@field window MuxWindow|nil
---@field focus Pane|nil
---@field first Pane|nil focused pane of the first tab

-- Make one pane by `how` and remember what it shows.
function M.add(build, planned, how, cwd, domain)
  local args = M.attach_args(planned.process_id, planned.direct, build.snapshot)
  local pane, tab, window = how(M.command(args, build.snapshot, cwd, domain))
  build.made[#build.made + 1] = { pane = pane, process_id = planned.process_id }
  build.panes[planned.process_id] = pane
  return pane, tab, window
end

function M.make_window(workspace, size)
  return function(fields)
    fields.workspace = workspace
    if size then
      fields.width, fields.height = size.cols, size.rows
    end
    local tab, pane, window = wezterm.mux.spawn_window(fields)
    return pane, tab, window
  end
end

function M.make_tab(window)
  return function(fields)
    local tab, pane = window:spawn_tab(fields)
    return pane, tab, window
  end
end

function M.make_split(of, direction, cells)
  return function(fields)
    fields.direction, fields.size = direction, cells
    return of:split(fields)
  end
end

local function finish(build)
  local made = {}
  for _, one in ipairs(build.made) do
    made[one.pane:pane_id()] = one.process_id
  end
  panes.remember(made)
end

local function undo(build)
  local views = {}
  for index, one in ipairs(build.made) do
    views[index] = { pane = one.pane:pane_id(), process_id = one.process_id }
  end
  if #views > 0 then
    M.kill(strays(views[#views].pane))
  end
  M.close(views)
end

-- Do `work` on a fresh build; undo it if it fails.
function M.guarded(work)
  local snapshot, failure = client.snapshot()
  if not snapshot then
    return nil, failure
  end
  local build = { snapshot = snapshot, made = {}, panes = {}, tabs = {} }
  local ok, problem = pcall(work, build)
  if ok then
    finish(build)
    return build
  end
  undo(build)
  return nil, M.caught(problem)
end

return M
