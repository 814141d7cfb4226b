--- Made by scripts/gen; edit the code instead. What can be asked of the hub, for `client.call` and for editors.
--- Above: client. Below: nothing.
local M = {}

---List the alerts that hold now.
---@class AlertList

---Send a test through a channel, or through those of a rule; answers when each has been tried.
---@class AlertTest
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string A rule's or a channel's name.

---Read a configuration without using it: a text, a file, or the one that would be read.
---@class ConfigCheck
---@field source string|nil The text itself.
---@field path string|nil An absolute path; names the text, if given.
---@field format 'yaml'|'toml'|nil Else the path's end tells.

---Show every option, its value and where that came from.
---@class ConfigGet

---Read the configuration again. With an error nothing changes.
---@class ConfigReload
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.

---Have the keeper become another program, in place; its hub follows. Answered by the new hub.
---@class DaemonUpgrade
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field argv string[] The new keeper's command line; it must load first.

---Return every command, reply and event as JSON Schema.
---@class Describe
---@field command string|nil Only this one.

---Tell the environment that a process's next run would get. An agent may ask for its own
---workspace's.
---@class EnvironmentGet
---@field process string
---@field show_secrets boolean|nil Also the values whose names say that they are secret.

---List the runs of processes that are known, the latest first: how they ended, and the most that
---each used.
---@class HistoryList
---@field process string|nil Only this one's.
---@field workspace string|nil Only those of this one's processes.
---Only runs that were there then or came later: RFC 3339, or an age as 90s, 2h.
---@field since string|nil
---@field failed boolean|nil Only those that ended badly, without anybody's wish.
---@field after string|nil `next` of the page before.
---@field limit integer|nil Runs in this reply.

---Make a recording of one run, page by page. It holds what was written before the first page was
---asked for.
---@class LogExport
---@field process string
---@field run string|nil Id of the run; null is the latest.
---@field format 'asciicast'|nil asciicast is version 2 of that format.
---@field cursor string|nil `next` of the page before.

---Read a log, at most 256 KiB a reply. With `lines` the last lines; else from `offset` or `since`;
---to `until`.
---@class LogRead
---@field process string
---@field offset integer|nil
---@field lines integer|nil
---@field since string|nil RFC 3339, or an age as 90s, 10m, 2h, 1d.
---@field until string|nil As `since`; nothing younger, `lines` count back from it.
---@field stream 'stdout'|'stderr'|'tty'|nil
---@field max_bytes integer|nil

---Tell how the machine and the daemon are, in eight figures.
---@class MetricGet

---Return figures of the past: by the minute for a day, by the quarter of an hour for 30 days.
---@class MetricHistory
---@field process string|nil Whose whole tree; without it the machine.
---@field since string|nil RFC 3339, or an age as 90s, 10m, 2h, 1d.
---@field until string|nil As `since`; nothing younger.
---@field limit integer|nil Points in this reply.

---Show a notification where somebody is: as a toast of WezTerm, else in the terminal that was come
---to last.
---@class NotificationDisplay
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field title string
---@field body string
---@field process string|nil What it is about; who looks at it sees it.
---@field kind string|nil Of which kind of news it is.

---Return rules and channels, secrets too; only the daemon's own `notifications` process is
---answered.
---@class NotificationGet

---Tell what became of a notification.
---@class NotificationReport
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field channel string
---@field rule string|nil
---@field kind string|nil
---@field title string|nil
---@field body string|nil
---@field reason string|nil Why it did not arrive; null: it did.
---@field tries integer|nil
---@field test_id string|nil It was a test.

---Ask whether the hub answers.
---@class Ping
---@field mux string|nil Socket of the person's WezTerm whose plugin asks: it is there.

---Add a process, and start it unless `auto_start` is false.
---@class ProcessAdd
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field id string `workspace/name`, or a bare name.
---@field command string|nil One executable; arguments go into `args`.
---@field args string[]|nil
---In the place of `command`: a definition of `process_templates`; other fields go over it.
---@field template string|nil
---@field variables table<string, string>|nil Values for the definition's `${NAME}`.
---@field env table<string, string>|nil
---@field cwd string|nil Absolute; the workspace's root, else the home folder.
---@field auto_start_on_restore boolean|nil Comes back after a reboot.
---@field auto_start boolean|nil
---@field tty boolean|nil On a terminal; else on pipes, stdout and stderr apart.
---@field restart 'always'|'on_failure'|'never'|nil
---@field backoff_s number|nil First delay before a restart; doubles.
---@field stop StopRules|nil
---@field agent string|nil
---@field log 'disk'|'memory'|'off'|nil Where output goes; but `disk`, a ring of 1 MB.
---@field log_cap_bytes integer|nil
---Names in its workspace, and what of each.
---@field depends_on table<string, 'started'|'ready'|'exited_ok'>|nil
---@field ready Probe|nil It counts as ready once this passes.
---@field health Probe|nil Looked at while it runs; failing, it is restarted.
---@field give_up GiveUp|nil
---@field limits Limits|nil
---@field watch string[]|nil Globs below its folder; a change restarts it, unless it is an agent.
---@field on_close 'keep'|'stop'|'ask'|nil When its pane is closed by hand.
---@field isolate boolean|nil Only an allow-list of the environment.
---@field root string|nil Makes the workspace with this root if there is none.
---@field unique boolean|nil A taken name becomes `name-2`.
---@field reuse boolean|nil Take a spare where one fits; it keeps its id. Null: if `unique` is set.
---@field environment table<string, string>|nil The caller's environment; kept in memory only.
---Of a caller who goes there at once: it begins in this size and TERM. Kept in memory only.
---@field terminal Terminal|nil

---Tell all about one process.
---@class ProcessGet
---@field process string

---SIGKILL a process and everything below it.
---@class ProcessKill
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string
---@field run_id string|nil

---List processes.
---@class ProcessList
---@field workspace string|nil
---@field after string|nil
---@field limit integer|nil

---Have a process ask for a look, with a text; without one, take that back.
---@class ProcessNotify
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string
---@field text string|nil One line; empty takes it back.

---Tell that a `direct` process runs in a pane, or how that run ended.
---@class ProcessObserve
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string
---@field run_id string Made by who starts it, new for each run.
---@field pid integer|nil Of the program: it runs. Null: it has ended.
---@field pane string|nil WezTerm's pane that it runs in.
---@field mux string|nil Socket of the WezTerm that has the pane.
---@field exit_code integer|nil
---@field signal integer|nil

---Tell what the next run of a `direct` process is started with. Refused while one runs.
---@class ProcessPrepare
---@field process string

---Stop a process and forget it, with its log.
---@class ProcessRemove
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string

---Stop a process if it runs, and start it again.
---@class ProcessRestart
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string
---@field wait 'spawned'|'ready'|nil Answer when it was spawned, or only when it is ready.
---In the place of the environment that it has; kept in memory only. Else it stays.
---@field environment table<string, string>|nil

---Let a suspended process and everything below it go on.
---@class ProcessResume
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string

---Draw the screen of a process's latest run. One on pipes is drawn as a terminal of 24 by 80 would
---show it.
---@class ProcessScreen
---@field process string
---@field format 'text'|'ansi'|'json'|'svg'|nil text, ansi (with colours), json or svg.
---`offset` of the picture that is known: without anything new none is drawn.
---@field seen integer|nil

---Start a process that does not run. Answers at once if it runs already.
---@class ProcessStart
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string
---@field wait 'spawned'|'ready'|nil Answer when it was spawned, or only when it is ready.
---In the place of the environment that it has; kept in memory only. Else it stays.
---@field environment table<string, string>|nil

---Stop a process and everything below it; answers when nothing of it is left.
---@class ProcessStop
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string
---@field run_id string|nil Only if this is still the run.
---@field grace_s number|nil

---Suspend a process and everything below it (SIGSTOP); answers when all of it stands still.
---@class ProcessSuspend
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string

---Type into a process, as a person would.
---@class ProcessType
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string
---@field text string
---@field enter boolean|nil Press Enter after it.
---@field encoding 'utf-8'|'base64'|nil How `text` carries bytes.

---Type the same into several processes. One that does not run keeps it from no other.
---@class ProcessTypeMany
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field processes string[]
---@field text string
---@field enter boolean|nil Press Enter after it.
---@field encoding 'utf-8'|'base64'|nil How `text` carries bytes.

---Wait until a process is ready, has exited, or has written a line; what is so already counts.
---`exited` is about the run that there is when it is asked for, or that is to come.
---@class ProcessWait
---@field process string
---@field for 'ready'|'exited'|'output'|nil What to wait for.
---@field regex string|nil Searched in each line of its run's output.
---@field timeout_s number|nil Seconds to wait at most.

---End the hub; with `children` stop every process first.
---@class Shutdown
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field children boolean|nil

---Tell what has changed since a snapshot, or between two.
---@class SnapshotDiff
---@field snapshot string|nil Its id; else the newest that differs from now.
---@field to string|nil The later one; else what there is now.

---Write a snapshot now, and tell it. Secrets are left out, and environments never in it.
---@class SnapshotExport
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.

---Add and change what a snapshot says, or an edited `workspaces.json`; nothing that runs is
---stopped.
---@class SnapshotImport
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field source string|nil A snapshot's text itself.
---@field path string|nil Absolute path of a file with one.
---@field prune boolean|nil Forget what it has not, with its logs, unless it runs.
---@field dry_run boolean|nil Only tell what would change.
---@field environment table<string, string>|nil The caller's environment; kept in memory only.

---List the snapshots that are kept.
---@class SnapshotList
---@field limit integer|nil

---Go back to a snapshot: add, change, and forget what it has not; nothing that runs is stopped.
---@class SnapshotRollback
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field snapshot string|nil Its id; else the newest that differs from now.
---@field dry_run boolean|nil Only tell what would change.
---@field environment table<string, string>|nil The caller's environment; kept in memory only.

---Tell what runs, in numbers.
---@class Status

---Get events from now on, or from `since`. Keeps the connection open.
---@class Subscribe
---@field events string[]|nil Names, or `noun.*`, or `*`.
---@field since integer|nil Events after this `seq`.
---@field epoch string|nil The epoch that `since` belongs to.

---Compile YAML without opening it; an error says file, line and column.
---@class TemplateCheck
---@field source string
---@field root string|nil
---@field variables table<string, string>|nil Values for its `${NAME}`.
---@field environment table<string, string>|nil The caller's, to look further in; kept nowhere.

---Write a new template into the user's folder. Only people may.
---@class TemplateCreate
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string A word; the file is NAME.yaml.
---@field source string Its YAML, which has to compile.
---@field kind 'workspace'|'process'|nil What it is a template of; null: what its text says.

---Delete one of the user's templates. Only people may.
---@class TemplateDelete
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string A word; the file is NAME.yaml.
---@field kind 'workspace'|'process'|nil What it is a template of; null: what its text says.

---Compile a template and show it; without `name` the one that `up` would open in `root`.
---@class TemplateGet
---@field name string|nil
---@field kind 'workspace'|'process'|nil Null: a workspace's, else a process's.
---@field root string|nil
---@field variables table<string, string>|nil Values for its `${NAME}` and `{{name}}`.
---@field environment table<string, string>|nil The caller's, to look further in; kept nowhere.

---List the templates of workspaces, or of processes, that can be used in a folder.
---@class TemplateList
---@field root string|nil Absolute folder to look in, beside the user's and ours.
---@field kind 'workspace'|'process'|nil

---Accept what a repository's template runs, exactly as it was shown. Only people may.
---@class TemplateTrust
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string|nil Name or path; null: the one that `up` would open in `root`.
---@field root string|nil Absolute folder that it is opened in.
---@field sha256 string As `template.untrusted` or `TemplateGet` told it.
---@field variables table<string, string>|nil Values for its `${NAME}`.
---@field environment table<string, string>|nil The caller's, to look further in; kept nowhere.

---Replace one of the user's templates. Only people may.
---@class TemplateUpdate
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string A word; the file is NAME.yaml.
---@field source string Its YAML, which has to compile.
---@field kind 'workspace'|'process'|nil What it is a template of; null: what its text says.
---@field was string|nil Only if this is still its YAML.

---End this connection's subscription.
---@class Unsubscribe

---Tell that a pane was made for a process; an attached client in it tells by itself.
---@class ViewBind
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string Process id.
---@field pane string Pane id, unique within its `mux` only.
---@field mux string Socket of the WezTerm that has it.
---@field pid integer|nil Of the program in it; with that program the view ends.

---Close the views of a process, or one of them; never the process.
---@class ViewClose
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string Process id.
---@field pane string|nil
---@field mux string|nil WezTerm's socket (`WEZTERM_UNIX_SOCKET`): names the GUI.

---Have the GUI go to a process: to its workspace and its pane; one without a pane gets one.
---@class ViewFocus
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string Process id.
---@field mux string|nil WezTerm's socket (`WEZTERM_UNIX_SOCKET`): names the GUI.

---List the places that show processes.
---@class ViewList
---@field process string|nil
---@field workspace string|nil
---@field after string|nil
---@field limit integer|nil

---Have the GUI show a process in a new pane.
---@class ViewOpen
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string Process id.
---A tab, a part of the pane that has the focus, or a window.
---@field where 'tab'|'split'|'window'|nil
---@field mux string|nil WezTerm's socket (`WEZTERM_UNIX_SOCKET`): names the GUI.
---@field wait_s number|nil Answer once it is there, so long at most.

---Tell that a person looks at a process: what it asked to be looked at with is over.
---@class ViewSee
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field process string Process id.
---@field mux string|nil WezTerm's socket (`WEZTERM_UNIX_SOCKET`): names the GUI.

---Have what is typed into one process typed into all of a group.
---@class ViewSync
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field processes string[]|nil
---@field workspace string|nil In the place of `processes`: all with a pane in it.
---@field on boolean

---Bring a workspace to what its template says now: start what is new, change settings, stop nothing
---unasked.
---@class WorkspaceApply
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string
---@field template string|nil Name or absolute path; null: the one it was opened from.
---@field source string|nil The template's YAML itself.
---@field variables table<string, string>|nil Values for the template's `${NAME}`; first of all.
---@field root string|nil Absolute; else its own project folder.
---@field restart string[]|nil Names of changed processes to restart now; `*` is all.
---@field prune boolean|nil Stop and forget what has left the template, with its logs.
---@field dry_run boolean|nil Only tell what would change.
---`plan` keeps a process with a pane waiting for its viewer, 1 s at most; `none` starts at once.
---@field view 'none'|'plan'|nil
---@field wait 'spawned'|'ready'|nil When to answer.
---@field environment table<string, string>|nil The caller's environment; kept in memory only.
---Of a caller who goes there at once: the focused process begins in it. Kept in memory only.
---@field terminal Terminal|nil

---Stop everything in a workspace and hide it.
---@class WorkspaceClose
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string

---Open a new workspace from a template.
---@class WorkspaceCreate
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string|nil Else the root folder's name.
---Name or absolute path; null: what is found in the root, else `default`.
---@field template string|nil
---@field source string|nil The template's YAML itself.
---@field variables table<string, string>|nil Values for the template's `${NAME}`; first of all.
---@field root string|nil Absolute; else the home folder.
---@field unique boolean|nil A name taken by another root becomes `name-2`.
---`plan` keeps a process with a pane waiting for its viewer, 1 s at most; `none` starts at once.
---@field view 'none'|'plan'|nil
---@field wait 'spawned'|'ready'|nil When to answer.
---@field environment table<string, string>|nil The caller's environment; kept in memory only.
---Of a caller who goes there at once: the focused process begins in it. Kept in memory only.
---@field terminal Terminal|nil

---Stop everything in a workspace and forget it, with its logs.
---@class WorkspaceDelete
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string

---Tell all about one workspace.
---@class WorkspaceGet
---@field name string
---@field settings boolean|nil Tell what each process was told, too.

---List workspaces.
---@class WorkspaceList
---@field root string|nil Only those with this root.
---@field after string|nil
---@field limit integer|nil

---Open a workspace that was closed: start what should run in it.
---@class WorkspaceOpen
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string
---`plan` keeps a process with a pane waiting for its viewer, 1 s at most; `none` starts at once.
---@field view 'none'|'plan'|nil
---@field wait 'spawned'|'ready'|nil When to answer.
---@field environment table<string, string>|nil The caller's environment; kept in memory only.
---Of a caller who goes there at once: the focused process begins in it. Kept in memory only.
---@field terminal Terminal|nil
---Take `environment` for what runs or is open too, from each next start on.
---@field refresh_env boolean|nil

---Give a workspace another name, also while it runs. The ids of the processes that it has stay.
---@class WorkspaceRename
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string
---@field to string Its new name.

---Make a workspace the current one; frontends that show workspaces go there.
---@class WorkspaceSwitch
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field name string
---@field focus string|nil Process that gets the focus there: a name in it, or an id.
---@field mux string|nil Socket of a WezTerm that is there already; none is asked to go then.

---List the worktrees of a workspace's processes, and what speaks against removing each.
---@class WorktreeList
---@field workspace string

---Remove a worktree that was made for processes; what is not committed, merged or still runs keeps
---it.
---@class WorktreeRemove
---@field key string|nil Idempotency key; the same key never acts twice within 24 h.
---@field path string
---@field force boolean|nil Also with changes, and under what runs in it. They are lost.

---When restarts by policy end.
---@class GiveUp
---@field tries integer|nil Restarts within the window.
---@field window_s number|nil Seconds in which they are counted.
---@field reset_s number|nil Seconds of life after which the delay is new.

---What a process may use, and from where on somebody is told.
---@class Limits
---@field nice integer|nil Added niceness; below 0 needs rights.
---Soft limits: as core cpu data fsize memlock nofile nproc stack; -1 lifts one.
---@field ulimits table<string, integer>|nil
---@field cpu_alert_percent number|nil Of one core, over a sample.
---@field memory_alert_bytes integer|nil Resident bytes of its whole tree.

---One way to see whether a process is ready or healthy. Exactly one of the four is given.
---@class Probe
---@field exec string[]|nil A program that exits with 0.
---@field http string|nil A URL that answers with a status below 400.
---@field tcp string|nil `host:port`, or a port of this machine, that accepts.
---@field log_line string|nil A regular expression that a line of output matches.
---@field interval_s number|nil Seconds between two looks.
---@field timeout_s number|nil Seconds that one look may take.
---@field threshold integer|nil So many failures in a row count.
---@field start_s number|nil Seconds in which failures are no failures.

---How a process is stopped.
---@class StopRules
---@field signal string|nil First signal.
---@field grace_s number|nil Seconds before SIGKILL.
---@field kill 'tree'|'group'|nil Who gets SIGKILL: everything below it, or its group.

---A terminal's size, and what a program takes it for.
---@class Terminal
---@field rows integer
---@field columns integer
---@field x_pixels integer|nil Of the whole window; 0: not known.
---@field y_pixels integer|nil Of the whole window; 0: not known.
---@field term string|nil Its `TERM`.
---@field colorterm string|nil Its `COLORTERM`.
---@field term_program string|nil Its `TERM_PROGRAM`.
---@field term_program_version string|nil Its `TERM_PROGRAM_VERSION`.

---One of these.
---@class Request
---@field AlertList AlertList|nil
---@field AlertTest AlertTest|nil
---@field ConfigCheck ConfigCheck|nil
---@field ConfigGet ConfigGet|nil
---@field ConfigReload ConfigReload|nil
---@field DaemonUpgrade DaemonUpgrade|nil
---@field Describe Describe|nil
---@field EnvironmentGet EnvironmentGet|nil
---@field HistoryList HistoryList|nil
---@field LogExport LogExport|nil
---@field LogRead LogRead|nil
---@field MetricGet MetricGet|nil
---@field MetricHistory MetricHistory|nil
---@field NotificationDisplay NotificationDisplay|nil
---@field NotificationGet NotificationGet|nil
---@field NotificationReport NotificationReport|nil
---@field Ping Ping|nil
---@field ProcessAdd ProcessAdd|nil
---@field ProcessGet ProcessGet|nil
---@field ProcessKill ProcessKill|nil
---@field ProcessList ProcessList|nil
---@field ProcessNotify ProcessNotify|nil
---@field ProcessObserve ProcessObserve|nil
---@field ProcessPrepare ProcessPrepare|nil
---@field ProcessRemove ProcessRemove|nil
---@field ProcessRestart ProcessRestart|nil
---@field ProcessResume ProcessResume|nil
---@field ProcessScreen ProcessScreen|nil
---@field ProcessStart ProcessStart|nil
---@field ProcessStop ProcessStop|nil
---@field ProcessSuspend ProcessSuspend|nil
---@field ProcessType ProcessType|nil
---@field ProcessTypeMany ProcessTypeMany|nil
---@field ProcessWait ProcessWait|nil
---@field Shutdown Shutdown|nil
---@field SnapshotDiff SnapshotDiff|nil
---@field SnapshotExport SnapshotExport|nil
---@field SnapshotImport SnapshotImport|nil
---@field SnapshotList SnapshotList|nil
---@field SnapshotRollback SnapshotRollback|nil
---@field Status Status|nil
---@field Subscribe Subscribe|nil
---@field TemplateCheck TemplateCheck|nil
---@field TemplateCreate TemplateCreate|nil
---@field TemplateDelete TemplateDelete|nil
---@field TemplateGet TemplateGet|nil
---@field TemplateList TemplateList|nil
---@field TemplateTrust TemplateTrust|nil
---@field TemplateUpdate TemplateUpdate|nil
---@field Unsubscribe Unsubscribe|nil
---@field ViewBind ViewBind|nil
---@field ViewClose ViewClose|nil
---@field ViewFocus ViewFocus|nil
---@field ViewList ViewList|nil
---@field ViewOpen ViewOpen|nil
---@field ViewSee ViewSee|nil
---@field ViewSync ViewSync|nil
---@field WorkspaceApply WorkspaceApply|nil
---@field WorkspaceClose WorkspaceClose|nil
---@field WorkspaceCreate WorkspaceCreate|nil
---@field WorkspaceDelete WorkspaceDelete|nil
---@field WorkspaceGet WorkspaceGet|nil
---@field WorkspaceList WorkspaceList|nil
---@field WorkspaceOpen WorkspaceOpen|nil
---@field WorkspaceRename WorkspaceRename|nil
---@field WorkspaceSwitch WorkspaceSwitch|nil
---@field WorktreeList WorktreeList|nil
---@field WorktreeRemove WorktreeRemove|nil

---Commands that change something: they carry a `key`, and the same key never acts twice.
---@type table<string, boolean>
M.mutations = {
  AlertTest = true,
  ConfigReload = true,
  DaemonUpgrade = true,
  NotificationDisplay = true,
  NotificationReport = true,
  ProcessAdd = true,
  ProcessKill = true,
  ProcessNotify = true,
  ProcessObserve = true,
  ProcessRemove = true,
  ProcessRestart = true,
  ProcessResume = true,
  ProcessStart = true,
  ProcessStop = true,
  ProcessSuspend = true,
  ProcessType = true,
  ProcessTypeMany = true,
  Shutdown = true,
  SnapshotExport = true,
  SnapshotImport = true,
  SnapshotRollback = true,
  TemplateCreate = true,
  TemplateDelete = true,
  TemplateTrust = true,
  TemplateUpdate = true,
  ViewBind = true,
  ViewClose = true,
  ViewFocus = true,
  ViewOpen = true,
  ViewSee = true,
  ViewSync = true,
  WorkspaceApply = true,
  WorkspaceClose = true,
  WorkspaceCreate = true,
  WorkspaceDelete = true,
  WorkspaceOpen = true,
  WorkspaceRename = true,
  WorkspaceSwitch = true,
  WorktreeRemove = true,
}

return M
