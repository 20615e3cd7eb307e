#!/usr/bin/env python3
"""Runs Debian's SimpleSAMLphp as a SAML identity provider on a loopback port, for tests against software of others.

  simplesamlphp.py --dir FOLDER --sp-metadata SP.xml [MORE.xml ...] [--port N] [--sign assertion|response|both]
                   [--nameid email|persistent|transient] [--encrypt] [--sha1] [--users users.json]

It stays in the foreground and writes one JSON line to stdout once the provider answers:
  entity_id, metadata_url, sso_url, slo_url, idp_initiated_url, certificate (path of the PEM), log (path), pid
PHP and all that was started ends on SIGTERM or SIGINT, when stdin is closed, or when the parent process is gone;
so a test keeps stdin as a pipe, and nothing is left over if the test is killed. FOLDER is the caller's to remove.

Needs Debian's simplesamlphp, php-cli, php-xml, php-mbstring, php-curl, openssl, and Python's standard library.
AuthnRequest signatures are checked where the SP's metadata says AuthnRequestsSigned="true". With `--nameid email`
the SP asks for emailAddress, unspecified, or no format. `--encrypt` needs an encryption key in the SP's metadata.
"""

import argparse
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

INSTALLED = Path("/usr/share/simplesamlphp")
READY_WITHIN_SECONDS = 30
STOP_WITHIN_SECONDS = 2
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
NAME_ID_FORMATS = {
    "email": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "persistent": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "transient": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
}


def parse_arguments():
    parser = argparse.ArgumentParser(description="SimpleSAMLphp as an identity provider on loopback")
    parser.add_argument("--dir", required=True, type=Path)
    parser.add_argument("--sp-metadata", required=True, nargs="+", type=Path)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--sign", choices=["assertion", "response", "both"], default="assertion")
    parser.add_argument("--nameid", choices=list(NAME_ID_FORMATS), default="email")
    parser.add_argument("--encrypt", action="store_true", help="encrypt the assertion to the SP's key")
    parser.add_argument("--sha1", action="store_true", help="sign with RSA-SHA1, as old providers do")
    parser.add_argument("--users", type=Path, default=Path(__file__).resolve().parent / "users.json")
    return parser.parse_args()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def make_certificate(folder):
    key, certificate = folder / "idp.key", folder / "idp.crt"
    if not certificate.exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650",
             "-subj", "/CN=SimpleSAMLphp test IdP", "-keyout", key, "-out", certificate],
            check=True, stderr=subprocess.DEVNULL)
    return key, certificate


def main_configuration(folder, base_url, sp_metadata):
    return {
        "baseurlpath": base_url,
        "certdir": f"{folder}/certificate/",
        "loggingdir": f"{folder}/",
        "datadir": f"{folder}/data/",
        "tempdir": f"{folder}/tmp/",
        "metadatadir": f"{folder}/metadata/",
        "attributenamemapdir": f"{INSTALLED}/config/attributemap/",
        "metadata.sources": [{"type": "flatfile"}]
        + [{"type": "xml", "file": str(file.resolve())} for file in sp_metadata],
        "secretsalt": "fixed-salt-of-a-test-provider",
        "auth.adminpassword": "admin-password",
        "enable.saml20-idp": True,
        "module.enable": {"core": True, "exampleauth": True, "saml": True},
        "admin.checkforupdates": False,
        "timezone": "UTC",
        "showerrors": True,
        "errorreporting": False,
        "logging.level": 6,
        "logging.handler": "file",
        "logging.logfile": "simplesamlphp.log",
        "store.type": "phpsession",
        "session.phpsession.savepath": f"{folder}/sessions",
        "session.phpsession.cookiename": "SimpleSAML",
        "session.phpsession.httponly": True,
        # Plain http on loopback: neither Secure nor SameSite=None cookies would come back.
        "session.cookie.secure": False,
        "session.cookie.samesite": None,
        "language.cookie.secure": False,
        "language.cookie.samesite": None,
        "trusted.url.domains": None,
        "authproc.idp": {},
        "authproc.sp": {},
    }


def identity_provider(options, key, certificate):
    preferred = NAME_ID_FORMATS[options.nameid]
    others = [name_format for name_format in NAME_ID_FORMATS.values() if name_format != preferred]
    return {
        "host": "__DEFAULT__",
        "auth": "users",
        "privatekey": key.name,
        "certificate": certificate.name,
        "signature.algorithm": RSA_SHA1 if options.sha1 else RSA_SHA256,
        "saml20.sign.assertion": options.sign in ("assertion", "both"),
        "saml20.sign.response": options.sign in ("response", "both"),
        "assertion.encryption": options.encrypt,
        "NameIDFormat": [preferred, *others],
        # Each filter offers one format; which is sent, the AuthnRequest's NameIDPolicy decides.
        "authproc": {
            "10": {"class": "saml:AttributeNameID", "attribute": "email", "Format": NAME_ID_FORMATS["email"]},
            "11": {"class": "saml:PersistentNameID", "attribute": "email"},
            "12": {"class": "saml:TransientNameID"},
        },
    }


def authentication_sources(users_file):
    users = json.loads(users_file.read_text(encoding="utf-8"))
    accounts = {f"{user['login']}:{user['password']}": user["attributes"] for user in users}
    return {"users": {"0": "exampleauth:UserPass", **accounts}, "admin": {"0": "core:AdminPassword"}}


def write_php(path, target, value):
    """Writes a PHP file that assigns `value` to `target`, through JSON so that nothing needs PHP's quoting."""
    path.with_suffix(".json").write_text(json.dumps(value), encoding="utf-8")
    path.write_text(
        f"<?php\n${target} = json_decode(file_get_contents(__DIR__ . '/{path.stem}.json'), true, 64, "
        "JSON_THROW_ON_ERROR);\n")


def write_installation(options, folder, base_url, entity_id):
    """Lays out the folder that SIMPLESAMLPHP_CONFIG_DIR and PHP's web root point into; returns the certificate."""
    for name in ("config", "metadata", "data", "tmp", "sessions", "certificate", "www"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    link = folder / "www" / "simplesaml"
    if not link.is_symlink():
        link.symlink_to(INSTALLED / "www")
    key, certificate = make_certificate(folder / "certificate")
    write_php(folder / "config/config.php", "config", main_configuration(folder, base_url, options.sp_metadata))
    write_php(folder / "config/authsources.php", "config", authentication_sources(options.users))
    hosted = identity_provider(options, key, certificate)
    write_php(folder / "metadata/saml20-idp-hosted.php", f"metadata['{entity_id}']", hosted)
    (folder / "metadata/saml20-sp-remote.php").write_text("<?php\n")
    return certificate


def start_php(folder, port):
    """PHP's own web server in a session of its own; the kernel ends it if this script is killed outright."""
    command = ["setpriv", "--pdeathsig", "KILL", "php", "-d", "display_errors=0",
               "-d", f"error_log={folder}/log", "-d", f"session.save_path={folder}/sessions",
               "-S", f"127.0.0.1:{port}", "-t", str(folder / "www")]
    environment = {**os.environ, "SIMPLESAMLPHP_CONFIG_DIR": str(folder / "config")}
    with open(folder / "log", "ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                env=environment, start_new_session=True)


def stop_php(php):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(php.pid, number)
            php.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def answers(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(url, timeout=10).status == 200
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{url} answers {error.code}: {error.read()[:2000]!r}") from error
    except OSError:
        return False


def wait_until_ready(php, url):
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not answers(url):
        if php.poll() is not None:
            raise SystemExit(f"php ended with {php.returncode} before it was ready")
        if time.monotonic() > deadline:
            raise SystemExit(f"{url} does not answer after {READY_WITHIN_SECONDS} s")
        time.sleep(0.05)


def serve_until_told(php, parent):
    """Returns when stdin is at its end or the parent is gone; a signal leaves by SystemExit."""
    while os.getppid() == parent:
        if php.poll() is not None:
            raise SystemExit(f"php ended with {php.returncode}")
        readable, _, _ = select.select([sys.stdin], [], [], 1.0)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            return


def leave(_signal, _frame):
    raise SystemExit(0)


def main():
    parent = os.getppid()
    options = parse_arguments()
    folder = options.dir.resolve()
    port = options.port or free_port()
    base_url = f"http://127.0.0.1:{port}/simplesaml/"
    endpoints = f"{base_url}saml2/idp/"
    entity_id = f"{endpoints}metadata.php"
    certificate = write_installation(options, folder, base_url, entity_id)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    php = start_php(folder, port)
    try:
        wait_until_ready(php, entity_id)
        print(json.dumps({
            "entity_id": entity_id,
            "metadata_url": entity_id,
            "sso_url": f"{endpoints}SSOService.php",
            "slo_url": f"{endpoints}SingleLogoutService.php",
            "idp_initiated_url": f"{endpoints}SSOService.php?spentityid=SP_ENTITY_ID&RelayState=STATE",
            "certificate": str(certificate),
            "log": str(folder / "log"),
            "pid": os.getpid(),
        }), flush=True)
        serve_until_told(php, parent)
    finally:
        stop_php(php)


if __name__ == "__main__":
    main()
