"""Every way to log in, against Apache Kafka 4.3.1 with TLS, client certificates, PLAIN, SCRAM and OAUTHBEARER; MSK's IAM
tokens against a validator that computes their signature again. What is wrong is said; who is in goes on: past the end of
a token, and past the end of the broker."""
import base64
import contextlib
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import threading
import time

import pytest

import pinflow as pf
import secure
import tools
from secure import MSK, machine

JWT = "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
AKID = {"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": secure.KEYS["AKIDTEST"]}


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    subprocess.run([tools.HERE / "get"], check=True)
    broker = secure.SecureKafka(tmp_path_factory.mktemp("secure"))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def answering(handler):
    """An HTTP server on this machine; `handler(path, body)` gives a status and JSON."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            status, answer = handler(self.path, body, self.headers)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def unsecured(subject, seconds):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    now = int(time.time())
    return f"{part({'alg': 'none'})}.{part({'sub': subject, 'iat': now, 'exp': now + seconds})}."


WAYS = {
    "tls": lambda k: k.properties("tls", "TLS"),
    "pkcs12": lambda k: k.properties("pkcs12", "MTLS", f"ssl.keystore.location={k.certificates['client.p12']}",
                                     "ssl.keystore.password=store-pw"),
    "pem": lambda k: k.properties("pem", "MTLS", f"ssl.keystore.location={k.certificates['client.pem']}", "ssl.keystore.type=PEM"),
    "plain": lambda k: k.properties("plain", "SASL", *k.password("PLAIN")),
    "scram-256": lambda k: k.properties("scram-256", "SASL", *k.password("SCRAM-SHA-256")),
    "scram-512": lambda k: k.properties("scram-512", "SASL", *k.password("SCRAM-SHA-512", "bob")),
    "without-tls": lambda k: k.properties("without-tls", "BARE", *k.password("PLAIN")),
    "msk": lambda k: k.properties("msk", "MSK", *MSK),
    "unsecured": lambda k: k.properties("unsecured", "JWT", "sasl.mechanism=OAUTHBEARER",
                                        f'{JWT} unsecuredLoginStringClaim_sub="carl";'),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in(kafka, way):
    config = ["--command-config", WAYS[way](kafka)]
    env = machine(**AKID)
    topic = f"way.{way}"
    pf.pinflow("topics", "create", "--topic", topic, *config, env=env)
    described = pf.pinflow_json("topics", "describe", "--topic", topic, *config, env=env)
    assert described[0]["topic_id"]  # asked over a connection of our own
    pf.pinflow("produce", "--topic", topic, *config, input="one\ntwo\nthree\n", env=env)
    read = pf.pinflow("consume", "--topic", topic, "--group", f"g-{way}", "--from-beginning", "--until-end", *config, env=env)
    assert read.stdout.split() == ["one", "two", "three"]


def wrong(kafka):
    a = kafka.addresses
    password = kafka.password("PLAIN", password="not-the-password")
    yield "another authority", kafka.properties("w1", "TLS", ca="other-ca.crt"), {}, "signed by 'CN=test ca', which is not among the trusted"
    yield "expired", kafka.properties("w2", "EXPIRED"), {}, r"has expired \(Jan +2 00:00:00 2020 GMT\)"
    yield "another name", kafka.properties("w3", "ELSEWHERE"), {}, "certificate is for elsewhere.example, not for 127.0.0.1"
    yield "no certificate", kafka.properties("w4", "MTLS"), {}, "ssl.keystore.location"
    yield "a certificate of nobody", kafka.properties(
        "w5", "MTLS", f"ssl.keystore.location={stranger(kafka)}", "ssl.keystore.type=PEM"), {}, "ssl.keystore.location"
    yield "password", kafka.properties("w6", "SASL", *password), {}, "user 'ann', by PLAIN.*Invalid username or password"
    yield "scram password", kafka.properties("w7", "SASL", *kafka.password("SCRAM-SHA-512", password="not-the-password")), {}, \
        "user 'ann', by SCRAM-SHA-512.*invalid credentials"
    yield "mechanism", kafka.properties("w8", "BARE", *kafka.password("SCRAM-SHA-256")), {}, \
        "does not know sasl.mechanism SCRAM-SHA-256; it knows PLAIN"
    yield "no login", plain(kafka, "w9", "SSL", a["SASL"]), {}, "asks to log in .by .*SCRAM.*security.protocol is SSL"
    yield "a login nobody asks for", plain(kafka, "w10", "SASL_SSL", a["TLS"], *kafka.password("PLAIN")), {}, \
        "asks nobody to log in: set security.protocol to SSL"
    yield "tls to a port without", plain(kafka, "w11", "SSL", a["OPEN"]), {}, "speaks Kafka without TLS"
    yield "no tls to a port with", plain(kafka, "w12", "PLAINTEXT", a["TLS"]), {}, "this port speaks TLS"
    yield "no tls to a login with", plain(kafka, "w13", "SASL_PLAINTEXT", a["SASL"], *kafka.password("PLAIN")), {}, "this port speaks TLS"
    yield "no keys", kafka.properties("w14", "MSK", *MSK), {}, "logging in to MSK by IAM: no AWS credentials"
    yield "wrong keys", kafka.properties("w15", "MSK", *MSK), {**AKID, "AWS_SECRET_ACCESS_KEY": "not-the-password"}, \
        "token is refused.*the signature does not match"
    yield "a store's password", kafka.properties("w16", "MTLS", f"ssl.keystore.location={kafka.certificates['client.p12']}",
                                                 "ssl.keystore.password=not-the-password"), {}, r"w16.properties:\d+: .*its password is another"
    token = kafka.folder / "token"
    token.write_text(unsecured("carl", -60))
    bearer = ["sasl.mechanism=OAUTHBEARER", f"{JWT};"]
    yield "an expired token", kafka.properties("w19", "JWT", *bearer, f"sasl.oauthbearer.token.endpoint.url=file://{token}"), {}, \
        r"the token has ended \d+ s ago"
    yield "no token", kafka.properties("w20", "JWT", *bearer, "sasl.oauthbearer.token.endpoint.url=file:///no/where"), {}, \
        r"w20.properties:\d+: sasl.oauthbearer.token.endpoint.url: the file /no/where is not there"
    yield "no provider", kafka.properties(
        "w21", "JWT", "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url=http://127.0.0.1:1/token",
        f'{JWT} clientId="posts" clientSecret="not-the-password";'), {}, "127.0.0.1:1/token"
    yield "nobody there", plain(kafka, "w17", "SSL", "127.0.0.1:1"), {}, "127.0.0.1:1.*[Rr]efused"
    yield "a placeholder", plain(kafka, "w18", "SASL_SSL", "<YOUR_BROKERS>"), {}, r"w18.properties:2.*<YOUR_BROKERS>"


def plain(kafka, name, protocol, address, *lines):
    path = kafka.folder / f"{name}.properties"
    trust = [f"ssl.truststore.location={kafka.certificates['ca.crt']}"] if protocol.endswith("SSL") else []
    path.write_text("\n".join([f"security.protocol={protocol}", f"bootstrap.servers={address}", *trust, *lines]) + "\n")
    return path


def stranger(kafka):
    """A client's certificate by the authority that the broker does not know."""
    at = kafka.certificates
    if not at["stranger.pem"].exists():
        secure.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", at["stranger.key"], "-out", at["stranger.csr"], "-subj", "/CN=x")
        secure.openssl("x509", "-req", "-in", at["stranger.csr"], "-CA", at["other-ca.crt"], "-CAkey", at["other-ca.key"], "-CAcreateserial",
                       "-days", "2", "-out", at["stranger.crt"])
        at["stranger.pem"].write_text(at["stranger.key"].read_text() + at["stranger.crt"].read_text())
    return at["stranger.pem"]


def test_what_is_wrong_is_said(kafka):
    for what, properties, variables, said in wrong(kafka):
        done = pf.pinflow("topics", "list", "--command-config", properties, check=False, env=machine(**variables))
        assert done.returncode == 1, what
        assert re.search(said, done.stderr), f"{what}: {done.stderr}"
        assert "not-the-password" not in done.stderr + done.stdout, what


def test_a_gateway_by_kafka_rest_properties(kafka, tmp_path):
    file = tmp_path / "kafka-rest.properties"
    trust = f"client.ssl.truststore.location={kafka.certificates['ca.crt']}"
    login = [f"client.{line}" for line in kafka.password("SCRAM-SHA-256")]
    file.write_text("\n".join(["id=kafka-rest", f"bootstrap.servers=SASL_SSL://{kafka.addresses['SASL']}", "zookeeper.connect=z:2181",
                               "client.security.protocol=SASL_SSL", trust, *login]) + "\n")
    with pf.running("gateway", file, "--listen", "127.0.0.1:0") as gateway:
        host, port = gateway.addresses["gateway"].split(":")
        status, body = pf.post((host, int(port)), "rest", {"a": 1})
        assert status == 200 and body["offsets"][0]["offset"] == 0, body
    file.write_text(file.read_text().replace("pw of", "not-the-password"))
    done = pf.pinflow("gateway", file, "--listen", "127.0.0.1:0", check=False)
    assert done.returncode == 1 and "invalid credentials" in done.stderr and "not-the-password" not in done.stderr


def test_a_profile_whose_every_part_logs_in(kafka, tmp_path):
    """Gateway, sink, the stream worker that reads a topic, doctor: by SCRAM over TLS, as the profile's file says."""
    folder = tmp_path / "pipeline"
    shutil.copytree(pf.PIPELINE, folder)
    text = (folder / "pipeline.yaml").read_text().replace("    stream_table: geo_stream", "    stream_table: geo_stream\n    from: kafka")
    (folder / "pipeline.yaml").write_text(text[:text.index("\nprofiles:")] + f"""
profiles:
  work:
    user_id: every
    settings: {{bootstrap.server: "{kafka.addresses['SASL']}", command.config: work.properties}}
""")
    file = kafka.properties("every", "SASL", *kafka.password("SCRAM-SHA-512"))
    (folder / "work.properties").write_text(file.read_text().replace(secure.PASSWORDS["ann"], "${ANNS_PASSWORD}"))
    flags = ["--pipeline", folder, "--profile", "work", "--data", tmp_path / "data"]
    env = machine(ANNS_PASSWORD=secure.PASSWORDS["ann"])
    counts = pf.pinflow_json("run", *flags, "--posts", 60, env=env)["counts"]
    assert counts["acknowledged"] == counts["sunk"] == 180
    assert counts["stream"]["tables"]["geo"] == counts["tables"]["geo"] > 0
    with pf.up(tmp_path / "data", *flags[:4], env=env) as up:
        assert up.addresses["kafka"] == kafka.addresses["SASL"]
        assert pf.post(up.address("gateway"), "every.geo", {"ind": 9_000_000, "country": "Albania"})[0] == 200
        pf.wait_until(lambda: any(row[0] == 9_000_000 for row in pf.rows(tmp_path / "data/lake", "geo_stream")), timeout=60,
                      what="the post in the stream's table")
        assert up.stop() == 0, up.lines
    done = pf.pinflow("doctor", *flags, "--listen", "gateway=127.0.0.1:0", "--listen", "streams=127.0.0.1:0", "--format", "json", env=env)
    found = json.loads(done.stdout)
    assert all(one["ok"] for one in found), found
    assert any("as User:ann (TLS, SCRAM-SHA-512)" in one["detail"] for one in found)


def test_denied_topics(kafka, tmp_path):
    config = ["--command-config", WAYS["plain"](kafka)]
    for topic in ("local.pin", "local.geo", "local.user"):
        pf.pinflow("topics", "create", "--topic", topic, "--bootstrap-server", kafka.addresses["OPEN"])
    try:
        for rule in (("ALLOW", "local.geo", "READ"), ("DENY", "local.geo", "WRITE"), ("DENY", "local.user", "DESCRIBE"),
                     ("ALLOW", "connect-pinterest", "DESCRIBE", "GROUP"), ("DENY", "connect-pinterest", "READ", "GROUP")):
            tools.python(kafka.addresses["OPEN"], "acl", rule[0], "User:ann", *rule[1:])

        found = {}

        def all_are_found():  # the controller has them; the broker learns of them
            done = pf.pinflow("doctor", *config, "--data", tmp_path, "--format", "json", check=False)
            found.update((one["detail"].split()[0].rstrip(":"), one) for one in json.loads(done.stdout))
            return not any(found[name]["ok"] for name in ("local.geo", "local.user", "connect-pinterest"))
        pf.wait_until(all_are_found, timeout=60, what="what is denied")
        assert found["local.pin"]["ok"] and "may be read and written" in found["local.pin"]["detail"]
        assert not found["local.geo"]["ok"] and "User:ann may not use it: allow Write" in found["local.geo"]["detail"]
        assert "User:ann may not even ask for it: allow Describe" in found["local.user"]["detail"]
        assert "allow Read on the group" in found["connect-pinterest"]["detail"]
        denied = pf.pinflow("produce", "--topic", "local.geo", *config, input="x\n", check=False)
        assert denied.returncode == 1 and "authorization failed" in denied.stderr.lower() and "ACL" in denied.stderr
    finally:
        tools.python(kafka.addresses["OPEN"], "allow_all")
        for topic in ("local.pin", "local.geo", "local.user"):
            pf.pinflow("topics", "delete", "--topic", topic, "--bootstrap-server", kafka.addresses["OPEN"])


def test_the_main_job_while_the_broker_is_killed(kafka, tmp_path):
    config = ["--command-config", WAYS["scram-512"](kafka)]
    command = [pf.BIN, "run", "--batch", "--posts", "400", "--connections", "2", "--data", tmp_path, "--format", "json", *config]
    run = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=pf.ROOT)
    pf.wait_until(lambda: any((tmp_path / "lake").glob("topics/*/*/*")) or run.poll() is not None or "local.pin" in pf.pinflow(
        "topics", "list", "--bootstrap-server", kafka.addresses["OPEN"]).stdout, timeout=90, what="the run's first records")
    kafka.kill()
    kafka.start()
    output, errors = run.communicate(timeout=240)
    if run.returncode != 0:  # it may give up, but says why, and the next one makes it whole
        assert re.search(r"Kafka|broker|gateway|answer|answered", errors), errors
    done = pf.pinflow_json("run", "--batch", "--posts", 100, "--data", tmp_path, *config, timeout=240)
    counts = done["counts"]
    assert counts["acknowledged"] == 300 and all(counts["tables"].values())
    for table in ("pin", "geo", "user"):
        rows = pf.rows(tmp_path / "lake", table)
        assert len(rows) == len(set(map(repr, rows))) == counts["tables"][table]


def test_tokens_are_renewed_while_a_sink_runs(kafka, tmp_path):
    """Two sinks: one with AWS's keys that end after 45 seconds, one with an identity provider's tokens of 8 seconds. The
    broker ends each connection with its token."""
    asked = []

    def answer(path, body, headers):
        asked.append(path)
        if path == "/keys":
            until = int(time.time()) + 45
            return 200, {"AccessKeyId": "ASIATEST", "SecretAccessKey": secure.KEYS["ASIATEST"], "Token": f"session-until-{until}",
                         "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))}
        if base64.b64decode(headers["authorization"].split()[1]).decode() != "the-id:the secret" or "scope=posts" not in body:
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": unsecured("dora", 8), "token_type": "bearer", "expires_in": 8}

    with answering(answer) as url:
        msk = kafka.properties("renewed-msk", "MSK", *MSK)
        idp = kafka.properties("renewed-idp", "JWT", "sasl.mechanism=OAUTHBEARER", f"sasl.oauthbearer.token.endpoint.url={url}/token",
                               f'{JWT} clientId="the-id" clientSecret="the secret" scope="posts";')
        sinks = {"msk": (msk, machine(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/keys")), "idp": (idp, machine())}
        for name in sinks:
            pf.pinflow("topics", "create", "--topic", f"renewed.{name}", "--bootstrap-server", kafka.addresses["OPEN"])
        with contextlib.ExitStack() as stack:
            running = {}
            for name, (properties, env) in sinks.items():
                file = tmp_path / f"{name}.properties"
                file.write_text(f"name=renewed-{name}\ntopics=renewed.{name}\nstore.url=file://{tmp_path}/{name}\nflush.size=5\n"
                                "flush.idle.ms=500\n")
                running[name] = stack.enter_context(pf.running("sink", file, "--command-config", properties, env=env))
            sent = 0

            def everything_came():
                nonlocal sent
                lines = "".join(f'{{"n":{sent + i}}}\n' for i in range(5))
                sent += 5
                for name in sinks:
                    pf.pinflow("produce", "--topic", f"renewed.{name}", "--bootstrap-server", kafka.addresses["OPEN"], input=lines)
                for name, sink in running.items():
                    assert sink.process.poll() is None, (name, sink.lines)
                keys = {token for key, _, token in kafka.log_ins() if key == "ASIATEST"}
                time.sleep(1)
                return asked.count("/keys") >= 3 and len(keys) >= 2 and asked.count("/token") >= 4
            pf.wait_until(everything_came, timeout=180, what="some renewals of the tokens")
            for name in sinks:
                pf.wait_until(lambda: numbers(tmp_path / name) == list(range(sent)), timeout=60, what=f"all records of {name}")
            for name, sink in running.items():
                assert sink.process.poll() is None and not any("refused" in line for line in sink.lines), (name, sink.lines)


def numbers(lake):
    return sorted(json.loads(line)["n"] for path in pathlib.Path(lake).glob("topics/*/*/*.json") for line in path.read_text().splitlines())
