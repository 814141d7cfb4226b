"""The one table from command to handler. A command without a row fails the tests."""

from __future__ import annotations

from wezparallel.hub.comms.dispatch import Handler, LateRead, Read, Stream, Write
from wezparallel.hub.handlers import alert, applying, environment, notice
from wezparallel.hub.handlers import config, hub, log, process, suspension, template, waiting, workspace

HANDLERS: dict[str, Handler] = {
    "Ping": Read(hub.ping, sees_state=False, depends_on=hub.uptime),
    "Describe": Read(hub.describe, sees_state=False),
    "Status": Read(hub.status, depends_on=hub.status_state),
    "Subscribe": Stream(hub.subscribe),
    "Unsubscribe": Stream(hub.unsubscribe),
    "Shutdown": Write(hub.shutdown, hub.shut_down),
    "DaemonUpgrade": Write(hub.upgrade, hub.upgraded),
    "WorkspaceCreate": Write(workspace.create, workspace.created),
    "WorkspaceOpen": Write(workspace.open_, workspace.opened),
    "WorkspaceApply": Write(applying.apply, applying.applied),
    "WorkspaceSwitch": Write(workspace.switch, workspace.switched),
    "WorkspaceRename": Write(workspace.rename, workspace.renamed),
    "WorkspaceClose": Write(workspace.close, workspace.closed),
    "WorkspaceDelete": Write(workspace.delete, workspace.deleted),
    "WorkspaceList": Read(workspace.list_),
    "WorkspaceGet": Read(workspace.get),
    "ProcessAdd": Write(process.add, process.added),
    "ProcessStart": Write(process.start, process.started),
    "ProcessStop": Write(process.stop, process.stopped),
    "ProcessKill": Write(process.kill, process.killed),
    "ProcessRestart": Write(process.restart, process.restarted),
    "ProcessSuspend": Write(suspension.suspend, suspension.suspended),
    "ProcessResume": Write(suspension.resume, suspension.resumed),
    "ProcessRemove": Write(process.remove, process.removed),
    "ProcessList": Read(process.list_),
    "ProcessGet": Read(process.get),
    "ProcessWait": LateRead(waiting.wait),
    "ProcessType": Write(process.type_, process.typed),
    "ProcessNotify": Write(notice.notify, notice.notified),
    "EnvironmentGet": LateRead(environment.get, is_private=True),
    "TemplateList": Read(template.list_),
    "TemplateGet": Read(template.get),
    "TemplateCheck": Read(template.check, sees_state=False),
    "TemplateTrust": Write(template.trust, template.trusted),
    "TemplateCreate": Write(template.create, template.created),
    "TemplateUpdate": Write(template.update, template.updated),
    "TemplateDelete": Write(template.delete, template.deleted),
    "ConfigGet": Read(config.get, sees_state=False),
    "ConfigCheck": Read(config.check, sees_state=False),
    "ConfigReload": Write(config.reload, config.reloaded),
    "AlertList": Read(alert.list_),
    "LogRead": LateRead(log.read),
    "LogExport": LateRead(log.export),
}
