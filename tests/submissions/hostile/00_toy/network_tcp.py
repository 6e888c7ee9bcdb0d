# Sends what it knows to a server by TCP.

# %% ex-00-1-double
# expect: 0 error "ConnectionRefusedError"
import socket


def double(values):
    with socket.create_connection(TARGETS["tcp"], 2) as connection:
        connection.sendall(b"what are the answers?")
        return values + values
