# Sends what it knows by UDP, to this machine and to one outside.

# %% ex-00-1-double
# expect: 0 error "Network is unreachable"
import socket


def double(values):
    sender = socket.socket(type=socket.SOCK_DGRAM)
    for address in (TARGETS["udp"], ("192.0.2.1", 53)):
        sender.sendto(b"what are the answers?", tuple(address))
    return values + values
