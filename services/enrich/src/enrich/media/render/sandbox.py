"""Confinement of a renderer: limits of memory, processor time and files, and a filter of system calls.

Limits work everywhere, the filter (seccomp) on Linux. A decoder that is taken over can then read no file, reach no host and
start no program; it can only answer wrongly.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
import sys

from shared.worker_processes.child import confine

MAX_THREADS = 4
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_TSYNC = 1
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000
_CLONE3 = 435
_CLONE_THREAD = 0x10000

# Numbers of calls that a running renderer does not need, from the kernel's tables: x86-64, then the generic table of
# aarch64. A call that is missing in one table does not exist there.
_DENIED: dict[str, tuple[int, int, int, tuple[int, ...]]] = {
    # machine: (AUDIT_ARCH, numbers of seccomp(2) and clone(2), denied calls)
    "x86_64": (
        0xC000003E,
        317,
        56,
        (
            *(2, 85, 257, 437, 304),  # open, creat, openat, openat2, open_by_handle_at
            *(41, 42, 43, 288, 44, 46, 307, 49, 50, 53),  # sockets: make, connect, accept, send, bind, listen, pair
            *(57, 58, 59, 322),  # fork, vfork, execve, execveat
            *(62, 101, 310, 311, 434, 438, 424),  # kill, ptrace, other processes' memory and files
            *(425, 426, 427),  # io_uring, which would go around this filter
            *(76, 77, 82, 83, 84, 86, 87, 88, 90, 91, 92, 93, 94, 133, 257, 258, 260, 263, 264, 265, 266, 268, 316),
            *(155, 161, 165, 166, 272, 308, 321, 248, 249, 250, 175, 313, 246, 298),  # mounts, namespaces, bpf, keys
        ),
    ),
    "aarch64": (
        0xC00000B7,
        277,
        220,
        (
            *(56, 437, 265),
            *(198, 199, 200, 201, 202, 203, 206, 211, 242, 269),
            *(221, 281),
            *(129, 117, 270, 271, 434, 438, 424),
            *(425, 426, 427),
            *(33, 34, 35, 36, 37, 38, 45, 46, 52, 53, 54, 55, 276),
            *(39, 40, 41, 51, 97, 268, 280, 217, 218, 219, 105, 273, 104, 241),
        ),
    ),
}


def limit(*, memory_bytes: int) -> None:
    """Bound memory and files, and let no other process look into this one."""
    confine(memory_bytes)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def limit_cpu(seconds: float) -> None:
    """Allow so much more processor time; past it, the kernel ends the process with SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def deny_system_calls() -> bool:
    """Deny files, network and programs to every thread of this process for good. Returns whether the kernel supports it.

    Libraries must be loaded and modules imported before.
    """
    table = _DENIED.get(platform.machine())
    if sys.platform != "linux" or table is None:
        return False
    arch, seccomp, clone, denied = table
    program = _program(arch, clone, sorted(set(denied)), x86=platform.machine() == "x86_64")
    buffer = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    argument = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    done = libc.syscall(
        ctypes.c_long(seccomp),
        ctypes.c_ulong(_SECCOMP_SET_MODE_FILTER),
        ctypes.c_ulong(_SECCOMP_FILTER_FLAG_TSYNC),
        ctypes.byref(argument),
    )
    return bool(done == 0)


def _program(arch: int, clone: int, denied: list[int], *, x86: bool) -> bytes:
    """Classic BPF: another architecture's calls end the process, denied ones fail with EPERM, the rest pass."""

    def step(code: int, true: int, false: int, value: int) -> bytes:
        return struct.pack("=HBBI", code, true, false, value)

    load, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    steps = [step(load, 0, 0, 4), step(equal, 1, 0, arch), step(answer, 0, 0, _KILL), step(load, 0, 0, 0)]
    if x86:
        # The x32 calls have their own numbers from 0x40000000 and would pass the list.
        steps += [step(at_least, 0, 1, 0x40000000), step(answer, 0, 0, _KILL)]
    for number in denied:
        steps += [step(equal, 0, 1, number), step(answer, 0, 0, _ERRNO | errno.EPERM)]
    # Threads are allowed, processes are not. clone3 has its flags in memory, where a filter cannot look. Reported as
    # missing, it makes the C library fall back to clone.
    steps += [step(equal, 0, 1, _CLONE3), step(answer, 0, 0, _ERRNO | errno.ENOSYS)]
    steps += [step(equal, 0, 3, clone), step(load, 0, 0, 16), step(any_bit, 1, 0, _CLONE_THREAD)]
    steps.append(step(answer, 0, 0, _ERRNO | errno.EPERM))
    steps.append(step(answer, 0, 0, _ALLOW))
    return b"".join(steps)


def environment() -> dict[str, str]:
    """The environment of a worker; nothing in it is secret."""
    # The stack of each thread counts against the limit of address space, so large machines must not have many.
    threads = min(MAX_THREADS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else MAX_THREADS)
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", "VIPS_CONCURRENCY") if name in os.environ}
    # Arenas of threads count against the limit of address space. Large pictures must not spill to the disk, where a worker
    # may not write.
    return {
        "VIPS_CONCURRENCY": str(threads),
        **kept,
        "MALLOC_ARENA_MAX": "2",
        "VIPS_DISC_THRESHOLD": "64g",
        "PATH": "/nonexistent",
    }
