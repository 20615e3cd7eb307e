#!/usr/bin/env python3
"""An SMTP server (aiosmtpd) that tells what it gets, and misbehaves when told to.

  smtp_server.py --dir FOLDER [--tls none|starttls|implicit] [--auth USER:PASSWORD]

Prints one line of JSON when it is ready: {"port", "ca"}; `ca` is the certificate to trust, for 127.0.0.1. Then a line for
each connection, {"connection": N}, and for each mail that it took: {"mail": {"to", "message_id", "tls", "auth", "raw"}}.
Each line of standard input is a fault for what comes next: {"at": "mail|rcpt|data", "reply": "451 later"},
{"at": "data", "stall": true} or {"at": "rcpt", "drop": true}, which closes the connection; one with a "to" is for mails to
that address, and stays. A line {"sync": N} is told back once the faults before it count. Ends when its standard input closes.
"""
import argparse, asyncio, email, json, logging, ssl, subprocess, sys, threading, warnings
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

warnings.filterwarnings("ignore", module="aiosmtpd")
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
parser = argparse.ArgumentParser()
parser.add_argument("--dir", type=Path, required=True)
parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
parser.add_argument("--auth")
options = parser.parse_args()
faults = []


def tell(**fact):
    print(json.dumps(fact), flush=True)


class Handler:
    async def fault(self, at, server, to=None):
        """The reply of the first fault for this point, which is then over unless it is an address's."""
        for fault in faults:
            if fault["at"] == at and fault.get("to") in (None, to):
                if "to" not in fault:
                    faults.remove(fault)
                if fault.get("stall"):
                    await asyncio.sleep(3600)
                if fault.get("drop"):
                    server.transport.abort()
                    await asyncio.sleep(3600)
                return fault["reply"]
        return None

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if reply := await self.fault("mail", server):
            return reply
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if reply := await self.fault("rcpt", server, address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if reply := await self.fault("data", server, envelope.rcpt_tos[0]):
            return reply
        raw = envelope.original_content
        message = email.message_from_bytes(raw)
        tls = options.tls == "implicit" or session.ssl is not None
        tell(mail={"to": envelope.rcpt_tos[0], "message_id": message["Message-ID"], "tls": tls,
                   "auth": bool(session.authenticated), "raw": raw.decode()})
        return "250 2.0.0 OK"


class Server(SMTP):
    connections = 0

    def connection_made(self, transport):
        if transport.get_extra_info("sslcontext") is None or options.tls == "implicit":
            Server.connections += 1
            tell(connection=Server.connections)
        super().connection_made(transport)


def authenticate(server, session, envelope, mechanism, data):
    given = data.login + b":" + data.password if isinstance(data, LoginPassword) else b""
    return AuthResult(success=given == options.auth.encode(), handled=False)


def certificate():
    key, crt = options.dir / "smtp.key", options.dir / "smtp.crt"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30", "-subj", "/CN=smtp",
               "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", crt]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(crt, key)
    return context, crt


def listen_to_faults(loop):
    for line in sys.stdin:
        fault = json.loads(line)
        loop.call_soon_threadsafe(*((lambda told: tell(sync=told), fault["sync"]) if "sync" in fault else (faults.append, fault)))
    loop.call_soon_threadsafe(loop.stop)


def main():
    loop = asyncio.new_event_loop()
    context, crt = certificate()
    settings = {"enable_SMTPUTF8": True, "loop": loop}
    if options.tls == "starttls":
        settings.update(tls_context=context, require_starttls=True)
    if options.auth:
        settings.update(authenticator=authenticate, auth_required=True, auth_require_tls=options.tls == "starttls")
    handler = Handler()
    listening = loop.create_server(lambda: Server(handler, **settings), "127.0.0.1", 0,
                                   ssl=context if options.tls == "implicit" else None)
    server = loop.run_until_complete(listening)
    tell(port=server.sockets[0].getsockname()[1], ca=str(crt))
    threading.Thread(target=listen_to_faults, args=(loop,), daemon=True).start()
    loop.run_forever()


main()
