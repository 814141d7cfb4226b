--- wezparallel for WezTerm. The actions come with WezTerm support; until then this says which version is installed.
local M = {}

M.version = '0.1.0'

return M
