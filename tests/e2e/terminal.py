"""A program at a terminal of its own: what is typed comes in on stdin, what it shows goes out on stdout.

    python3 terminal.py PROGRAM [ARGUMENT...]

Ends with the program's exit code when it has ended.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios


def relay(terminal):
    sources = [terminal, 0]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if 0 in ready:
            typed = os.read(0, 65536)
            if typed:
                os.write(terminal, typed)
            else:
                sources.remove(0)
        if terminal in ready:
            try:
                shown = os.read(terminal, 65536)
            except OSError:  # the program has ended
                return
            if not shown:
                return
            os.write(1, shown)


pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
relay(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
