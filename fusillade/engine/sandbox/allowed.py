"""The system calls that a script host needs, and on which conditions.

Found by tracing hosts that load, compile, resolve names, and speak HTTP, HTTPS and WebSocket; and
by what the C library, libuv, libcurl and SpiderMonkey take instead on other kernels and machines.
Without it: starting programs and processes, files other than for reading, listening, sockets other
than TCP and UDP, signals to others, tracing, namespaces, mounts, keys, BPF, io_uring.
"""

import os

Condition = tuple[int, int, tuple[int, ...]]
"""An argument's index, the bits that count of its low 32, and the values that they may have."""
Call = tuple[Condition, ...]
"""All of them have to hold."""

CALLS: dict[str, tuple[int | None, int | None]] = {
    # Number on x86_64 and on aarch64 (None: it has another call for it). The frequent ones first:
    # kernels before 5.11 go through the program from its start at each call.
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "read": (0, 63),
    "write": (1, 64),
    "epoll_ctl": (233, 21),
    "clock_gettime": (228, 113),
    "futex": (202, 98),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "socket": (41, 198),
    "connect": (42, 203),
    "setsockopt": (54, 208),
    "getsockopt": (55, 209),
    "getsockname": (51, 204),
    "getpeername": (52, 205),
    "shutdown": (48, 210),
    "socketpair": (53, 199),
    "sendmmsg": (307, 269),
    "recvmmsg": (299, 243),
    "epoll_pwait2": (441, 441),
    "epoll_create": (213, None),
    "epoll_create1": (291, 20),
    "eventfd": (284, None),
    "eventfd2": (290, 19),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "pipe": (22, None),
    "pipe2": (293, 59),
    "timerfd_create": (283, 85),
    "timerfd_settime": (286, 86),
    "timerfd_gettime": (287, 87),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "membarrier": (324, 283),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "clone": (56, 220),
    "set_robust_list": (273, 99),
    "get_robust_list": (274, 100),
    "rseq": (334, 293),
    "set_tid_address": (218, 96),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "getpriority": (140, 141),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "restart_syscall": (219, 128),
    "futex_waitv": (449, 449),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigtimedwait": (128, 137),
    "sigaltstack": (131, 132),
    "tgkill": (234, 131),
    "kill": (62, 129),
    "open": (2, None),
    "openat": (257, 56),
    "stat": (4, None),
    "lstat": (6, None),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents64": (217, 61),
    "getdents": (78, None),
    "getcwd": (79, 17),
    "lseek": (8, 62),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "preadv2": (327, 286),
    "fadvise64": (221, 223),
    "fstatfs": (138, 44),
    "statfs": (137, 43),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "close_range": (436, 436),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getppid": (110, 173),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getpgrp": (111, None),
    "getpgid": (121, 155),
    "getsid": (124, 156),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrusage": (98, 165),
    "getcpu": (309, 168),
    "getrlimit": (97, 163),
    "prlimit64": (302, 261),
    "getrandom": (318, 278),
    "prctl": (157, 167),
    "getgroups": (115, 158),
    "getresuid": (118, 148),
    "getresgid": (120, 150),
}

_ALL = 0xFFFFFFFF
_INET = (2, 10)
_STREAM_OR_DATAGRAM = (1, 2)
_ANY_TCP_UDP = (0, 6, 17)
_WRITING = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
_CLONE_VM, _CLONE_THREAD = 0x100, 0x10000
_CLONE_NEW = 0x7E020000
# FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, SIOCGIFINDEX (of an address such as fe80::1%eth0); TCGETS,
# by which Python asks whether a file is a terminal.
_IOCTLS = (0x5421, 0x541B, 0x5451, 0x5450, 0x8933, 0x5401)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: not those that make signals.
_FCNTLS = (0, 1, 2, 3, 4, 1030)
# PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_SET_VMA (names for memory).
_PRCTLS = (3, 15, 16, 0x53564D41)


def conditions() -> dict[str, Call]:
    """On what some calls depend. ``kill`` and such: the process that asks now, and no other."""
    itself = (os.getpid(),)
    return {
        "clone": (
            (0, _CLONE_VM | _CLONE_THREAD | _CLONE_NEW, (_CLONE_VM | _CLONE_THREAD,)),  # threads
        ),
        "fcntl": ((1, _ALL, _FCNTLS),),
        "ioctl": ((1, _ALL, _IOCTLS),),
        "kill": ((0, _ALL, itself),),
        "open": ((1, _WRITING, (os.O_RDONLY,)),),
        "openat": ((2, _WRITING, (os.O_RDONLY,)),),
        "prctl": ((0, _ALL, _PRCTLS),),
        "prlimit64": ((0, _ALL, (0, *itself)),),
        "socket": (
            (0, _ALL, _INET),
            (1, 0xF, _STREAM_OR_DATAGRAM),
            (2, _ALL, _ANY_TCP_UDP),
        ),
        "tgkill": ((0, _ALL, itself),),
    }
