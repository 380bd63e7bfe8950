"""SIGTERM drains, loses nothing, and ends with status 0; when idle, within a second."""
import threading
import time

import pinflow as pf
from kill_test import Poster, lake_inds


def test_idle_parts_end_within_a_second(tmp_path):
    """Generous by three: the promise is one second, the machine may be busy."""
    with pf.up(tmp_path / "up") as process:
        time.sleep(0.5)
        start = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - start < 3
    with pf.running("broker", "--data", tmp_path / "broker", "--listen", "127.0.0.1:0") as broker:
        server = broker.addresses["broker"]
        with pf.running("gateway", "--bootstrap-server", server, "--listen", "127.0.0.1:0") as gateway:
            start = time.monotonic()
            assert gateway.stop() == 0
            assert time.monotonic() - start < 3
        start = time.monotonic()
        assert broker.stop() == 0
        assert time.monotonic() - start < 3


def test_sigterm_under_load_loses_nothing(tmp_path):
    data, topic = tmp_path / "data", "local.geo"
    with pf.up(data) as process:
        posters = [Poster(process.address("gateway"), topic, range(n * 100_000, (n + 1) * 100_000)) for n in range(4)]
        for poster in posters:
            poster.start()
        threading.Event().wait(0.7)
        assert process.stop() == 0
        for poster in posters:
            poster.join()
    acknowledged = {ind for poster in posters for ind in poster.acknowledged}
    assert acknowledged
    counts = lake_inds(data / "lake", topic)
    assert acknowledged <= set(counts), "drained, but acknowledged records are not in objects"
    assert max(counts.values()) == 1


def test_a_second_process_on_the_same_folder_is_refused(tmp_path):
    with pf.up(tmp_path / "data"):
        second = pf.pinflow("up", "--data", tmp_path / "data", "--listen", "gateway=127.0.0.1:0", "--listen",
                            "broker=127.0.0.1:0", "--listen", "streams=127.0.0.1:0", check=False)
        assert second.returncode != 0
        assert "in use by another process" in second.stderr


def test_a_port_in_use_is_named_with_its_flag(tmp_path):
    with pf.up(tmp_path / "a") as process:
        taken = process.addresses["gateway"]
        second = pf.pinflow("up", "--data", tmp_path / "b", "--listen", f"gateway={taken}", "--listen",
                            "broker=127.0.0.1:0", "--listen", "streams=127.0.0.1:0", check=False)
        assert second.returncode != 0
        assert taken in second.stderr and "--listen" in second.stderr
