"""Whether what other machines write to a file system is seen here at once: by its type, as Linux tells it
(proc_pid_mountinfo(5)).

A file system of the network may keep what it has read, names and sizes too, for a minute (nfs(5), "Data and metadata
coherence"). Those of clusters revoke what other machines have changed, and a disk has one writer.
"""

from __future__ import annotations

import os

#: What an administrator may say of a shared directory; `auto` leaves it to `is_cached`.
AUTO, COHERENT, CACHED = WORDS = "auto", "coherent", "cached"
#: Types that are coherent: disks and memory of this machine, and the file systems of clusters.
_COHERENT = frozenset({
    *("bcachefs", "btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfsplus", "jfs", "nilfs2"),
    *("ntfs3", "overlay", "ramfs", "reiserfs", "squashfs", "tmpfs", "vfat", "xfs", "zfs"),
    *("beegfs", "ceph", "gfs2", "gpfs", "lustre", "ocfs2"),
})  # fmt: skip


def decide(word: str, directory: str) -> bool:
    """Return whether `directory` is to be taken for late, by one of WORDS and its file system. Blocking."""
    return is_cached(directory) if word == AUTO else word == CACHED


def is_cached(directory: str) -> bool:
    """Return whether the file system of `directory` may be late to show what other machines write. Where nothing tells
    (not on Linux, or there is no such directory), that is not assumed. Blocking.
    """
    try:
        fd = os.open(directory, os.O_RDONLY)
    except OSError:
        return False
    try:
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as file:
            about = dict(line.partition(":")[::2] for line in file)
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            return is_mount_cached(int(about["mnt_id"]), file.read())
    except (OSError, KeyError, ValueError):
        return False
    finally:
        os.close(fd)


def is_mount_cached(mount: int, mountinfo: str) -> bool:
    """Return the same for the mount of this id. An unknown type counts as one of the network, unless it is on a device
    of this machine.
    """
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if before.partition(" ")[0] == str(mount):
            kind, source, *_ = [*after.split(" "), "", ""]
            return kind not in _COHERENT and not (source.startswith("/dev/") and not kind.startswith("fuse."))
    return False
