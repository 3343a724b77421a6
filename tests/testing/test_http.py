"""The client of the `Venue` handle."""

import socket
import threading

import pytest

from openperp.testing.http import Wire

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def answer_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(ANSWER)


def test_a_connection_that_was_ended_meanwhile_is_opened_anew() -> None:
    """As servers do with what was idle for long, between two tests of one session."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = Wire(f"http://127.0.0.1:{server.getsockname()[1]}")
        for _ in range(3):
            answering = threading.Thread(target=answer_once, args=(server,))
            answering.start()
            assert wire.send("GET", "/").json() == {}
            answering.join()
        wire.close()


def test_a_connection_is_used_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = Wire(f"http://127.0.0.1:{server.getsockname()[1]}")

        def answer_twice() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(2):
                    connection.recv(65536)
                    connection.sendall(ANSWER)

        answering = threading.Thread(target=answer_twice)
        answering.start()
        assert [wire.send("GET", "/").status for _ in range(2)] == [200, 200]
        answering.join()
        wire.close()


def test_a_request_that_got_no_answer_is_not_sent_again() -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = Wire(f"http://127.0.0.1:{server.getsockname()[1]}")

        def hang_up() -> None:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(65536))

        answering = threading.Thread(target=hang_up)
        answering.start()
        with pytest.raises(ConnectionError):
            wire.send("POST", "/fapi/v1/order")
        answering.join()
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
        assert len(asked) == 1
