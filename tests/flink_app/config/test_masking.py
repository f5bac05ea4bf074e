"""The mask: no secret is shown, and nothing else is hidden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.config.masking import masked

SECRETS = st.text("abcdefghijk:/@?#%", min_size=8).map(lambda text: f"Q{text}Q")


@given(SECRETS)
def test_a_password_in_a_url_is_hidden_whatever_it_holds(secret: str) -> None:
    shown = masked("redis.url", f"redis://ann:{secret}@cache:6379/0")
    assert shown == "redis://ann:***@cache:6379/0"


@pytest.mark.parametrize(
    "key",
    [
        "ssl.key.password",
        "sasl.jaas.config",
        "s3.secret-key",
        "s3.access-key",
        "oauth.Token",
        "ssl.keystore.key",
    ],
)
def test_a_property_with_the_name_of_a_secret_is_hidden(key: str) -> None:
    assert masked(f"source.properties.{key}", "anything") == "***"


def test_the_servers_key_is_hidden() -> None:
    assert masked("serve.api_key", "anything") == "***"
    assert masked("serve.kafka.sasl.password", "anything") == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://cache?password=abc&db=1", "redis://cache?password=***&db=1"),
        ('LoginModule required username="a" password="b c";', "***;"),
    ],
)
def test_an_assignment_inside_a_value_is_hidden(text: str, shown: str) -> None:
    assert masked("source.options.url", text).endswith(shown)


@pytest.mark.parametrize(
    "text",
    ["redis://127.0.0.1:6379/0", "redis://ann@cache:6379", "a:9092,b:9092", "s3://shop/folder"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked("redis.url", text) == text
