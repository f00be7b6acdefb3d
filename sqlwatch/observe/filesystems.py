"""On what kind of file system a file lies, and under which device /proc/locks knows its inode."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import msgspec
import psutil

_NETWORK = """
nfs nfs3 nfs4 cifs smb smb2 smb3 smbfs ncpfs afp afpfs afs coda ceph lustre gpfs beegfs orangefs pvfs2 9p v9fs virtiofs
vboxsf vmhgfs prl_fs fakeowner davfs webdav fuse.sshfs fuse.glusterfs fuse.ceph fuse.s3fs fuse.rclone fuse.gcsfuse
fuse.goofys fuse.mount-s3 fuse.juicefs fuse.davfs2 fuse.vmhgfs-fuse fuse.grpcfuse fuse.osxfs fuse.smbnetfs
fuse.curlftpfs fuse.blobfuse fuse.blobfuse2 fuse.seaweedfs fuse.weed fuse.moosefs fuse.mfs fuse.lizardfs fuse.beegfs
"""
NETWORK_TYPES: Final = frozenset(_NETWORK.split())
"""Types that another machine (or the host of a virtual machine) serves: shared memory and locks do not reach there."""


class FileSystem(msgspec.Struct, frozen=True):
    """A mounted file system: its type, where it is mounted, and its device as /proc/locks shows it, if known."""

    type: str
    mount_point: str
    is_read_only: bool
    device: tuple[int, int] | None

    @property
    def is_network(self) -> bool:
        """Whether another machine serves it."""
        return self.type.lower() in NETWORK_TYPES


def file_system_of(descriptor: int, path: str) -> FileSystem | None:
    """Return the file system of an open file; by its path where there is no /proc; None if it cannot be told."""
    try:
        info = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
        mounts = Path("/proc/self/mountinfo").read_bytes()
    except OSError:
        return _by_path(path)
    match = re.search(r"^mnt_id:\s*(\d+)", info, re.MULTILINE)
    return parse_mountinfo(mounts, int(match[1])) if match else _by_path(path)


def parse_mountinfo(data: bytes, mount_id: int) -> FileSystem | None:
    """Return the mount with that id from the bytes of /proc/self/mountinfo (see proc(5)); None if it is not there.

    The device there is the superblock's, as in /proc/locks; on btrfs `stat` gives each subvolume another one.
    """
    for line in data.splitlines():
        before, separator, after = line.partition(b" - ")
        words, kind = before.split(), after.split()
        if not separator or len(words) < 6 or not kind or words[0] != str(mount_id).encode():
            continue
        device = re.fullmatch(rb"(\d+):(\d+)", words[2])
        options = words[5].split(b",") + (kind[2].split(b",") if len(kind) > 2 else [])
        return FileSystem(
            type=os.fsdecode(kind[0]),
            mount_point=os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8) & 255]), words[4])),
            is_read_only=b"ro" in options,
            device=(int(device[1]), int(device[2])) if device else None,
        )
    return None


def _by_path(path: str) -> FileSystem | None:
    real = Path(path).resolve()
    parts = [part for part in psutil.disk_partitions(all=True) if real.is_relative_to(part.mountpoint)]
    if not parts:
        return None
    part = max(parts, key=lambda part: len(part.mountpoint))
    return FileSystem(part.fstype, part.mountpoint, "ro" in part.opts.split(","), None)
