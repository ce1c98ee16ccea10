"""A pseudo-terminal for tests: whatever arrives on stdin comes out of the printed terminal path.

Only the standard library is used, so it runs on a bare Debian. The process holds the master side;
when it ends (stdin closed or killed) the terminal hangs up, as an unplugged scanner's does.
An argument is a path to link to the terminal, so that a "device" can come back under its old name.
"""

import os
import pty
import sys
import tty


def main() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    if len(sys.argv) > 1:
        link = sys.argv[1]
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(path, link)
        path = link
    print(path, flush=True)
    while data := os.read(0, 65536):
        while data:
            data = data[os.write(master, data):]
    # The slave stays open until here: with no reader at all, a terminal would report a hang-up at once.
    os.close(slave)
    os.close(master)
    if len(sys.argv) > 1:
        os.unlink(sys.argv[1])


main()
