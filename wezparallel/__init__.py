"""wezparallel: workspaces of supervised panes for WezTerm, whose processes outlive everything around them."""
