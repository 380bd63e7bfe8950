"""Apache Kafka 4.3.1 with every kind of listener that a client may meet, on 127.0.0.1, with certificates made here."""
import contextlib
import os
import socket
import subprocess

import pinflow as pf
import tools

PASSWORDS = {"ann": "pw of ann=1'", "bob": "pw-of-bob"}
# Name -> the security protocol; the ports are chosen when the broker is made.
LISTENERS = {"OPEN": "PLAINTEXT", "TLS": "SSL", "MTLS": "SSL", "EXPIRED": "SSL", "ELSEWHERE": "SSL", "SASL": "SASL_SSL",
             "MSK": "SASL_SSL", "JWT": "SASL_SSL", "BARE": "SASL_PLAINTEXT"}
KEYS = {"AKIDTEST": "secret/of+AKIDTEST", "ASIATEST": "secret-of-ASIATEST"}


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60)


class Certificates:
    """Two authorities; servers' and clients' certificates of the first. `X.pem` holds X's key and certificate."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.authority("ca")
        self.authority("other-ca")
        self.certificate("server", "DNS:localhost,IP:127.0.0.1")
        self.certificate("elsewhere", "DNS:elsewhere.example")
        self.certificate("expired", "DNS:localhost,IP:127.0.0.1", until="20200102000000Z")
        self.certificate("client", "DNS:client")
        self.pkcs12("client", "store-pw")

    def __getitem__(self, name):
        return self.folder / name

    def authority(self, name):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self[f"{name}.key"], "-out", self[f"{name}.crt"],
                "-days", "30", "-subj", f"/CN=test {name}")

    def certificate(self, name, names, until=None):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", self[f"{name}.key"], "-out", self[f"{name}.csr"], "-subj",
                f"/O=pinflow tests/CN={name}")
        self["ca.db"].write_text("")
        self["ca.cnf"].write_text(f"""[ca]
default_ca=x
[x]
new_certs_dir={self.folder}
database={self.folder}/ca.db
rand_serial=yes
default_md=sha256
policy=p
x509_extensions=e
[p]
organizationName=optional
commonName=supplied
[e]
subjectAltName={names}
""")
        dates = ["-startdate", "20200101000000Z", "-enddate", until] if until else ["-days", "30"]
        openssl("ca", "-batch", "-notext", "-config", self["ca.cnf"], "-in", self[f"{name}.csr"], "-out", self[f"{name}.crt"],
                "-cert", self["ca.crt"], "-keyfile", self["ca.key"], *dates)
        self[f"{name}.pem"].write_text(self[f"{name}.key"].read_text() + self[f"{name}.crt"].read_text())

    def pkcs12(self, name, password):
        openssl("pkcs12", "-export", "-inkey", self[f"{name}.key"], "-in", self[f"{name}.crt"], "-certfile", self["ca.crt"],
                "-out", self[f"{name}.p12"], "-passout", f"pass:{password}")


def free_ports(count):
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            ports.append(one.getsockname()[1])
        return ports


def jaas(text):
    return text.replace("\\", "\\\\")


class SecureKafka:
    """A broker that can be killed and started again. `certificates`, `addresses` by listener, `tokens`: the log of the
    validator of MSK's tokens."""

    def __init__(self, folder):
        self.folder = folder
        self.certificates = Certificates(folder / "tls")
        ports = free_ports(len(LISTENERS) + 1)
        self.addresses = {name: f"127.0.0.1:{port}" for name, port in zip(LISTENERS, ports)}
        self.tokens = folder / "tokens.log"
        self.tokens.write_text("")
        keys = folder / "keys"
        keys.write_text("".join(f"{key} {secret}\n" for key, secret in KEYS.items()))
        subprocess.run(["javac", "-cp", f"{tools.DEPS}/4.3.1/*", "-d", folder / "classes", tools.HERE / "java/MskTokenValidator.java"],
                       check=True, timeout=120)
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule required " + " ".join(
            f'user_{name}="{self.quoted(password)}"' for name, password in PASSWORDS.items()) + ";"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        bearer = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
        lines = [
            "process.roles=broker,controller", "node.id=1", f"controller.quorum.voters=1@127.0.0.1:{ports[-1]}",
            "listeners=" + ",".join(f"{name}://{at}" for name, at in self.addresses.items()) + f",CONTROLLER://127.0.0.1:{ports[-1]}",
            "advertised.listeners=" + ",".join(f"{name}://{at}" for name, at in self.addresses.items()),
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT," + ",".join(f"{n}:{p}" for n, p in LISTENERS.items()),
            "controller.listener.names=CONTROLLER", "inter.broker.listener.name=OPEN", f"log.dirs={folder}/logs",
            "offsets.topic.replication.factor=1", "offsets.topic.num.partitions=1", "group.initial.rebalance.delay.ms=0",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found=true", "super.users=User:ANONYMOUS",
            "ssl.keystore.type=PEM", f"ssl.keystore.location={self.certificates['server.pem']}", "ssl.truststore.type=PEM",
            f"ssl.truststore.location={self.certificates['ca.crt']}",
            "listener.name.mtls.ssl.client.auth=required",
            f"listener.name.expired.ssl.keystore.location={self.certificates['expired.pem']}",
            "listener.name.expired.ssl.keystore.type=PEM",
            f"listener.name.elsewhere.ssl.keystore.location={self.certificates['elsewhere.pem']}",
            "listener.name.elsewhere.ssl.keystore.type=PEM",
            "listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            f"listener.name.sasl.plain.sasl.jaas.config={jaas(plain)}",
            f"listener.name.sasl.scram-sha-256.sasl.jaas.config={scram}",
            f"listener.name.sasl.scram-sha-512.sasl.jaas.config={scram}",
            "listener.name.bare.sasl.enabled.mechanisms=PLAIN", f"listener.name.bare.plain.sasl.jaas.config={jaas(plain)}",
            "listener.name.msk.sasl.enabled.mechanisms=OAUTHBEARER",
            "listener.name.msk.oauthbearer.sasl.server.callback.handler.class=MskTokenValidator",
            f'listener.name.msk.oauthbearer.sasl.jaas.config={bearer} unsecuredLoginStringClaim_sub="broker" keys="{keys}" log="{self.tokens}";',
            "listener.name.msk.oauthbearer.connections.max.reauth.ms=900000",
            "listener.name.jwt.sasl.enabled.mechanisms=OAUTHBEARER",
            f'listener.name.jwt.oauthbearer.sasl.jaas.config={bearer} unsecuredLoginStringClaim_sub="broker";',
            "listener.name.jwt.oauthbearer.connections.max.reauth.ms=900000",
        ]
        self.file = folder / "server.properties"
        self.file.write_text("\n".join(lines) + "\n")
        self.java = ["java", "-Xmx400m", "-cp", f"{folder / 'classes'}:{tools.DEPS}/4.3.1/*"]
        users = [option for name, password in PASSWORDS.items() for kind in ("256", "512")
                 for option in ("--add-scram", f'SCRAM-SHA-{kind}=[name="{name}",password="{self.quoted(password)}"]')]
        subprocess.run([*self.java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", self.file, *users],
                       check=True, capture_output=True, timeout=120)
        self.process = None

    @staticmethod
    def quoted(password):
        return password.replace("\\", "\\\\").replace('"', '\\"')

    def start(self):
        with open(self.folder / "kafka.log", "a") as log:
            self.process = subprocess.Popen([*self.java, "kafka.Kafka", self.file], stdout=log, stderr=subprocess.STDOUT)

        def listens():
            assert self.process.poll() is None, (self.folder / "kafka.log").read_text()[-3000:]
            for address in self.addresses.values():
                with socket.create_connection(address.split(":"), 1):
                    pass
            return True

        def comes():
            with contextlib.suppress(OSError):
                return listens()
        pf.wait_until(comes, timeout=240, what="Kafka's listening")

    def kill(self):
        self.process.kill()
        self.process.wait(60)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def properties(self, name, listener, *lines, ca="ca.crt"):
        """A client.properties for the listener."""
        path = self.folder / f"{name}.properties"
        protocol = LISTENERS[listener]
        trust = [f"ssl.truststore.location={self.certificates[ca]}", "ssl.truststore.type=PEM"] if protocol.endswith("SSL") else []
        path.write_text("\n".join([f"security.protocol={protocol}", f"bootstrap.servers={self.addresses[listener]}", *trust,
                                   *map(str, lines)]) + "\n")
        return path

    def password(self, mechanism, user="ann", password=None):
        module = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
        secret = self.quoted(PASSWORDS[user] if password is None else password)
        return [f"sasl.mechanism={mechanism}", jaas(f'sasl.jaas.config=org.apache.kafka.common.security.{module} required '
                                                     f'username="{user}" password="{secret}";')]

    def log_ins(self):
        return [line.split() for line in self.tokens.read_text().splitlines()]


MSK = ["sasl.mechanism=AWS_MSK_IAM", "sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;",
       "sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler"]


def machine(**variables):
    """An environment without any AWS settings but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_REGION": "eu-west-1", **variables}
