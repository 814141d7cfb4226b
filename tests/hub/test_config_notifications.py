"""What a file says of notifications, and that a mistake in it is shown where it is, without an address."""

from __future__ import annotations

import pytest

from wezparallel.hub import configuration, reloading
from wezparallel.hub.configuration import Configuration
from wezparallel.hub.handlers import config

HEAD = "notifications:\n"
CHANNELS = "  channels:\n    phone: { webhook: https://hush.example/x }\n"


def read(text: str, path: str = "/c/config.yaml", **environment: str) -> Configuration:
    return configuration.read(text, path, environment)


def test_short_forms_mean_what_they_say() -> None:
    found = read(
        HEAD + "  tell_waiting: false\n  quiet: 1m\n  channels:\n"
        "    phone: { webhook: 'https://${HOST}/x', timeout: 500ms,\n"
        "      headers: { Authorization: 'Bearer ${TOKEN:-none}' } }\n"
        "    team: { apprise: 'slack://a' }\n    say: { command: [espeak, $$HOME] }\n"
        "  rules:\n    long: { on: finished, after: 10m, where: shop, channels: phone }\n"
        "    all: { on: [process.*, error] }\n",
        HOST="hush.example",
    )
    assert found.errors == ()
    said = found.settings.notifications
    assert (said.tell_waiting, said.tell_error, said.quiet) == (False, True, 60.0)
    assert said.channels["phone"].webhook == "https://hush.example/x"
    assert said.channels["phone"].headers == {"Authorization": "Bearer none"}
    assert (said.channels["phone"].timeout, said.channels["phone"].tries) == (0.5, 12)
    assert said.channels["team"].apprise == ["slack://a"]
    assert said.channels["say"].command == ["espeak", "$HOME"]
    assert said.rules["long"].model_dump(exclude_unset=True) == {
        "on": ["finished"], "after": 600.0, "where": ["shop"], "channels": ["phone"],
    }  # fmt: skip
    assert said.rules["all"].channels == ["desktop"]


def test_toml_says_the_same() -> None:
    text = (
        '[notifications]\nquiet = 5\n[notifications.channels.phone]\nwebhook = "https://hush.example/x"\n'
        '[notifications.rules.broken]\non = "exit_abnormal"\nchannels = ["phone"]\n'
    )
    found = read(text, "/c/config.toml")
    assert found.errors == ()
    assert found.settings.notifications.rules["broken"].channels == ["phone"]
    assert "hush" not in found.source.text if found.source else False


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        (CHANNELS + "  rules:\n    a: { on: finishd }\n", "5:14", "it is told on exit_abnormal, finished"),
        (CHANNELS + "  rules:\n    a: { on: notification.sent }\n", "5:14", "never told by one"),
        (CHANNELS + "  rules:\n    a: { on: error, after: 3 }\n", "5:8", "`after` says something for finished"),
        (CHANNELS + "  rules:\n    a: { on: finished, after: soon }\n", "5:31", "valid number"),
        (CHANNELS + "  rules:\n    a: { on: error, channels: [desktop, phon] }\n", "5:41", "that is not there"),
        (CHANNELS + "  rules:\n    a: { on: error, chanels: [phone] }\n", "5:21", "Did you mean 'channels'?"),
        (CHANNELS + "  rules:\n    a: error\n", "5:8", "has to be a map"),
        (CHANNELS + "  rules: {}\n  channel: {}\n", "", ""),
        ("  channels:\n    desktop: { webhook: https://hush.example }\n", "3:5", "desktop is there by itself"),
        ("  channels:\n    a: { webhook: hush.example }\n", "3:19", "a URL that begins with http"),
        ("  channels:\n    a: { webhook: https://hush.example, command: hush }\n", "3:8", "has one of `webhook`"),
        ("  channels:\n    a: { webhook: https://hush.example, format: slak }\n", "3:49", "It is one of json, slack"),
        ("  channels:\n    a: { webhook: '${HUSH_URL}' }\n", "3:19", "the variable HUSH_URL is not set"),
        ("  channels:\n    a: { apprise: [hush] }\n", "3:19", "match pattern"),
        ("  channels:\n    a:\n      command: []\n      tries: 3 hush\n", "", "tries"),
        ("  channels:\n    a: { webhook: https://hush.example, headers: { 'X Y': hush } }\n", "3:50", "a header has"),
        ("  channels: [https://hush.example]\n", "2:13", "has to be a map"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_where_it_is(text: str, place: str, sentence: str) -> None:
    found = read(HEAD + text)
    if not sentence:  # an unknown key is a warning, as everywhere
        assert found.errors == ()
        assert "Did you mean 'channels'?" in found.warnings[0].message
        return
    said = "\n".join(one.message for one in found.errors)
    assert f"/c/config.yaml:{place}" in said
    assert sentence in said
    assert "hush" not in said
    assert found.settings.notifications.rules == {}


def test_what_holds_is_shown_without_addresses() -> None:
    shown = config.shown(read(
        HEAD + CHANNELS + "    team: { apprise: ['slack://hush', 'json://hush'] }\n"
        "    run: { command: [curl, hush] }\n"
        "  rules:\n    a: { on: error, channels: phone }\n"
    ))  # fmt: skip
    values = {one.option: one.value for one in shown.values if one.option.startswith("notifications.")}
    assert values["notifications.channels.phone"] == "webhook https://••••••"
    assert values["notifications.channels.team"] == "apprise slack://••••••, apprise json://••••••"
    assert values["notifications.channels.run"] == "command ••••••"
    assert values["notifications.rules.a"] == {"on": ["error"], "channels": ["phone"]}
    assert "hush" not in shown.model_dump_json()
    assert "hush" not in repr(read(HEAD + CHANNELS).settings)


def test_a_changed_address_is_a_change() -> None:
    before, after = read(HEAD + CHANNELS).settings, read(HEAD + CHANNELS.replace("/x", "/y")).settings
    assert reloading.differences(before, after) == ["notifications.channels"]
    assert reloading.differences(before, before) == []


def test_seed_000s_own_keys_are_channels_that_are_told_of_every_kind() -> None:
    found = read(
        HEAD + "  push_notifications: false\n  email_alerts: true\n  slack_webhook: https://hush.example/s\n"
        "  discord_webhook: https://hush.example/d\n  custom_webhooks:\n    - https://hush.example/1\n"
        "    - https://hush.example/2\n  channels: { mail: { apprise: 'mailto://hush' } }\n"
    )
    assert (found.errors, found.warnings) == ((), ())
    said = found.settings.notifications
    assert {name: one.format for name, one in said.channels.items() if one.webhook} == {
        "slack": "slack", "discord": "discord", "webhook_1": "json", "webhook_2": "json",
    }  # fmt: skip
    assert said.channels["webhook_2"].webhook == "https://hush.example/2"
    assert said.rules["alerts"].on == ["exit_abnormal", "finished", "error", "threshold", "waiting"]
    assert said.rules["alerts"].channels == ["slack", "discord", "webhook_1", "webhook_2", "mail"]
    assert {said.tell_waiting, said.tell_finished, said.tell_error, said.tell_exit_abnormal} == {False}
    assert "hush" not in config.shown(found).model_dump_json()


def test_a_mistake_in_seed_000s_keys_is_shown_too() -> None:
    (one,) = read(HEAD + "  email_alerts: true\n").errors
    assert "says no address" in one.message
    (one,) = read(HEAD + "  custom_webhooks:\n    - https://hush.example/1\n    - nope\n").errors
    assert (
        "/c/config.yaml:4:7: `notifications.custom_webhooks.webhook` does not hold: a webhook is a URL" in one.message
    )
    assert "hush" not in one.message
    assert read(HEAD + "  email_alerts: false\n  push_notifications: true\n").settings == Configuration().settings
