"""Where settings come from."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.settings import Connections


def test_any_setting_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As compose and Kubernetes give secrets; the environment counts before it, and other files are no settings."""
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    (tmp_path / "POSTGRES_DSN").write_text("postgresql://of-a-file/db\n")
    (tmp_path / "redis_url").write_text("redis://of-a-file\n")
    (tmp_path / "kafka_password").write_text("secret\n")
    (tmp_path / "kubernetes.io").mkdir()
    monkeypatch.setenv("REDIS_URL", "redis://of-the-environment")
    settings = Connections()
    assert settings.postgres_dsn == "postgresql://of-a-file/db"
    assert settings.redis_url == "redis://of-the-environment"
    assert settings.kafka_password.get_secret_value() == "secret"
    assert "secret" not in repr(settings)


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most installations have none."""
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "none"))
    assert Connections().kafka_servers


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"kafka_security": "sasl_ssl"}, "KAFKA_USER"),
        ({"redis_sentinels": "one:26379,two"}, "'two' is not host:port"),
        ({"kafka_security": "tls"}, "kafka_security"),
    ],
)
def test_settings_that_make_no_sense_are_named(wrong: dict[str, str], word: str) -> None:
    """Before anything is connected."""
    with pytest.raises(ValidationError, match=word):
        Connections(**wrong)


def test_sentinels_are_hosts_and_ports() -> None:
    """Also of IPv6."""
    settings = Connections(redis_sentinels="a.example:26379, [::1]:26380")
    assert settings.sentinel_addresses == [("a.example", 26379), ("::1", 26380)]
