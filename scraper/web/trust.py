"""Which certificates are trusted. What was named for it and cannot be used is said before anything is asked for."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

import urllib3

from scraper.errors import InputError, OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""How OpenSSL finds a certificate in a folder (https://docs.openssl.org/master/man1/openssl-rehash/)."""


def make_context(ca_certs: Path | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """A context that verifies servers against the system's certificates, or the environment's, and those given.

    Args:
        ca_certs: a PEM file of further certificates to trust.
        environ: the process's own environment, which OpenSSL reads as well.

    Raises:
        OptionError: `ca_certs` cannot be used.
        InputError: nor can what `SSL_CERT_FILE` or `SSL_CERT_DIR` names.
    """
    context = urllib3.util.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.check_hostname = True
    context.load_default_certs()  # reads SSL_CERT_FILE and SSL_CERT_DIR, and passes over what it cannot use
    _check_environment(context, environ)
    if ca_certs is not None:
        try:
            _load(context, ca_certs)
        except ValueError as error:
            raise OptionError("ca_certs", str(error)) from None
    return context


def _check_environment(context: ssl.SSLContext, environ: Mapping[str, str]) -> None:
    if "SSL_CERT_FILE" in environ:
        # OpenSSL takes an empty name for a file that is not there; a person who writes one means the system's.
        path = environ["SSL_CERT_FILE"].strip() or ssl.get_default_verify_paths().openssl_cafile
        try:
            if environ["SSL_CERT_FILE"].strip() or Path(path).is_file():
                _load(context, Path(path))
        except ValueError as error:
            raise InputError(f"the variable SSL_CERT_FILE names {error}; correct it, or unset it") from None
    folders = [Path(name) for name in environ.get("SSL_CERT_DIR", "").split(os.pathsep) if name]
    if folders and not any(map(_has_certificates, folders)):
        raise InputError(
            f"the variable SSL_CERT_DIR names {os.pathsep.join(map(str, folders))}, which has no certificate that "
            "OpenSSL would find (`openssl rehash` names them so); correct it, or unset it"
        )


def _load(context: ssl.SSLContext, path: Path) -> None:
    """Trust the certificates of a file.

    Raises:
        ValueError: it has none that can be read; the message begins with its path.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        context.load_verify_locations(cafile=str(path))
    except ssl.SSLError:
        raise ValueError(f"{path}: no certificate in PEM format in it") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None


def _has_certificates(folder: Path) -> bool:
    try:
        return any(_HASHED.fullmatch(path.name) for path in folder.iterdir())
    except OSError:
        return False
