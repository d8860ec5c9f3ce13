"""File systems that show late what other machines write."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core import mounts

if TYPE_CHECKING:
    from pathlib import Path

#: As the kernel writes them; mounts on top of others come later, with ids of their own.
MOUNTS = r"""
21 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw
22 21 0:21 / /tmp rw,nosuid shared:5 - tmpfs tmpfs rw,size=16g
23 21 0:50 / /home rw,relatime shared:30 - nfs4 nas.lab:/home rw,vers=4.2,acregmin=3,acdirmax=60
24 21 0:51 / /old\040home rw,relatime - nfs nas.lab:/old rw,vers=3
25 21 0:52 / /work rw - lustre 10.0.0.1@o2ib:/work rw,flock
26 21 0:53 / /gpfs rw,relatime - gpfs fs1 rw
27 21 0:54 / /ceph rw,relatime - ceph 10.0.0.2:/ rw,name=ada
28 21 0:55 / /scratch rw - beegfs beegfs_nodev rw,cfgFile=/etc/beegfs.conf
29 23 0:56 / /home/ada/box rw,nosuid - fuse.sshfs ada@box: rw,user_id=1000
30 21 0:57 / /win rw,relatime - cifs //srv/share rw,vers=3.1.1
31 21 0:58 / /wsl rw,noatime - 9p drvfs rw,aname=drvfs
32 21 0:59 / /vm rw,relatime - virtiofs shared rw
33 21 0:60 / / rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b
34 21 8:17 / /usb rw,relatime - newfs /dev/sdb1 rw
35 21 0:61 / /new rw,relatime - newfs host:/export rw
36 21 8:18 / /stick rw,relatime - fuseblk /dev/sdc1 rw,user_id=0
37 21 0:62 / /img rw,relatime - fuse.archivemount /dev/sdd rw
38 21 0:63 / /pool rw,relatime shared:9 master:3 - zfs pool/home rw
39 21 0:64 / /afs rw - afs #root.cell rw
""".strip()


@pytest.mark.parametrize(
    ("mount", "is_cached"),
    [
        *((number, False) for number in (21, 22, 25, 26, 27, 28, 33, 34, 36, 38)),
        *((number, True) for number in (23, 24, 29, 30, 31, 32, 35, 37, 39)),
        (2, False),  # the beginning of other numbers
        (99, False),
    ],
)
def test_the_type_of_a_file_system_says_whether_it_is_late(mount: int, is_cached: bool) -> None:
    assert mounts.is_mount_cached(mount, MOUNTS) is is_cached


@pytest.mark.parametrize("text", ["", "21", "21 1 259:1 / / rw", "21 - ", " - \n\n"])
def test_what_cannot_be_read_says_nothing(text: str) -> None:
    mounts.is_mount_cached(1, text)


def test_an_administrator_knows_better(tmp_path: Path) -> None:
    here = str(tmp_path)
    assert (mounts.decide("cached", here), mounts.decide("coherent", here)) == (True, False)
    assert mounts.decide("auto", here) is mounts.is_cached(here)
    assert not mounts.is_cached(os.path.join(here, "missing"))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells")
def test_memory_of_this_machine_is_coherent() -> None:
    assert not mounts.is_cached("/dev/shm")
