"""Whether a file system immediately shows what other machines write: by its type, from proc_pid_mountinfo(5).

A network file system may cache what it has read, including names and sizes, for a minute (nfs(5), "Data and metadata
coherence"). Cluster file systems invalidate what other machines have changed, and a disk has only one writer.
"""

from __future__ import annotations

import os

#: Values of the setting `shared_files`; `auto` uses `is_cached`.
AUTO, COHERENT, CACHED = WORDS = "auto", "coherent", "cached"
#: Coherent types: disks and memory of this machine, and cluster file systems.
_COHERENT = frozenset({
    *("bcachefs", "btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfsplus", "jfs", "nilfs2"),
    *("ntfs3", "overlay", "ramfs", "reiserfs", "squashfs", "tmpfs", "vfat", "xfs", "zfs"),
    *("beegfs", "ceph", "gfs2", "gpfs", "lustre", "ocfs2"),
})  # fmt: skip


def decide(word: str, directory: str) -> bool:
    """Return whether `directory` may show changes late, by one of WORDS and its file system. Blocking."""
    return is_cached(directory) if word == AUTO else word == CACHED


def is_cached(directory: str) -> bool:
    """Return whether the file system of `directory` may show late what other machines write; False if unknown (not on
    Linux, or there is no such directory). Blocking.
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
    """Return the same for the mount with this id. An unknown type counts as a network file system, unless it is on a
    device of this machine.
    """
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if before.partition(" ")[0] == str(mount):
            kind, source, *_ = [*after.split(" "), "", ""]
            return kind not in _COHERENT and not (source.startswith("/dev/") and not kind.startswith("fuse."))
    return False
