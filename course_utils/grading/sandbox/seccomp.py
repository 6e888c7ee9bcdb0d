"""A filter of system calls that no lesson needs and that lead out of a sandbox.

A program for the kernel's classic BPF machine, see Linux's Documentation/userspace-api/seccomp_filter.rst. Refused are:
new namespaces (in one of its own a process has all capabilities, and so reaches far more of the kernel's code), mounts,
other processes' memory, keyrings, BPF, performance counters, io_uring, and sockets other than Unix, IP and netlink ones
(VSOCK, which reaches the host of a virtual machine, knows no network namespaces).
"""

from __future__ import annotations

import errno
import platform
import struct

# The numbers of a system call on x86-64 and on 64-bit ARM.
REFUSED = {
    "add_key": (248, 217),
    "bpf": (321, 280),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "setns": (308, 268),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # which of the numbers; AUDIT_ARCH_...
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET
FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
X32 = 0x40000000  # numbers from here on are x86-64's second table

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # codes of instructions
NUMBER, MACHINE, ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; of a 64-bit argument its lower half
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000


def program() -> bytes | None:
    """The filter for this machine, in the form that `bwrap --seccomp` reads; None on a machine without numbers here."""
    if platform.machine() not in MACHINES:
        return None
    column, machine = MACHINES[platform.machine()]
    code = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, machine), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    code += refuse_if(AT_LEAST, X32, errno.ENOSYS)
    # The arguments of clone3 lie in memory, where a filter cannot see them; without it, libraries call clone.
    code += refuse_if(EQUAL, CLONE3[column], errno.ENOSYS)
    for numbers in REFUSED.values():
        code += refuse_if(EQUAL, numbers[column], errno.EPERM)
    look = [(LOAD, 0, 0, ARGUMENT), *refuse_if(ANY_BIT, NEW_NAMESPACES, errno.EPERM), (RETURN, 0, 0, ALLOW)]
    code += [(EQUAL, 0, len(look), CLONE[column]), *look]
    look = [(LOAD, 0, 0, ARGUMENT), *allow_if_any(FAMILIES), (RETURN, 0, 0, FAIL | errno.EAFNOSUPPORT)]
    code += [(EQUAL, 0, len(look), SOCKET[column]), *look]
    code += [(RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def refuse_if(comparison: int, value: int, error: int) -> list[tuple[int, int, int, int]]:
    """Let the call fail with the error if the comparison holds, else go on."""
    return [(comparison, 0, 1, value), (RETURN, 0, 0, FAIL | error)]


def allow_if_any(values: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    return [step for value in values for step in ((EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW))]
