"""How clients of Kafka find a broker, trust it, and say who they are."""

import ssl
from typing import TypedDict

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.settings import Connections


class ClientOptions(TypedDict):
    """What every client of aiokafka is made with."""

    bootstrap_servers: list[str]
    security_protocol: str
    ssl_context: ssl.SSLContext | None
    sasl_mechanism: str
    sasl_plain_username: str | None
    sasl_plain_password: str | None


def client_options(settings: Connections) -> ClientOptions:
    """The options of a client of aiokafka. Raises an `OSError` where a file of a certificate cannot be read."""
    return ClientOptions(
        bootstrap_servers=settings.bootstrap_servers,
        security_protocol=settings.kafka_security.upper(),
        ssl_context=_ssl_context(settings),
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_plain_username=settings.kafka_user or None,
        sasl_plain_password=settings.kafka_password.get_secret_value() or None,
    )


def broker_security(settings: Connections) -> BaseSecurity | None:
    """The same for a broker of FastStream; None for plain connections without a login."""
    context = _ssl_context(settings)
    if not settings.kafka_security.startswith("sasl"):
        return BaseSecurity(ssl_context=context, use_ssl=True) if context else None
    login = {"SCRAM-SHA-512": SASLScram512, "SCRAM-SHA-256": SASLScram256, "PLAIN": SASLPlaintext}
    return login[settings.kafka_sasl_mechanism](
        settings.kafka_user,
        settings.kafka_password.get_secret_value(),
        ssl_context=context,
        use_ssl=context is not None,
    )


def _ssl_context(settings: Connections) -> ssl.SSLContext | None:
    if not settings.kafka_security.endswith("ssl"):
        return None
    context = ssl.create_default_context(cafile=settings.kafka_ca_file or None)
    if settings.kafka_certificate_file:
        context.load_cert_chain(settings.kafka_certificate_file, settings.kafka_key_file or None)
    return context
